// Lets the model write: go on, again, stop, and what happens when the server is gone.

import { byId } from "./elements.js";
import { change, goTo, grow } from "./history.js";
import { characters, context, stretch } from "./notebook.js";
import { Problem, problemOf } from "./problem.js";
import { newRngSeed, SETTINGS } from "./settings.js";

export const SHOWN_EVERY = 50; // milliseconds; a server may send hundreds of pieces in them
const CONTEXT = 2000; // characters that the model reads before it writes: more change nothing that can be measured

/** What to ask for at a place of the notebook, or null where a setting is invalid, which is then shown. */
export function askAt(page, at) {
  const { settings, model, history } = page.state;
  const wrong = Object.keys(SETTINGS).find((name) => settings[name] === undefined);
  if (wrong) {
    page.update({ problem: { problem: new Problem("invalid", { name: wrong, ...SETTINGS[wrong] }) } });
    byId("settings").elements.namedItem(wrong).focus();
    return null;
  }
  const rngSeed = settings.rngSeed ?? newRngSeed();
  const prompt = context(history.notebook.text, at, CONTEXT);
  return { model, prompt, settings: { ...settings, rngSeed }, unknown: "nearest" };
}

/** Write on from the caret; or write the passage of a version once more, beside it. */
export function goOn(page, version = null) {
  if (!isFree(page)) return;
  const at = version ? version.at : page.editor.caret();
  const ask = askAt(page, at);
  if (!ask) return;
  if (!version) return write(page, ask, { at });
  const { parent: from, removed, lead, how } = version;
  const fresh = { ...ask, prompt: version.ask.prompt, settings: { ...ask.settings, rngSeed: newRngSeed() } };
  write(page, fresh, { at, from, removed: removed.text.length, lead, how: how === "way" ? "written" : how });
}

/** Put another character in the place of those from `at` to `end`, and write on from it. */
export function turn(page, at, end, lead) {
  if (!isFree(page)) return;
  const ask = askAt(page, at);
  if (!ask) return;
  write(page, { ...ask, prompt: ask.prompt + lead }, { at, removed: end - at, lead, how: "turned" });
  byId("stop").focus(); // what was focused is not on the page any more
}

/** Whether the model may begin to write. */
export const isFree = ({ state, editor }) => !state.writing && Boolean(state.model) && !editor.isComposing();

/**
 * Write what `ask` asks for, after `lead`, in the place of `removed` characters at a place `at` of the version `from`.
 * Nothing changes before the first character is there.
 */
export async function write(page, ask, place) {
  const { history } = page.state;
  const { at, from = history.head, removed = 0, lead = "", how = "written" } = place;
  const controller = new AbortController();
  let version = null;
  let showing = null;
  const show = () => {
    showing = null;
    page.update({}, version.at + version.inserted.text.length);
  };
  page.follow = true;
  const writing = { controller, inNotebook: true };
  page.update({ writing, problem: null, notice: ["isWriting"], link: null, tab: "write" });
  const outcome = await written(page, ask, controller.signal, (text) => {
    if (!version) {
      goTo(history, from);
      version = change(history, at, removed, stretch(lead, true), how, { ask, lead });
    }
    grow(history, version, text);
    page.keep(version);
    showing ??= setTimeout(show, SHOWN_EVERY);
  });
  clearTimeout(showing);
  const count = version ? characters(version.inserted.text) : 0;
  if (version && outcome === "stopped") {
    const settings = { ...ask.settings, length: count - characters(lead), sentence: false };
    version.ask = { ...ask, settings };
  }
  if (version) page.keep(version);
  await page.keepNow();
  const retry = (unknown = ask.unknown) =>
    version ? goOn(page) : write(page, { ...ask, unknown }, { ...place, from });
  const ended = !count ? "wroteNothing" : outcome === "stopped" ? "stopped" : "wrote";
  const failed = outcome instanceof Problem;
  const caret = version && version.at + version.inserted.text.length;
  page.update(
    {
      writing: null,
      problem: failed ? { problem: outcome, retry } : null,
      notice: failed ? null : [ended, { characters: count }],
    },
    caret,
  );
}

/** Ask the writer, and tell how it ended: `whole`, `stopped`, or a Problem. */
export async function written(page, { model, prompt, settings, unknown }, signal, onPiece) {
  try {
    await page.home.writerOf(model).write({ ...settings, prompt, unknown }, onPiece, signal);
    return "whole";
  } catch (error) {
    return error.name === "AbortError" ? "stopped" : problemOf(error);
  }
}

/** Stop the model. */
export function stop(page) {
  page.state.writing?.controller.abort();
}
