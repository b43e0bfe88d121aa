// The page: its state in one object, what the person does with it, and where it is kept.

import { editorOf } from "./editor.js";
import { byId } from "./elements.js";
import { change, current, following, goTo, historyOf, type } from "./history.js";
import { difference, EMPTY, replaced, stretch } from "./notebook.js";
import { Problem, problemOf } from "./problem.js";
import { render } from "./render.js";
import { drawScale, see } from "./see.js";
import { askOf, firstSettings, parsed, restored, SETTINGS } from "./settings.js";
import { keepUnder, openStore, remember, remembered } from "./storage.js";
import { copyLink, copyText, download } from "./taking.js";
import { LANGUAGES, languageOf, translate } from "./texts.js";
import { openVersions } from "./versions.js";
import { openWays } from "./ways.js";
import { goOn, stop, write } from "./writing.js";

const KEEP_EVERY = 100; // milliseconds between two storings of what is being written

/**
 * Start the page in a home: `home.models()` lists its models, `home.writerOf(id)` makes the writer of one.
 *
 * A home may have a `name`, under which the browser keeps what is written in it, a `language`, and a `seed`: what a
 * new notebook begins with.
 */
export async function start(home) {
  if (home.name) keepUnder(home.name);
  const page = { home, update, go, keep: (version) => keep(page, version), keepNow: () => keepNow(page) };
  page.loadModels = () => loadModels(page);
  const language = [remembered("language"), home.language].find((name) => name in LANGUAGES);
  page.state = {
    language: language ?? languageOf(navigator.languages),
    tab: "write",
    models: null, // not known yet
    model: remembered("model"),
    settings: restored(remembered("settings")),
    history: historyOf(),
    live: null, // the notebook while an input method converts
    writing: null, // {controller, characters}
    problem: null, // {problem, retry}
    notice: null, // [key, values]
    lasts: true,
    link: null,
  };
  page.editor = editorOf(byId("notebook"), byId("backdrop"), typed);
  listenToPage(page);
  drawScale();
  translate(document, page.state.language);
  render(page);
  byId("unstarted").remove(); // not before: where a part of the page is missing, it stays
  page.store = await openStore();
  const versions = await page.store.versions().catch(() => []);
  const history = historyOf(versions, remembered("head"));
  if (home.seed && !versions.length) page.keep(change(history, 0, 0, stretch(home.seed), "given"));
  page.update({ history, lasts: page.store.lasts });
  await loadModels(page);
  return page;

  /** Take over changes of the state, and show it. `caret` is where the caret belongs, if it moves. */
  function update(changes = {}, caret = null) {
    Object.assign(page.state, changes);
    remember("head", page.state.history.head);
    if (changes.tab) remember("tab", changes.tab);
    render(page, caret);
    see(page);
  }

  function typed(text, caret, composing) {
    const { history, writing } = page.state;
    const found = difference(history.notebook.text, text, caret);
    if (writing) return update(); // puts back what an input method did while the model writes
    if (composing) {
      const live = found && replaced(history.notebook, found.at, found.removed, stretch(found.inserted));
      return update({ live });
    }
    if (found) page.keep(type(history, found));
    update({ live: null, notice: null, link: null });
  }

  /** Go to a version. */
  function go(id, notice = null) {
    const caret = goTo(page.state.history, id);
    page.follow = true;
    update({ notice: notice && [notice], link: null }, caret);
  }
}

/** Store a version, soon: one that is being written changes many times a second. */
function keep(page, version) {
  page.unkept ??= new Set();
  page.unkept.add(version);
  page.keeping ??= setTimeout(() => keepNow(page), version.ask ? KEEP_EVERY : 0);
}

/** Store what is not yet, and resolve when it is. */
async function keepNow(page) {
  clearTimeout(page.keeping);
  page.keeping = null;
  const versions = [...(page.unkept ?? [])];
  page.unkept?.clear();
  await Promise.all(versions.map((version) => page.store.keep(version))).catch(() => page.update({ lasts: false }));
}

async function loadModels(page) {
  try {
    const models = await page.home.models();
    const known = models.some(({ id }) => id === page.state.model);
    page.update({ models, model: known ? page.state.model : (models[0]?.id ?? null), problem: null });
    openLink(page);
  } catch (error) {
    const problem = problemOf(error);
    page.update({ problem: { problem, retry: problem.kind === "damaged" ? null : () => loadModels(page) } });
  }
}

/** If the page was opened by a link, write its text; what was in the notebook stays a version. */
function openLink(page) {
  const ask = askOf(location.hash);
  if (!ask || page.state.writing) return;
  window.history.replaceState(null, "", location.pathname + location.search);
  const { history, models } = page.state;
  const beginning = stretch(ask.prompt);
  page.keep(change(history, 0, history.notebook.text.length, beginning, "opened"));
  const kept = { ...ask.settings, rngSeed: page.state.settings.rngSeed }; // its random seed is that of this text only
  remember("settings", kept);
  page.update({ settings: kept, notice: ["opened"] }, beginning.text.length);
  if (!models?.some(({ id }) => id === ask.model)) {
    return page.update({ problem: { problem: new Problem("missing") } });
  }
  page.update({ model: ask.model });
  write(page, ask, { at: beginning.text.length });
}

function listenToPage(page) {
  const click = (id, action) => byId(id).addEventListener("click", action);
  click("go-on", () => goOn(page));
  click("stop", () => stop(page));
  click("again", () => goOn(page, current(page.state.history)));
  click("ways", () => openWays(page));
  click("undo", () => undo(page));
  click("redo", () => redo(page));
  click("versions", () => openVersions(page));
  click("copy", () => copyText(page));
  click("download", () => download(page));
  click("link", () => copyLink(page));
  for (const { id } of byId("tabs").children) click(id, () => page.update({ tab: id.replace("tab-", "") }));
  byId("tabs").addEventListener("keydown", (event) => switchTab(page, event));
  byId("language").addEventListener("change", ({ target }) => {
    remember("language", target.value);
    translate(document, target.value);
    page.update({ language: target.value });
  });
  byId("model")?.addEventListener("change", ({ target }) => {
    remember("model", target.value);
    page.update({ model: target.value });
  });
  byId("settings").addEventListener("submit", (event) => event.preventDefault());
  byId("settings").addEventListener("input", ({ target }) => set(page, target));
  byId("notebook").addEventListener("beforeinput", (event) => {
    if (event.inputType === "historyUndo" || event.inputType === "historyRedo") {
      event.preventDefault(); // the browser's own history does not know what the model wrote
      (event.inputType === "historyUndo" ? undo : redo)(page);
    }
  });
  document.addEventListener("keydown", (event) => shortcut(page, event));
  const rest = () => (page.follow = false); // whoever scrolls while the model writes wants to read elsewhere
  for (const kind of ["wheel", "touchmove"]) document.addEventListener(kind, rest, { passive: true });
  window.addEventListener("pagehide", () => keepNow(page));
  window.addEventListener("hashchange", () => openLink(page));
}

function shortcut(page, event) {
  if (event.isComposing || event.keyCode === 229 || document.querySelector("dialog[open]")) return;
  const inNotebook = event.target === byId("notebook");
  const command = (event.ctrlKey || event.metaKey) && !event.altKey;
  const key = event.key.toLowerCase();
  const action =
    command && key === "enter" && page.state.tab === "write" ? () => goOn(page)
    : key === "escape" && page.state.writing ? () => stop(page)
    : command && inNotebook && key === "z" ? () => (event.shiftKey ? redo : undo)(page)
    : command && inNotebook && key === "y" ? () => redo(page)
    : null;
  if (!action) return;
  event.preventDefault();
  action();
}

function undo(page) {
  const version = current(page.state.history);
  if (version && !page.state.writing) page.go(version.parent, "undone");
}

function redo(page) {
  const next = following(page.state.history);
  if (next && !page.state.writing) page.go(next, "redone");
}

function switchTab(page, event) {
  const tabs = [...byId("tabs").querySelectorAll("[role=tab]")].filter((tab) => !tab.hidden);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
  next.focus();
  next.click();
}

function set(page, { name, type: kind, checked, value, validity }) {
  const read = kind === "checkbox" ? checked : validity.badInput ? undefined : parsed(name, value);
  const settings = { ...page.state.settings, [name]: read };
  if (read !== undefined) remember("settings", { ...firstSettings(), ...settings });
  page.update({ settings });
}
