// All versions of a notebook. Each is a change of its parent, so nothing that was ever written is lost: undo goes to
// the parent, redo to the child that was seen last, and what is written after an undo becomes another child.

import { EMPTY, part, replaced, stretch } from "./notebook.js";

const PAUSE = 1500; // milliseconds without typing after which a new version begins
const BURST = 60; // characters after which one begins anyway
const SLIP = 2; // characters that are corrected without a version of their own

/** The history made of stored versions, at the version `head`, or at the newest if that one is not stored. */
export function historyOf(versions = [], head = null) {
  const history = { versions: new Map(), children: new Map(), seen: new Map(), head: null, notebook: EMPTY };
  for (const version of [...versions].sort((a, b) => a.time - b.time)) enter(history, version);
  const whole = [...history.versions.values()].filter((version) => isRooted(history, version));
  const newest = whole.at(-1)?.id ?? null;
  goTo(history, whole.some((version) => version.id === head) ? head : newest);
  return history;
}

function enter(history, version) {
  history.versions.set(version.id, version);
  history.children.set(version.parent, [...(history.children.get(version.parent) ?? []), version.id]);
}

function isRooted(history, version) {
  const passed = new Set();
  for (let at = version; at; at = history.versions.get(at.parent)) {
    if (at.parent === null) return true;
    if (passed.has(at.id)) return false;
    passed.add(at.id);
  }
  return false;
}

/** Enter a child of the current version, where `count` characters at `at` give way to `piece`, and stay here. */
export function branch(history, at, count, piece, how, more = {}) {
  const removed = part(history.notebook, at, at + count);
  const time = Date.now();
  const version = { id: newName(time), parent: history.head, at, removed, inserted: piece, how, time, ...more };
  enter(history, version);
  return version;
}

/** The same, and go to it. */
export function change(history, ...details) {
  const version = branch(history, ...details);
  goTo(history, version.id);
  return version;
}

const newName = (time) => `${time.toString(36)}-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;

/** Take over what the person typed: as a part of the current version while they type on, else as a new one. */
export function type(history, { at, removed, inserted }) {
  const version = history.versions.get(history.head);
  const end = version && version.at + version.inserted.text.length;
  const typesOn =
    history.typing !== undefined && // a stored version may be another tab's too
    history.typing === version?.id &&
    !history.children.get(version.id) &&
    Date.now() - (version.touched ?? version.time) < PAUSE &&
    version.inserted.text.length < BURST &&
    !version.inserted.text.endsWith("\n") &&
    at >= version.at &&
    at + removed === end &&
    removed <= SLIP &&
    inserted.length <= BURST;
  if (!typesOn) {
    const begun = change(history, at, removed, stretch(inserted), "typed");
    history.typing = begun.id;
    return begun;
  }
  version.inserted = replaced(version.inserted, at - version.at, removed, stretch(inserted));
  version.touched = Date.now();
  history.notebook = replaced(history.notebook, at, removed, stretch(inserted));
  return version;
}

/** Let a version that the model writes grow by a piece of text. */
export function grow(history, version, text) {
  const piece = stretch(text, true);
  const end = version.inserted.text.length;
  version.inserted = replaced(version.inserted, end, 0, piece);
  if (history.head === version.id) history.notebook = replaced(history.notebook, version.at + end, 0, piece);
}

/** Go to a version, by undoing up to what it has in common with the current one. Returns where the caret belongs. */
export function goTo(history, id) {
  const here = way(history, history.head);
  const there = way(history, id);
  let common = 0;
  while (common < here.length && here[common] === there[common]) common += 1;
  let caret = 0;
  for (const version of here.slice(common).reverse()) {
    history.notebook = replaced(history.notebook, version.at, version.inserted.text.length, version.removed);
    caret = version.at + version.removed.text.length;
  }
  for (const version of there.slice(common)) {
    history.notebook = replaced(history.notebook, version.at, version.removed.text.length, version.inserted);
    caret = version.at + version.inserted.text.length;
  }
  for (const version of there) history.seen.set(version.parent, version.id);
  history.head = id;
  return caret;
}

/** The versions from the first to this one. */
function way(history, id) {
  const found = [];
  for (let at = history.versions.get(id); at; at = history.versions.get(at.parent)) found.push(at);
  return found.reverse();
}

/** The current version, or undefined before the first. */
export const current = (history) => history.versions.get(history.head);

/** What redo would go to, or null. Passages that were not chosen are none. */
export function following(history) {
  const children = (history.children.get(history.head) ?? []).filter((id) => history.versions.get(id).how !== "way");
  return history.seen.get(history.head) ?? children.at(-1) ?? null;
}

/** The latest version of what the model wrote, on the way to the current one. */
export const lastWritten = (history) => way(history, history.head).findLast((version) => version.ask);

/** The versions worth going back to, the newest first: all but those after which the person typed on. */
export function milestones(history) {
  const typedOn = (id) => history.versions.get(id).how === "typed";
  const children = ({ id }) => history.children.get(id) ?? [];
  return [...history.versions.values()]
    .filter((version) => version.how !== "typed" || !children(version).length || !children(version).every(typedOn))
    .reverse();
}
