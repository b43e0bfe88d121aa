// The network of a model: one character in, the logits of the next one out.
//
// Weights lie in float32 as the model has them; sums are JavaScript's numbers, of double precision. Rounding each
// product to float32 takes browsers twice as long, and makes nothing more exact.

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

/** Add a vector (N) times a matrix (N, M), which lies row by row, to sums (M). */
function addProduct(sums, vector, matrix) {
  const width = sums.length;
  const whole = vector.length - (vector.length % 8);
  for (let row = 0; row < whole; row += 8) addRows(sums, vector, matrix, row);
  for (let row = whole; row < vector.length; row += 1) {
    const factor = vector[row];
    for (let column = 0, place = row * width; column < width; column += 1, place += 1) {
      sums[column] += factor * matrix[place];
    }
  }
}

/** Add eight rows at once, so that each sum is read and written once for all of them. */
function addRows(sums, vector, matrix, row) {
  const width = sums.length;
  const [x0, x1, x2, x3] = [vector[row], vector[row + 1], vector[row + 2], vector[row + 3]];
  const [x4, x5, x6, x7] = [vector[row + 4], vector[row + 5], vector[row + 6], vector[row + 7]];
  const p0 = row * width;
  const [p1, p2, p3] = [p0 + width, p0 + 2 * width, p0 + 3 * width];
  const [p4, p5, p6, p7] = [p0 + 4 * width, p0 + 5 * width, p0 + 6 * width, p0 + 7 * width];
  for (let j = 0; j < width; j += 1) {
    sums[j] +=
      x0 * matrix[p0 + j] + x1 * matrix[p1 + j] + x2 * matrix[p2 + j] + x3 * matrix[p3 + j] +
      x4 * matrix[p4 + j] + x5 * matrix[p5 + j] + x6 * matrix[p6 + j] + x7 * matrix[p7 + j];
  }
}
