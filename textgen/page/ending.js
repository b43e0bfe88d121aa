// Finds where a text ends with a sentence. What follows decides: `3.14` has no end at the point, nor has a sentence
// before its closing quote. So an end is seen at the character after it; neither that one nor white space before it
// belongs to the text. The rules are those of `textgen/generation/endings.py`, which says why.

export const MOST_MORE = 500; // characters by which a text may be longer to reach its end
const BEHIND = 64; // last characters of the text that are looked at

const CLEAR =
  "\u0589\u061d-\u061f\u06d4\u0700-\u0702\u07f9\u0964\u0965\ua8ce\ua8cf\uabeb\u104a\u104b\u17d4\u17d5" +
  "\u1362\u1367\u1368\ua4ff\ua60e\ua60f\ua6f3\ua6f7\u166e\u1803\u1809" +
  "。！？｡︒︕︖﹖﹗‼‽⁇⁈⁉";
const UNCLEAR = ".!?…‥．﹒";
const CLOSING = "\"'”’»›)\\]}）］｝〕】》〉」』〗〙｣";
const AS_CLOSING = "“‘«‹";
const WHITE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const WORD = "\\p{L}\\p{N}_";

const BELONGING = new RegExp(`^[${CLEAR}${UNCLEAR}${CLOSING}]`, "u");
const ENDED_CLEARLY = new RegExp(`(?:[${CLEAR}][${CLEAR}${UNCLEAR}]*[${CLOSING}]*|[」』])(?=\\n?$)`, "u");
const ENDED = new RegExp(
  `(?:[${UNCLEAR}]|(?<=[\u0370-\u03ff\u1f00-\u1fff]);)[${CLOSING}${AS_CLOSING}]*[${WHITE}]+$`,
  "u",
);
const ABBREVIATED = new RegExp(`(?:^|[^${WORD}])(?!\\p{Nd})[\\p{L}\\p{N}][${WORD}]{0,2}\\.[${WHITE}]+$`, "u");
const BLANK = new RegExp(`^[${WHITE}]+$`, "u");
const LAST_BLANK = new RegExp(`[${WHITE}]*$`, "u");

function endsSentence(text, after) {
  if (BELONGING.test(after) && !BLANK.test(text.at(-1))) return false;
  const clearly = ENDED_CLEARLY.exec(text)?.[0];
  if (clearly && (!"」』".includes(clearly) || after === "\n")) return true; // a speech is a line without a full stop
  const mayBegin = !BLANK.test(after) && !/^\p{Lowercase}/u.test(after);
  return mayBegin && ENDED.test(text) && !isAbbreviated(text);
}

/** Whether a full stop more likely belongs to a title or an initial than ends a sentence. */
function isAbbreviated(text) {
  const found = ABBREVIATED.exec(text)?.[0];
  return found !== undefined && /^[ \n"'(“‘«]*\p{Uppercase}/u.test(found);
}

/**
 * Passes a text on, character by character, up to the first end of a sentence after `length` characters; null for
 * `length` looks for none. `take(symbol)` is what is now certain to belong to the text; `rest()` what was held back,
 * for a text that ends otherwise; `holds()` whether something is; `found()` whether the end was found.
 */
export function endingOf(length) {
  let left = length;
  let text = "";
  let held = "";
  let found = false;

  function look(symbol) {
    if (text && !BLANK.test(text) && endsSentence(text, symbol)) {
      found = true;
      held = "";
    }
    text = (text + symbol).slice(-BEHIND);
  }

  /** Begin to look after the text so far, which may be at its end already, or in white space after it. */
  function begin() {
    const white = LAST_BLANK.exec(text)[0];
    text = text.slice(0, text.length - white.length);
    for (const symbol of white) look(symbol);
  }

  function take(symbol) {
    if (left === null) return symbol;
    if (left) {
      text = (text + symbol).slice(-BEHIND);
      left -= 1;
      if (!left) begin();
      return symbol;
    }
    look(symbol);
    if (found) return "";
    held += symbol;
    return BLANK.test(symbol) ? "" : rest();
  }

  function rest() {
    const certain = held;
    held = "";
    return certain;
  }

  return { take, rest, holds: () => held !== "", found: () => found };
}
