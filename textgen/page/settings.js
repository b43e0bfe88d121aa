// The settings of a text, their limits, and the link that holds them.

/** Each setting: its kind, limits and value at first; null is "not set". `alias` is its name in the API. */
export const SETTINGS = {
  length: { kind: "whole", min: 1, max: 20000, first: 500, alias: "max_tokens" },
  temperature: { kind: "number", min: 0, max: 5, step: 0.05, first: 0.7 },
  sentence: { kind: "switch", first: true },
  topK: { kind: "whole", min: 1, max: 1114112, first: null, alias: "top_k" },
  topP: { kind: "number", min: 0.01, max: 1, step: 0.01, first: null, alias: "top_p" },
  minP: { kind: "number", min: 0, max: 1, step: 0.01, first: null, alias: "min_p" },
  noRepeat: { kind: "whole", min: 2, max: 1000, first: null, alias: "no_repeat" },
  without: { kind: "text", max: 1000, first: null },
  rngSeed: { kind: "whole", min: 0, max: 2 ** 53 - 1, first: null, alias: "seed" },
};

const MOST_PROMPT = 20000; // characters of a seed phrase that a link may bring

export const firstSettings = () =>
  Object.fromEntries(Object.entries(SETTINGS).map(([name, setting]) => [name, setting.first]));

/** The value of a setting that a text stands for; null if it is empty, undefined if it is none. */
export function parsed(name, text) {
  const { kind, min, max } = SETTINGS[name];
  if (kind === "switch") return { true: true, false: false }[text];
  if (kind === "text") return text === "" ? null : text.length <= max ? text : undefined;
  if (text.trim() === "") return SETTINGS[name].first === null ? null : undefined;
  const value = Number(text);
  const fits = Number.isFinite(value) && value >= min && value <= max && (kind === "number" || Number.isInteger(value));
  return fits ? value : undefined;
}

/** Stored settings, as far as they are valid. */
export function restored(stored) {
  const settings = firstSettings();
  for (const name of Object.keys(SETTINGS)) {
    const valid = parsed(name, String(stored?.[name] ?? ""));
    if (valid !== undefined && valid !== null) settings[name] = valid;
  }
  return settings;
}

/** A random seed of the page's own, so that a text can be written again. */
export const newRngSeed = () => crypto.getRandomValues(new Uint32Array(1))[0];

/** The part of a link after #, which holds all that a text is made of: `ask` is {model, prompt, settings, unknown}. */
export function linkOf({ model, prompt, settings, unknown }) {
  const fields = new URLSearchParams({ model, prompt, unknown });
  for (const [name, { alias }] of Object.entries(SETTINGS)) {
    if (settings[name] !== null) fields.set(alias ?? name, String(settings[name]));
  }
  return `#${fields}`;
}

/** What a link asks for, or null if it asks for nothing. */
export function askOf(hash) {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  if (!fields.has("prompt") || fields.get("prompt").length > MOST_PROMPT) return null;
  const given = Object.entries(SETTINGS).map(([name, { alias }]) => [name, fields.get(alias ?? name)]);
  const unknown = fields.get("unknown") === "skip" ? "skip" : "nearest";
  const settings = restored(Object.fromEntries(given));
  settings.rngSeed ??= newRngSeed();
  return { model: fields.get("model"), prompt: fields.get("prompt"), settings, unknown };
}
