// The writer of a page that carries its model: it takes the place of the API, with the same two methods.

import { endingOf, MOST_MORE } from "./ending.js";
import { codesOf, partsOf } from "./encoding.js";
import { judged } from "./judging.js";
import { copyOfState, networkOf } from "./network.js";
import { chosen, randomOf } from "./sampling.js";
import { rulesOf } from "./constraints.js";

/**
 * @typedef Model What a page carries. All arrays are Float32Arrays, row by row as Keras has them, with its order of gates.
 * @property {string[]} vocabulary the symbols in the order of their codes, V of them
 * @property {"lstm" | "gru" | "rnn"} cell of all layers
 * @property {number} layers their number
 * @property {number} units H
 * @property {number} dim of the embedding, E
 * @property {"none" | "nfc" | "nfkc"} unicode how its text was normalised
 * @property {boolean} lowercase whether its text was in small letters
 * @property {string | null} replacement the symbol that stands for rare ones: it is read, and never written
 * @property {{embedding, layers: {kernel, recurrent, bias}[], head: {kernel, bias}}} arrays embedding (V, E); kernel
 *   (E or H, GH), recurrent (H, GH) and bias (GH), or (2, GH) of a GRU; head (H, V) and (V)
 */

const SLICE = 10; // milliseconds without a break, in which the page can do nothing else
const REMEMBERED = 8; // states of texts that were read or written lately

/**
 * The writer of a model. Its texts depend on nothing but the settings, and are the same in every browser. It raises a
 * Problem: "unknown" for characters of a prompt that the model does not know, "refused" for other settings.
 */
export function writerOf(model) {
  const network = networkOf(model);
  const memory = memoryOf(network);
  return {
    /** Write a text that continues `settings.prompt`, as the writer of `api.js` does. */
    write: async (settings, onPiece, signal) => writeText({ model, network, memory }, settings, onPiece, paceOf(signal)),

    /** What the model makes of each character: `[{symbol, bits, rank, entropy, likeliest: [[symbol, share]]}]`. */
    surprisal: async (text, signal) => judgeText({ model, network }, text, paceOf(signal)),
  };
}

async function writeText({ model, network, memory }, settings, onPiece, pace) {
  const { prompt, length, sentence, rngSeed, unknown } = settings;
  const seed = codesOf(prompt, model, unknown ?? "error");
  const random = randomOf(rngSeed ?? 0);
  const rules = rulesOf(settings, model, seed);
  const codes = seed.length ? seed : [beginningOf(model, random)];
  const state = await memory.read(codes, pace);
  const ending = endingOf(sentence ? length : null);
  let piece = "";
  for (let left = sentence ? length + MOST_MORE : length; left && !ending.found(); left -= 1) {
    const logits = network.predict(state);
    for (const rule of rules) rule.forbid(logits);
    const code = chosen(logits, settings, random);
    if (code < 0) break;
    for (const rule of rules) rule.take(code);
    piece += ending.take(model.vocabulary[code]);
    codes.push(code);
    network.read(code, state);
    if (!pace.isDue()) continue;
    if (!ending.holds()) memory.keep(pace, codes, state);
    if (piece) onPiece(piece);
    piece = "";
    await pace.rest();
  }
  piece += ending.rest();
  if (piece) onPiece(piece);
}

async function judgeText({ model, network }, text, pace) {
  const parts = partsOf(text, model);
  const codes = new Map(model.vocabulary.map((symbol, code) => [symbol, code]));
  const state = network.start();
  const facts = [];
  let isFirst = true; // nothing predicts the first character
  for (const [place, symbol] of Array.from(text).entries()) {
    const found = [];
    for (const other of parts[place]) {
      const code = codes.get(other);
      if (code === undefined) continue;
      found.push(isFirst ? null : judged(network.predict(state), code));
      network.read(code, state);
      isFirst = false;
    }
    facts.push(factOf(symbol, found, model.vocabulary));
    if (pace.isDue()) await pace.rest();
  }
  return facts;
}

/** What is told of a character that is read as some codes: of all, the bits; of the first, the rest. */
function factOf(symbol, found, vocabulary) {
  if (!found[0]) return { symbol, bits: null, rank: null, entropy: null, likeliest: [] };
  const [{ rank, entropy, likeliest }] = found;
  const bits = found.reduce((sum, fact) => sum + fact.bits, 0);
  const named = likeliest.map(([code, share]) => [vocabulary[code], share]);
  return { symbol, bits: Number.isFinite(bits) ? bits : null, rank, entropy, likeliest: named };
}

/** The code that is read for an empty prompt: a text begins as after a newline. */
function beginningOf({ vocabulary, replacement }, random) {
  if (vocabulary.includes("\n")) return vocabulary.indexOf("\n");
  const likely = vocabulary.filter((symbol) => symbol !== replacement);
  return vocabulary.indexOf(likely[Math.floor(random() * likely.length)]);
}

/** Reads codes one text after the other, from the longest beginning on that was read or written before. */
function memoryOf(network) {
  const states = new Map(); // the oldest first
  let turn = Promise.resolve();

  /** Keep what is remembered of codes, in the place of what was kept under the same key. */
  function keep(key, codes, state) {
    states.delete(key);
    states.set(key, { codes: codes.slice(), state: copyOfState(state) });
    if (states.size > REMEMBERED) states.delete(states.keys().next().value);
  }

  function longestIn(codes) {
    const isBeginning = (known) => known.length <= codes.length && known.every((code, place) => code === codes[place]);
    const found = [...states.values()].filter((known) => isBeginning(known.codes));
    return found.reduce((one, two) => (two.codes.length > one.codes.length ? two : one), { codes: [], state: null });
  }

  /** A state that has read the codes. */
  async function read(codes, pace) {
    const before = turn;
    let finish;
    turn = new Promise((resolve) => (finish = resolve));
    try {
      await before;
      const known = longestIn(codes);
      const state = known.state ? copyOfState(known.state) : network.start();
      for (let place = known.codes.length; place < codes.length; place += 1) {
        network.read(codes[place], state);
        if (pace.isDue()) await pace.rest();
      }
      if (known.codes.length < codes.length) keep(codes, codes, state);
      return state;
    } finally {
      finish();
    }
  }

  return { keep, read };
}

/** When to let the page do something else. `rest()` rejects with an AbortError if `signal` has stopped the writing. */
function paceOf(signal) {
  signal?.throwIfAborted();
  let until = performance.now() + SLICE;
  async function rest() {
    await new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel(); // a timer would wait for 4 milliseconds
      port1.onmessage = () => resolve(port1.close());
      port2.postMessage(null);
    });
    signal?.throwIfAborted();
    until = performance.now() + SLICE;
  }
  return { isDue: () => performance.now() >= until, rest };
}
