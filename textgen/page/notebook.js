// A notebook: its text, and the stretches of it that the model wrote. Every function returns a new notebook.

/** @typedef {{text: string, runs: [number, number][]}} Notebook `runs`: from where to where the model wrote. */

export const EMPTY = Object.freeze({ text: "", runs: Object.freeze([]) });

/** A stretch of text by the model or by the person. A text field knows one kind of line end, so there is one. */
export function stretch(text, byModel = false) {
  const lines = text.replace(/\r\n?/g, "\n");
  return { text: lines, runs: byModel && lines ? [[0, lines.length]] : [] };
}

/** The part of a notebook from `start` to `end`. */
export function part({ text, runs }, start, end) {
  const within = runs
    .filter(([from, to]) => to > start && from < end)
    .map(([from, to]) => [Math.max(from, start) - start, Math.min(to, end) - start]);
  return { text: text.slice(start, end), runs: within };
}

/** The notebook with `count` characters at `at` replaced by another piece. */
export function replaced(notebook, at, count, piece) {
  const before = part(notebook, 0, at);
  const after = part(notebook, at + count, notebook.text.length);
  return joined(joined(before, piece), after);
}

function joined(one, two) {
  const shifted = two.runs.map(([from, to]) => [from + one.text.length, to + one.text.length]);
  const runs = [...one.runs, ...shifted];
  const seam = one.runs.length;
  if (seam && shifted.length && runs[seam - 1][1] === runs[seam][0]) {
    runs.splice(seam - 1, 2, [runs[seam - 1][0], runs[seam][1]]);
  }
  return { text: one.text + two.text, runs };
}

/**
 * What was changed between two texts: `{at, removed, inserted}`, or null. It never parts a surrogate pair.
 *
 * `caret` is where the caret is after the change; it tells apart what the texts alone do not, as which of two equal
 * characters is the new one.
 */
export function difference(before, after, caret = 0) {
  if (before === after) return null;
  const most = Math.min(before.length, after.length);
  let end = 0;
  const fromEnd = (text) => text.charCodeAt(text.length - 1 - end);
  while (end < Math.min(most, after.length - caret) && fromEnd(before) === fromEnd(after)) end += 1;
  if (end && isLow(before.charCodeAt(before.length - end))) end -= 1;
  let start = 0;
  while (start < most - end && before.charCodeAt(start) === after.charCodeAt(start)) start += 1;
  if (start && isHigh(before.charCodeAt(start - 1))) start -= 1;
  return { at: start, removed: before.length - start - end, inserted: after.slice(start, after.length - end) };
}

const isHigh = (unit) => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit) => unit >= 0xdc00 && unit < 0xe000;

/** The number of characters, as people and models count them: a surrogate pair is one. */
export function characters(text) {
  let pairs = 0;
  for (let place = 0; place < text.length; place += 1) {
    if (isHigh(text.charCodeAt(place)) && isLow(text.charCodeAt(place + 1))) pairs += 1;
  }
  return text.length - pairs;
}

/** The last `most` characters before `end`, from a whole character on, with no half of a pair anywhere. */
export function context(text, end, most) {
  let start = Math.max(0, end - most);
  if (start && isLow(text.charCodeAt(start))) start += 1;
  return wellFormed(text.slice(start, end));
}

/** The text with a replacement character for each half of a pair, which no server and no model can read. */
export const wellFormed = (text) => text.replace(/\p{Surrogate}/gu, "\ufffd");
