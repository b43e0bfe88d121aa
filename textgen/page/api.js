// The writer of the served page: it asks the API. The page knows of it only these: `models()`, and for a model `write`
// and `surprisal`; a page that carries its model has another object with the same two.

import { Problem } from "./problem.js";

/** The models that the server has: `[{id, title, …}]`. */
export async function models() {
  return (await asked("app/models")).json();
}

/** The writer of a model. */
export function writerOf(model) {
  return {
    /**
     * Write a text that continues `settings.prompt`; `onPiece` receives it bit by bit.
     * Resolves when it is whole; rejects with an AbortError when `signal` stops it, and with a Problem otherwise.
     */
    async write(settings, onPiece, signal) {
      const { prompt, length, temperature, sentence, topK, topP, minP, noRepeat, without, rngSeed, unknown } = settings;
      const body = {
        model, prompt, max_tokens: length, temperature, end: sentence ? "sentence" : null, top_k: topK, top_p: topP,
        min_p: minP, no_repeat: noRepeat, without, seed: rngSeed, unknown, stream: true,
      };
      const answer = await asked("v1/completions", { body, signal });
      let whole = false;
      for await (const event of events(answer.body)) {
        if (event === "[DONE]") {
          whole = true;
          break;
        }
        const { error, choices = [] } = JSON.parse(event);
        if (error) throw new Problem("failed", { message: error.message });
        for (const { text } of choices) if (text) onPiece(text);
      }
      if (!whole) throw new Problem("cut");
    },

    /** What the model makes of each character: `[{symbol, bits, rank, entropy, likeliest: [[symbol, share]]}]`. */
    async surprisal(text, signal) {
      return (await (await asked("v1/score", { body: { model, text }, signal })).json()).characters;
    },
  };
}

/** The server's answer; `body` is sent as JSON, `content` as it is. Raises a Problem for what is refused. */
export async function asked(path, { method = "GET", body, content, signal } = {}) {
  const json = { method: "POST", headers: { "Content-Type": "application/json" } };
  let answer;
  try {
    const given = body ? { ...json, body: JSON.stringify(body, (_, value) => value ?? undefined) } : { body: content };
    answer = await fetch(path, { method, ...given, signal });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Problem("gone");
  }
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

const KINDS = { 401: "login", 403: "login", 413: "large", 409: "conflict", 429: "busy", 503: "busy", 507: "disk" };
const CODES = { unknown_characters: "unknown", model_not_found: "missing" };

async function refusal(answer) {
  const { error = {} } = await answer.json().catch(() => ({}));
  const kind = CODES[error.code] ?? KINDS[answer.status];
  return new Problem(kind ?? (answer.status < 500 ? "refused" : "failed"), { message: error.message ?? "" });
}

/** The data of server-sent events. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const found = (rest + value).split("\n\n");
      rest = found.pop();
      for (const event of found) {
        const data = event.split("\n").filter((line) => line.startsWith("data:"));
        if (data.length) yield data.map((line) => line.slice(5).trimStart()).join("\n");
      }
    }
  } catch (error) {
    throw error.name === "AbortError" ? error : new Problem("cut");
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
