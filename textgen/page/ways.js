// Three passages side by side. Each is a version from its first character on; choosing one goes to it.

import { byId, element } from "./elements.js";
import { branch, grow } from "./history.js";
import { stretch } from "./notebook.js";
import { Problem } from "./problem.js";
import { newRngSeed } from "./settings.js";
import { words } from "./texts.js";
import { askAt, isFree, SHOWN_EVERY, written } from "./writing.js";

const WAYS = 3;

/** Let the model write three passages at the caret, and the person choose. */
export async function openWays(page) {
  const { state } = page;
  if (!isFree(page)) return;
  const at = page.editor.caret();
  const ask = askAt(page, at);
  if (!ask) return;
  const controller = new AbortController();
  page.update({ writing: { controller }, problem: null, notice: null });
  const dialog = byId("ways-dialog");
  const columns = Array.from({ length: WAYS }, (_, number) => wayOf(state, number));
  byId("ways-list").replaceChildren(...columns.map((column) => column.node));
  showState(state, "waysWriting", true);
  const finished = new AbortController(); // ends what listens on the dialog
  const closed = new Promise((resolve) => dialog.addEventListener("close", resolve, { signal: finished.signal }));
  listenToWays(dialog, controller, finished.signal);
  dialog.showModal();
  const outcomes = await Promise.all(columns.map((column) => writeOne(page, ask, at, controller.signal, column)));
  await page.keepNow();
  const problem = outcomes.find((outcome) => outcome instanceof Problem);
  showState(state, "waysReady", false);
  for (const column of columns) column.button.disabled = !column.version;
  if (problem && dialog.open) dialog.close();
  else columns.find((column) => column.version)?.button.focus();
  await closed;
  finished.abort();
  page.update({ writing: null, problem: problem ? { problem, retry: () => openWays(page) } : null });
  const chosen = columns.find((column) => column.node.id === dialog.returnValue)?.version;
  dialog.returnValue = "";
  if (chosen && !problem) page.go(chosen.id, "chosen");
  byId("notebook").focus();
}

function listenToWays(dialog, controller, signal) {
  byId("ways-stop").addEventListener("click", () => controller.abort(), { signal });
  byId("ways-close").addEventListener("click", () => dialog.close(), { signal });
  dialog.addEventListener("close", () => controller.abort(), { signal });
}

function showState({ language }, key, writing) {
  byId("ways-status").textContent = words(language, key);
  byId("ways-stop").disabled = !writing;
}

function wayOf({ language }, number) {
  const id = `way-${number + 1}`;
  const text = element("p", { dir: "auto" });
  const choose = () => byId("ways-dialog").close(id);
  const title = words(language, "way", { number: number + 1 });
  const button = element("button", { onclick: choose, disabled: true, "aria-describedby": `${id}-title` });
  button.append(words(language, "choose"));
  const node = element("section", { id, "aria-labelledby": `${id}-title` });
  node.append(element("h3", { id: `${id}-title` }, title), text, button);
  return { node, text, button, version: null };
}

async function writeOne(page, ask, at, signal, column) {
  const own = { ...ask, settings: { ...ask.settings, rngSeed: newRngSeed() } };
  const { history } = page.state;
  let showing = null;
  const show = () => {
    showing = null;
    column.text.textContent = column.version.inserted.text.trimStart();
  };
  return written(page, own, signal, (text) => {
    column.version ??= branch(history, at, 0, stretch("", true), "way", { ask: own });
    grow(history, column.version, text);
    page.keep(column.version);
    showing ??= setTimeout(show, SHOWN_EVERY);
  });
}
