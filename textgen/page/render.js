// Shows the state on the page.

import { byId, element } from "./elements.js";
import { current, following } from "./history.js";
import { characters } from "./notebook.js";
import { SETTINGS } from "./settings.js";
import { words } from "./texts.js";
import { visible } from "./tint.js";

const MARGIN = 24; // pixels between a place of the text and what lies over the text

/** Make the page show its state; `caret` is where the caret belongs, if it moves. */
export function render(page, caret = null) {
  const { state } = page;
  document.documentElement.lang = state.language;
  showTabs(state);
  showModels(state);
  byId("language").value = state.language;
  showSettings(state);
  showButtons(state);
  showProblem(state);
  const notebook = byId("notebook");
  notebook.readOnly = Boolean(state.writing) || !page.store; // what is stored comes first
  notebook.setAttribute("aria-busy", String(Boolean(state.writing)));
  page.editor.show(state.live ?? state.history.notebook, caret, Boolean(state.writing?.inNotebook));
  showStatus(state);
  if (page.follow && caret !== null) bringIntoSight(page.editor.placeOf(caret));
}

function showTabs({ tab }) {
  for (const button of byId("tabs").querySelectorAll("[role=tab]")) {
    const chosen = button.id === `tab-${tab}`;
    button.setAttribute("aria-selected", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
    byId(button.getAttribute("aria-controls")).hidden = !chosen;
  }
}

function showModels(state) {
  if (byId("model")) showList(state, byId("model"));
  const { models, model, language } = state;
  const chosen = (models ?? []).find(({ id }) => id === model);
  byId("notebook").lang = chosen?.language ?? ""; // Chinese and Japanese write some characters differently
  byId("backdrop").lang = chosen?.language ?? "";
  const begin = words(language, "placeholder");
  byId("notebook").placeholder = chosen?.seed ? `${begin}\n${words(language, "example", chosen)}` : begin;
}

/** The list of models, and the address of the chosen one as a file. */
function showList({ models, model, writing, language }, list) {
  const wanted = (models ?? []).map(({ id, title }) => [id, title && title !== id ? `${id} (${title})` : id]);
  const shown = [...list.options].map((option) => [option.value, option.text]);
  if (JSON.stringify(wanted) !== JSON.stringify(shown)) {
    list.replaceChildren(...wanted.map(([value, text]) => element("option", { value }, text)));
  }
  list.value = model ?? "";
  list.disabled = Boolean(writing) || wanted.length === 0;
  byId("model-file").hidden = !list.value;
  byId("model-file").href = `app/models/${encodeURIComponent(model)}/file?language=${language}`;
}

function showSettings({ settings }) {
  for (const [name, { kind, min, max, step }] of Object.entries(SETTINGS)) {
    const field = byId("settings").elements.namedItem(name);
    const value = settings[name];
    field.setAttribute("aria-invalid", String(value === undefined));
    if (kind === "switch") {
      field.checked = value;
    } else {
      if (kind !== "text") Object.assign(field, { min, max, step: step ?? 1 });
      if (value !== undefined && document.activeElement !== field) field.value = value ?? "";
    }
  }
}

function showButtons({ writing, model, history }) {
  const busy = Boolean(writing);
  const disabled = {
    "go-on": busy || !model,
    stop: !busy,
    again: busy || !model || !current(history)?.ask,
    ways: busy || !model,
    undo: busy || history.head === null,
    redo: busy || following(history) === null,
    versions: busy,
  };
  const focused = document.activeElement?.id;
  for (const [id, off] of Object.entries(disabled)) byId(id).disabled = off;
  if (disabled[focused] && focused !== "stop") byId(busy ? "stop" : "notebook").focus();
  if (disabled[focused] && focused === "stop") byId("go-on").focus();
}

function showProblem({ problem: found, language }) {
  const box = byId("problem");
  const key = found ? JSON.stringify([found.problem.kind, found.problem.details, language]) : "";
  if (box.dataset.shown === key) return;
  box.dataset.shown = key;
  if (!found) return box.replaceChildren();
  const { kind, details } = found.problem;
  const name = details.name && words(language, details.name);
  const unknown = kind === "unknown" ? charactersIn(details.message) : "";
  const text = element("p", {}, words(language, kind, { ...details, name, ...(unknown && { message: unknown }) }));
  const retry = found.retry && element("button", { onclick: () => found.retry() }, words(language, "retry"));
  const skip = () => found.retry("skip");
  const instead = element("button", { onclick: skip }, words(language, "skipUnknown"));
  box.replaceChildren(text, ...(kind === "unknown" ? [instead] : retry ? [retry] : []));
}

/** The characters that the server names, as it names them: '猫' (U+732B CJK UNIFIED IDEOGRAPH-732B). */
function charactersIn(message) {
  const found = [...message.matchAll(/'(.)' \(U\+/gsu)].map((match) => visible(match[1])).join(" ");
  return / and [\d,]+ more/.test(message) ? `${found} …` : found;
}

function showStatus({ notice, models, problem, language, history, live, lasts, link }) {
  const count = characters((live ?? history.notebook).text);
  byId("count").textContent = words(language, "ready", { characters: count });
  const waiting = !models && !problem ? ["loading"] : models?.length === 0 ? ["noModel"] : null;
  const text = words(language, ...(notice ?? waiting ?? ["nothing"]));
  const status = byId("status");
  if (status.textContent !== text) status.textContent = text;
  byId("memory").hidden = lasts;
  byId("link-shown").hidden = !link;
  byId("link-address").href = link ?? "#";
}

/** Scroll to where the text changed: with the model as it writes, and to what was undone. */
function bringIntoSight(place) {
  const top = byId("bar").offsetHeight + MARGIN;
  const bottom = window.innerHeight - byId("foot").offsetHeight - MARGIN;
  if (place && place.bottom > bottom) window.scrollBy(0, place.bottom - bottom);
  else if (place && place.top < top) window.scrollBy(0, place.top - top);
}
