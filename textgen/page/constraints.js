// What a text may not have in it. Each rule sets the logits of what may not come next to -∞, and is told what came.

import { lettersOf, namedFirst } from "./encoding.js";
import { Problem } from "./problem.js";

/** The rules that settings ask for, for a text that follows the codes of a seed. Raises a Problem. */
export function rulesOf({ without = null, noRepeat = null }, model, seed) {
  const rules = [];
  if (without !== null) rules.push(alphabetOf(without, model));
  if (noRepeat !== null) rules.push(noRepeatOf(noRepeat, seed));
  return rules;
}

/** Never the characters of a text. */
function alphabetOf(without, model) {
  const leftOut = lettersOf(without, model);
  const refused = (message) => new Problem("refused", { message });
  if (!leftOut.length) throw refused("`without` must have at least one character");
  const strange = leftOut.filter((symbol) => !model.vocabulary.includes(symbol));
  const why = "`without` has characters that are not in the model's vocabulary";
  if (strange.length) throw refused(`${why}: ${namedFirst(strange)}`);
  const codes = leftOut.map((symbol) => model.vocabulary.indexOf(symbol));
  const rest = model.vocabulary.filter((symbol) => symbol !== model.replacement && !leftOut.includes(symbol));
  if (!rest.length) throw refused("`without` leaves no character to write");
  return {
    forbid: (logits) => codes.forEach((code) => (logits[code] = -Infinity)),
    take: () => undefined,
  };
}

const BASE = 0x1e3779b1; // of the hash

/** No `n` codes in a row twice, those of the seed included. */
function noRepeatOf(n, seed) {
  const codes = []; // all that were read or written
  const places = new Map(); // the hash of n - 1 codes → where each of their followers stands
  let weight = 1; // what the code before the last n - 1 counts in the next hash
  for (let count = 1; count < n; count += 1) weight = Math.imul(weight, BASE);
  let hash = 0;

  /** Where the same n - 1 codes as the last ones have stood before: the places after them. */
  function followers() {
    const end = codes.length;
    const isSame = (place) => {
      for (let back = 1; back < n; back += 1) if (codes[place - back] !== codes[end - back]) return false;
      return true;
    };
    return (places.get(hash) ?? []).filter(isSame);
  }

  function take(code) {
    const place = codes.length;
    const isWhole = place >= n - 1;
    if (isWhole && !followers().some((other) => codes[other] === code)) {
      if (!places.has(hash)) places.set(hash, []);
      places.get(hash).push(place);
    }
    codes.push(code);
    const gone = isWhole ? Math.imul(codes[place - n + 1] + 1, weight) : 0;
    hash = (Math.imul(hash, BASE) + code + 1 - gone) | 0;
  }

  seed.forEach(take);
  const forbid = (logits) => {
    if (codes.length >= n - 1) followers().forEach((place) => (logits[codes[place]] = -Infinity));
  };
  return { forbid, take };
}
