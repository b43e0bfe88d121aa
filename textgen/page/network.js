// The network of a model: one character in, the logits of the next one out.
//
// Weights lie in float32 as the model has them; sums are JavaScript's numbers, of double precision. To round
// each product to float32 takes Chromium a third longer, and makes nothing more exact.

import { sigmoid, tanh } from "./arithmetic.js";

/** Each cell's step: from the sums of a layer, in Keras's order of gates, its next output and memory, in place. */
const STEPS = {
  /** Hochreiter and Schmidhuber, 1997, with the forget gate of Gers, Schmidhuber and Cummins, 2000: i, f, c, o. */
  lstm({ sums, output, memory }) {
    const units = output.length;
    for (let unit = 0; unit < units; unit += 1) {
      const added = sigmoid(sums[unit]) * tanh(sums[2 * units + unit]);
      memory[unit] = sigmoid(sums[units + unit]) * memory[unit] + added;
      output[unit] = sigmoid(sums[3 * units + unit]) * tanh(memory[unit]);
    }
  },

  /** Cho et al., 2014, with the reset gate after the product: z, r, h; the last output's sums are apart. */
  gru({ sums, own, output }) {
    const units = output.length;
    for (let unit = 0; unit < units; unit += 1) {
      const kept = sigmoid(sums[unit] + own[unit]);
      const last = sigmoid(sums[units + unit] + own[units + unit]) * own[2 * units + unit];
      const fresh = tanh(sums[2 * units + unit] + last);
      output[unit] = kept * (output[unit] - fresh) + fresh;
    }
  },

  /** Elman, 1990. */
  rnn({ sums, output }) {
    for (let unit = 0; unit < output.length; unit += 1) output[unit] = tanh(sums[unit]);
  },
};

/**
 * The network of a model.
 *
 * `start()` makes a state in which nothing is read; `read(code, state)` takes it on by a character; `predict(state)` are
 * the logits of the next one, a Float64Array that the next call writes over, -∞ for what the model never writes.
 */
export function networkOf({ vocabulary, cell, units, dim, replacement, arrays }) {
  const step = STEPS[cell];
  const layers = arrays.layers.map((weights) => layerOf(weights, units));
  const [first] = layers;
  const rows = new Array(vocabulary.length); // of each symbol, the first layer's sums; made when they are needed
  const logits = new Float64Array(vocabulary.length);
  const never = replacement === null ? -1 : vocabulary.indexOf(replacement);

  function rowOf(code) {
    first.sums.set(first.bias);
    addProduct(first.sums, arrays.embedding.subarray(code * dim, (code + 1) * dim), first.kernel);
    return Float32Array.from(first.sums);
  }

  function read(code, state) {
    first.sums.set((rows[code] ??= rowOf(code)));
    layers.forEach((layer, number) => {
      const { output, memory } = state[number];
      const { sums, own } = layer;
      if (number) {
        sums.set(layer.bias);
        addProduct(sums, state[number - 1].output, layer.kernel);
      }
      if (own !== sums) own.set(layer.ownBias);
      addProduct(own, output, layer.recurrent);
      step({ sums, own, output, memory });
    });
  }

  function predict(state) {
    logits.set(arrays.head.bias);
    addProduct(logits, state.at(-1).output, arrays.head.kernel);
    if (never >= 0) logits[never] = -Infinity;
    return logits;
  }

  const start = () => layers.map(() => ({ output: new Float64Array(units), memory: new Float64Array(units) }));
  return { symbols: vocabulary.length, start, read, predict };
}

/** A copy of a state, which does not go on with it. */
export const copyOfState = (state) =>
  state.map(({ output, memory }) => ({ output: output.slice(), memory: memory.slice() }));

/** A layer's weights and what its step works in: a GRU, whose bias has two rows, sums its last output's part apart. */
function layerOf({ kernel, recurrent, bias }, units) {
  const width = recurrent.length / units;
  const sums = new Float64Array(width);
  const own = bias.length > width ? new Float64Array(width) : sums;
  return { kernel, recurrent, bias: bias.subarray(0, width), ownBias: bias.subarray(width), sums, own };
}

/**
 * Add a vector (N) times a matrix (N, M), which lies row by row, to sums (M).
 *
 * Nearly all time goes here: of eight rows at once, so that each sum is read and written once for all of them, and by
 * plain numbers alone, which every browser's compiler keeps in registers.
 */
function addProduct(sums, vector, matrix) {
  const width = sums.length;
  let row = 0;
  for (; row + 7 < vector.length; row += 8) {
    const x0 = vector[row];
    const x1 = vector[row + 1];
    const x2 = vector[row + 2];
    const x3 = vector[row + 3];
    const x4 = vector[row + 4];
    const x5 = vector[row + 5];
    const x6 = vector[row + 6];
    const x7 = vector[row + 7];
    const p0 = row * width;
    const p1 = p0 + width;
    const p2 = p1 + width;
    const p3 = p2 + width;
    const p4 = p3 + width;
    const p5 = p4 + width;
    const p6 = p5 + width;
    const p7 = p6 + width;
    for (let j = 0; j < width; j += 1) {
      sums[j] +=
        x0 * matrix[p0 + j] + x1 * matrix[p1 + j] + x2 * matrix[p2 + j] + x3 * matrix[p3 + j] +
        x4 * matrix[p4 + j] + x5 * matrix[p5 + j] + x6 * matrix[p6 + j] + x7 * matrix[p7 + j];
    }
  }
  for (; row < vector.length; row += 1) {
    const x0 = vector[row];
    const p0 = row * width;
    for (let j = 0; j < width; j += 1) sums[j] += x0 * matrix[p0 + j];
  }
}
