/** Values as tints, and characters as they may be shown: what every page of textgen needs that shows a text. */

export const LEVELS = 12; // depths of a tint on either side of zero; tint.css has a colour for each

/** The level of a value: LEVELS is the deepest warm tint, of the value `top`; -LEVELS the deepest cool one; 0 none. */
export function levelOf(value, top) {
  return Math.max(-LEVELS, Math.min(LEVELS, Math.round((value / top) * LEVELS))) || 0; // NaN has no tint
}

/** The class of a level in tint.css: t1 to t12 are warm, c1 to c12 cool. */
export function tintOf(level) {
  return level > 0 ? `t${level}` : level < 0 ? `c${-level}` : "";
}

// Controls, signs that turn the direction of what follows, and signs that only a reader of codes would notice. Tab and
// the joiners, which belong to the spelling of some languages, are text.
const HIDDEN = /[\0-\x08\x0a-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

function pictureOf(symbol) {
  const code = symbol.charCodeAt(0);
  if (symbol === "\n") return "↵";
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? "\u2421" : "\u2426";
}

/** The text with a visible sign in the place of each character that is not to be shown as it is. */
export function visible(text) {
  return text.replace(HIDDEN, pictureOf);
}

const NAMES = {
  " ": ["␣", "space"],
  "\n": ["↵", "new line"],
  "\t": ["⇥", "tab"],
  "\r": ["␍", "carriage return"],
  "\xa0": ["␣", "no-break space"],
  "\u3000": ["□", "ideographic space"],
};

/** How a single character is shown and what it is called: ["e", "U+0065"], ["␣", "space"]. */
export function nameOf(symbol) {
  const code = `U+${symbol.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
  if (symbol in NAMES) return NAMES[symbol];
  const alone = /^\p{M}$/u.test(symbol) ? `\u25cc${symbol}` : visible(symbol); // a mark needs something to stand on
  return [alone, code];
}

/** A number with the digits that a reader of the page can use. */
export function shown(value, digits = 2) {
  const plain = value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return plain.replace("-", "−");
}
