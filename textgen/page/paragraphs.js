/** The paragraphs that a text is laid out in, and the places of characters in them. */

const LONGEST = 2000; // characters; a longer line is laid out as several paragraphs, which keeps the cursor quick

/** Where a line is cut: after a sentence or a space near the end of what is allowed, if there is one. */
function cut(symbols, from) {
  const end = Math.min(from + LONGEST, symbols.length);
  if (end === symbols.length) return end;
  for (let place = end; place > end - LONGEST / 4; place--) {
    if (/[\s。．！？]/u.test(symbols[place - 1])) return place;
  }
  return end;
}

/** The paragraphs of a text: where each starts, its symbols, and whether a new line ends it. */
export function paragraphsOf(text) {
  const lines = text.split("\n");
  const paragraphs = [];
  let start = 0;
  lines.forEach((content, number) => {
    const last = number === lines.length - 1;
    if (last && content === "" && number > 0) return; // after the newline that ends the text comes no line
    const symbols = Array.from(content);
    let from = 0;
    do {
      const to = cut(symbols, from);
      const piece = symbols.slice(from, to);
      const ends = to === symbols.length && !last;
      paragraphs.push({ start: start + from, symbols: piece, ends, line: number + 1, column: from });
      from = to;
    } while (from < symbols.length);
    start += symbols.length + 1;
  });
  return paragraphs;
}

/** The number of characters before a caret in its paragraph. */
export function columnOf(element, caret, { symbols }) {
  const before = document.createRange();
  before.setStart(element, 0);
  before.setEnd(caret.offsetNode, caret.offset);
  const text = before.toString();
  return Math.min(Array.from(text).length, symbols.length);
}

/** The range of one character of a paragraph, or of the sign of the new line after it. */
export function rangeOf({ element, symbols }, column) {
  const range = document.createRange();
  let offset = symbols.slice(0, column).join("").length;
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    if (offset < node.length) {
      range.setStart(node, offset);
      range.setEnd(node, column < symbols.length ? offset + symbols[column].length : node.length);
      break;
    }
    offset -= node.length;
  }
  return range;
}
