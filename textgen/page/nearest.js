// Other forms of characters that a model does not know: of another composition, width, case, typography, or without
// accents. The rules are those of `textgen/generation/nearest.py`.

const VARIANTS = ["'’‘‛`´′", '"”“„‟″«»', "-–—‐‑‒―−", " \u00a0\u2002\u2003\u2009\u202f\u3000", "~〜～", ",、，", ".。．"];
const FORMS = ["NFC", "NFD", "NFKC", "NFKD"];
const LONGEST_SHAPE = 18; // characters that the longest of Unicode's symbols (U+FDFA) decomposes into
const LAST_MARK = "\u0345"; // in the order that Unicode gives several marks of one letter
const MOST_SEQUENCES = 3; // that one symbol stands for: the full stops of an ellipsis

/** What all compositions and widths of a text have in common. */
const shapeOf = (text) => text.normalize("NFKD");

/** Whether a character never combines with what stands before it, in any form of Unicode. */
export function beginsAnew(symbol) {
  if (symbol < "\x80") return true;
  const first = shapeOf(symbol).codePointAt(0);
  const joins =
    (first >= 0x1160 && first <= 0x11ff) || (first >= 0xd7b0 && first <= 0xd7ff) ||
    (first >= 0x16d40 && first <= 0x16d7f);
  return !joins && !/^\p{M}/u.test(String.fromCodePoint(first));
}

/** The characters of a text in lists, each of one with the marks that combine with it. */
export function sequencesOf(symbols) {
  const sequences = [];
  for (const symbol of symbols) {
    if (!sequences.length || beginsAnew(symbol)) sequences.push([symbol]);
    else sequences.at(-1).push(symbol);
  }
  return sequences;
}

/** The text with another form of each sequence that the vocabulary lacks, as far as it has one. */
export function nearestIn(text, vocabulary) {
  const known = new Set(vocabulary);
  const symbols = Array.from(text);
  if (symbols.every((symbol) => known.has(symbol))) return text;
  const search = { known, shapes: shapesOf(vocabulary) };
  const sequences = sequencesOf(symbols).map((sequence) => sequence.join(""));
  const forms = [];
  for (let place = 0; place < sequences.length; ) {
    const [count, form] = formAt(sequences, place, search);
    forms.push(form);
    place += count;
  }
  return forms.join("");
}

/** How many sequences from a place on have a form together, and which. */
function formAt(sequences, place, search) {
  const { known, shapes } = search;
  if (isKnown(sequences[place], known)) return [1, sequences[place]];
  for (let count = MOST_SEQUENCES; count > 1; count -= 1) {
    const shape = shapeOf(sequences.slice(place, place + count).join(""));
    if (shapes.has(shape)) return [count, shapes.get(shape)];
  }
  return [1, formOf(sequences[place], search)];
}

/** The symbol of each shape; of several the plain one, as `A` before the full-width `Ａ`. */
function shapesOf(vocabulary) {
  const isOdd = (symbol) => Number(symbol !== symbol.normalize("NFKC"));
  const order = (one, two) => isOdd(one) - isOdd(two) || one.codePointAt(0) - two.codePointAt(0);
  return new Map([...vocabulary].sort(order).reverse().map((symbol) => [shapeOf(symbol), symbol]));
}

const isKnown = (text, known) => Array.from(text).every((symbol) => known.has(symbol));

/** Another form of one sequence, or of those of its symbols that have one. */
function formOf(sequence, search) {
  for (const form of formsOf(sequence, search)) return form;
  const symbols = Array.from(sequence);
  if (symbols.length === 1) return sequence;
  return symbols.map((symbol) => (search.known.has(symbol) ? symbol : formOf(symbol, search))).join("");
}

/** All known forms, the nearest first. */
function* formsOf(sequence, { known, shapes }) {
  for (const variants of VARIANTS) {
    const kin = Array.from(variants);
    if (kin.includes(sequence)) yield* kin.filter((other) => known.has(other));
  }
  yield* FORMS.map((name) => sequence.normalize(name)).filter((form) => isKnown(form, known));
  const bare = Array.from(shapeOf(sequence)).filter((part) => !isOrdered(part)).join("");
  for (const other of [sequence, withCaseSwapped(sequence), bare, withCaseSwapped(bare)]) {
    const spelled = spelledIn(shapeOf(other), shapes);
    if (spelled) yield spelled;
  }
}

/** Whether a character has a place of its own among the marks of a letter: before the last one of Unicode's order. */
const isOrdered = (part) => part === LAST_MARK || shapeOf(LAST_MARK + part) !== LAST_MARK + part;

const withCaseSwapped = (text) =>
  Array.from(text, (symbol) =>
    /\p{Uppercase}/u.test(symbol) ? symbol.toLowerCase() : /\p{Lowercase}/u.test(symbol) ? symbol.toUpperCase() : symbol,
  ).join("");

/** A shape in symbols of the vocabulary, each as long as can be; null where it lacks one. */
function spelledIn(shape, shapes) {
  const letters = Array.from(shape);
  const symbols = [];
  for (let place = 0; place < letters.length; ) {
    let end = Math.min(letters.length, place + LONGEST_SHAPE);
    while (end > place && !shapes.has(letters.slice(place, end).join(""))) end -= 1;
    if (end === place) return null;
    symbols.push(shapes.get(letters.slice(place, end).join("")));
    place = end;
  }
  return symbols.join("");
}
