// Texts as a model reads them: normalised as its own text was, then codes.

import { beginsAnew, nearestIn, sequencesOf } from "./nearest.js";
import { Problem } from "./problem.js";

const MOST_NAMED = 5; // unknown characters in a message
const FORMS_BY_NAME = { nfc: "NFC", nfkc: "NFKC" };

/** A text with one kind of line end, in the model's form of Unicode, and in small letters if it knows only these. */
export function normalised(text, { unicode, lowercase }) {
  const composed = composedIn(text, unicode);
  return lowercase ? composed.toLowerCase() : composed;
}

function composedIn(text, unicode) {
  const lines = text.replace(/\r\n?/g, "\n");
  return unicode in FORMS_BY_NAME ? lines.normalize(FORMS_BY_NAME[unicode]) : lines;
}

/** The characters of a setting, each once, as the model's text has them. */
export function lettersOf(text, { unicode, lowercase }) {
  const symbols = Array.from(composedIn(text, unicode));
  // A letter becomes small by itself: a capital sigma here ends no word.
  return [...new Set(lowercase ? symbols.flatMap((symbol) => Array.from(symbol.toLowerCase())) : symbols)];
}

/**
 * The codes of a text that the model goes on with. `unknown` says what becomes of a character that it does not know:
 * "skip" drops it, "nearest" takes another form of it, and "error", like all that is left, raises a Problem.
 */
export function codesOf(text, model, unknown) {
  const { vocabulary, replacement } = model;
  const codes = new Map(vocabulary.map((symbol, code) => [symbol, code]));
  let read = normalised(text, model);
  if (unknown === "nearest") read = nearestIn(read, vocabulary);
  let symbols = Array.from(read);
  if (unknown === "skip") symbols = symbols.filter((symbol) => codes.has(symbol));
  if (replacement !== null) symbols = symbols.map((symbol) => (codes.has(symbol) ? symbol : replacement));
  const strange = [...new Set(symbols.filter((symbol) => !codes.has(symbol)))];
  if (strange.length) {
    const message = `the seed phrase has characters that are not in the model's vocabulary: ${namedFirst(strange)}`;
    throw new Problem("unknown", { message });
  }
  return symbols.map((symbol) => codes.get(symbol));
}

/** What each character of a text is read as: a string, empty where it is composed with one before it. */
export function partsOf(text, model) {
  const { vocabulary, replacement } = model;
  const known = new Set(vocabulary);
  const replaced = (part) =>
    replacement === null ? part : part.map((symbol) => (known.has(symbol) ? symbol : replacement));
  const symbols = Array.from(text);
  const whole = replaced(Array.from(normalised(text, model)));
  if (whole.length === symbols.length && symbols.every(beginsAnew)) return whole;
  return sequencesOf(symbols).flatMap((sequence) => {
    const part = replaced(Array.from(normalised(sequence.join(""), model)));
    return part.length === sequence.length ? part : [part.join(""), ...sequence.slice(1).fill("")];
  });
}

/** The first of several characters as the API names them, without their names, which browsers do not know. */
export function namedFirst(symbols) {
  const pointOf = (symbol) => symbol.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
  const shown = symbols.slice(0, MOST_NAMED).map((symbol) => `'${symbol}' (U+${pointOf(symbol)})`);
  const more = symbols.length - MOST_NAMED;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
