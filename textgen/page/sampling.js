// From logits to a character, in the order of the API: temperature, top-k, top-p, min-p, each on what the one before
// has left, then one draw. Of equally likely characters, the lowest code comes first.

import { exponential } from "./arithmetic.js";

/**
 * A generator of random numbers from 0 to 1, 1 excluded, that gives the same ones for the same seed in every browser.
 * xoshiro128** (Blackman and Vigna, 2018), its state filled from the seed's 53 bits by the finalizer of MurmurHash3.
 */
export function randomOf(seed) {
  const high = Math.floor(seed / 2 ** 32);
  const part = (number) => mixed(seed ^ mixed(high + Math.imul(number, 0x9e3779b9)));
  const [s0, s1, s2, s3] = [1, 2, 3, 4].map(part);
  const state = Uint32Array.of(s0, s1, s2, s3 || 1); // zeros alone would stay zeros
  const next = () => {
    const result = Math.imul(rotated(Math.imul(state[1], 5), 7), 9);
    const shifted = state[1] << 9;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotated(state[3], 11);
    return result >>> 0;
  };
  return () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
}

const rotated = (bits, count) => (bits << count) | (bits >>> (32 - count));

/** Bits that all depend on all bits of a number's lower 32. */
function mixed(number) {
  let bits = number | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/**
 * The code that is chosen from logits (a Float64Array), or -1 if all are -∞; `random` draws a number. A temperature of
 * 0 is the argmax.
 */
export function chosen(logits, { temperature, topK = null, topP = null, minP = null }, random) {
  const best = likeliestOf(logits);
  if (logits[best] === -Infinity) return -1;
  if (temperature === 0) return best;
  const shares = sharesOf(logits, logits[best], temperature);
  filter(shares, { topK, topP, minP });
  let left = random() * shares.reduce((sum, share) => sum + share, 0);
  let last = best;
  for (let code = 0; code < shares.length; code += 1) {
    if (!shares[code]) continue;
    left -= shares[code];
    if (left < 0) return code;
    last = code; // what rounding leaves falls to the last one
  }
  return last;
}

function likeliestOf(logits) {
  let best = 0;
  for (let code = 1; code < logits.length; code += 1) if (logits[code] > logits[best]) best = code;
  return best;
}

/** Probabilities up to a factor: the likeliest has 1. */
function sharesOf(logits, most, temperature) {
  const shares = new Float64Array(logits.length);
  for (let code = 0; code < shares.length; code += 1) {
    const below = logits[code] - most;
    shares[code] = below === 0 ? 1 : exponential(below / temperature);
  }
  return shares;
}

/** Set to 0 what the filters leave out; null, and 1 for top-p, let everything through. */
export function filter(shares, { topK, topP, minP }) {
  const most = Math.min(topK ?? shares.length, shares.length);
  const inNucleus = topP !== null && topP < 1;
  if (inNucleus || most < shares.length) {
    const ordered = shares.slice().sort().reverse();
    keepLikeliest(shares, ordered, inNucleus ? nucleusOf(ordered.subarray(0, most), topP) : most);
  }
  if (minP === null) return;
  for (let code = 0; code < shares.length; code += 1) if (shares[code] < minP) shares[code] = 0;
}

/** How many of the likeliest have at least the part `p` of the whole together, at least one. */
function nucleusOf(ordered, p) {
  const enough = p * ordered.reduce((sum, share) => sum + share, 0);
  let count = 1;
  for (let sum = ordered[0]; count < ordered.length && sum < enough; count += 1) sum += ordered[count];
  return count;
}

function keepLikeliest(shares, ordered, count) {
  const least = ordered[count - 1];
  let room = count - ordered.findIndex((share) => share === least); // for those that are as likely as the last one
  for (let code = 0; code < shares.length; code += 1) {
    if (shares[code] < least) shares[code] = 0;
    else if (shares[code] === least && (room -= 1) < 0) shares[code] = 0;
  }
}
