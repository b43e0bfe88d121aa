// The notebook on the page: a text field, and behind it, letter for letter in the same place, a backdrop that shows
// which stretches the model wrote. A text field, because browsers, input methods and screen readers handle it best.

import { difference, part } from "./notebook.js";
import { element } from "./elements.js";

const CHUNK = 1500; // characters after which the backdrop begins a new block, at a line's end: an edit lays out one
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * Make a text field and its backdrop show a notebook.
 *
 * `onEdit(text, caret, composing)` receives the text after each change by the person; while `composing`, an input
 * method is still converting it.
 */
export function editorOf(field, backdrop, onEdit) {
  let chunks = []; // {text, runs, node}: what the backdrop shows
  let composing = false;

  const edited = () => onEdit(field.value, field.selectionEnd, composing);
  field.addEventListener("compositionstart", () => (composing = true));
  field.addEventListener("compositionend", () => {
    composing = false;
    edited();
  });
  field.addEventListener("input", edited);

  /** Show a notebook, with the caret at `caret` if that is given; while the model is `writing`, on the backdrop alone. */
  function show(notebook, caret, writing) {
    // All of a text field is laid out anew when a script changes it, and of the backdrop only a block.
    const change = composing || writing ? null : difference(field.value, notebook.text);
    if (change) field.setRangeText(change.inserted, change.at, change.at + change.removed, "end");
    if (caret !== null && !composing && !writing) field.setSelectionRange(caret, caret);
    chunks = redrawn(backdrop, chunks, notebook);
    field.parentElement.classList.toggle("bidirectional", RIGHT_TO_LEFT.test(notebook.text));
    field.parentElement.classList.toggle("writing", writing);
  }

  return {
    show,
    isComposing: () => composing,
    caret: () => field.selectionEnd,
    /** Where a place of the text is on the screen. */
    placeOf: (at) => rectangle(chunks, at),
  };
}

/** Show a notebook in blocks, of which those stay whose text and runs have not changed. */
function redrawn(backdrop, chunks, { text, runs }) {
  const pieces = pieced(
    chunks.map((chunk) => chunk.text),
    text,
  );
  const shift = chunks.length - pieces.length; // between the places of a block before and after, behind what changed
  let at = 0;
  let run = 0;
  const stays = new Set();
  const wanted = pieces.map((piece, number) => {
    const end = at + piece.length;
    while (run < runs.length && runs[run][1] <= at) run += 1;
    let past = run;
    while (past < runs.length && runs[past][0] < end) past += 1;
    const own = part({ text: "", runs: runs.slice(run, past) }, at, end).runs;
    at = end;
    const same = (chunk) => chunk?.text === piece && !stays.has(chunk) && sameRuns(chunk.runs, own);
    const old = [chunks[number], chunks[number + shift]].find(same);
    if (old) stays.add(old);
    const node = !old && shift === 0 ? edited(chunks[number], piece, own) : null;
    return old ?? { text: piece, runs: own, node: node ?? blockOf(piece, own) };
  });
  const nodes = new Set(wanted.map((chunk) => chunk.node));
  for (const { node } of chunks) if (!nodes.has(node)) node.remove();
  putInOrder(backdrop, wanted);
  return wanted;
}

/** The text in pieces of whole lines, which are the old pieces wherever those did not change. */
function pieced(old, text) {
  const before = old.join("");
  const change = difference(before, text);
  if (!change) return old;
  let first = 0;
  let start = 0;
  while (first < old.length && start + old[first].length <= change.at && old[first].endsWith("\n")) {
    start += old[first].length;
    first += 1;
  }
  let last = old.length;
  let tail = 0; // characters of the old pieces that stay at the end
  while (last > first && tail + old[last - 1].length <= before.length - change.at - change.removed) {
    last -= 1;
    tail += old[last].length;
  }
  while (last < old.length && text.length - tail > start && text[text.length - tail - 1] !== "\n") {
    tail -= old[last].length;
    last += 1;
  }
  return [...old.slice(0, first), ...inPieces(text.slice(start, text.length - tail)), ...old.slice(last)];
}

const sameRuns = (one, two) =>
  one.length === two.length && one.every(([start, end], number) => start === two[number][0] && end === two[number][1]);

/** Insert the blocks that are new, and touch no others. */
function putInOrder(backdrop, chunks) {
  let next = null;
  for (const { node } of [...chunks].reverse()) {
    if (node.parentNode !== backdrop || node.nextSibling !== next) backdrop.insertBefore(node, next);
    next = node;
  }
}

/** The text in pieces of whole lines, of about CHUNK characters where its lines allow that. */
function inPieces(text) {
  const pieces = [];
  for (let start = 0; start < text.length; ) {
    const line = text.indexOf("\n", start + CHUNK);
    const end = line < 0 ? text.length : line + 1;
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

/** A block with a text node for each stretch, those of the model in a span. */
function blockOf(text, runs) {
  const bounds = [0, ...runs.flat(), text.length];
  const nodes = bounds.slice(1).map((end, number) => {
    const node = document.createTextNode(text.slice(bounds[number], end));
    return number % 2 ? element("span", { class: "model" }, node) : node;
  });
  return element("div", {}, ...nodes);
}

/**
 * Change the texts within a block, where it goes on to hold the same sequence of stretches, and return it; else null.
 * The browser then lays out what is new, and not a long paragraph as a whole.
 */
function edited({ runs: old, node }, text, runs) {
  if (old.length !== runs.length) return null;
  const bounds = [0, ...runs.flat(), text.length];
  const texts = [...node.childNodes].map((child) => child.firstChild ?? child);
  if (texts.length !== bounds.length - 1) return null;
  texts.forEach((child, number) => {
    const change = difference(child.data, text.slice(bounds[number], bounds[number + 1]));
    if (change) child.replaceData(change.at, change.removed, change.inserted);
  });
  return node;
}

function rectangle(chunks, at) {
  let start = 0;
  for (const { text, node } of chunks) {
    if (at <= start + text.length) return rectangleIn(node, at - start);
    start += text.length;
  }
  return null;
}

function rectangleIn(block, at) {
  const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
  let left = at;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (left <= node.length) {
      const range = document.createRange();
      range.setStart(node, Math.max(0, left - 1));
      range.setEnd(node, left);
      return range.getBoundingClientRect();
    }
    left -= node.length;
  }
  return block.getBoundingClientRect();
}
