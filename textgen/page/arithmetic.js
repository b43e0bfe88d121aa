// The functions of a network, by + - * / alone: IEEE 754 fixes these to the last bit, so that every browser writes the
// same text, which Math.exp and Math.tanh, whose last bits differ between browsers, do not allow.

const LOG2E = 1.4426950408889634;
const LN2_HIGH = 0.6931471803691238; // its last 32 bits are 0, so that its products with whole numbers are exact
const LN2_LOW = 1.9082149292705877e-10;
const LEAST_POWER = -1074; // of two, that is not 0
const POWERS = new Float64Array(1024 - LEAST_POWER);

for (let power = 1, place = -LEAST_POWER; place >= 0; place -= 1, power /= 2) POWERS[place] = power;
for (let power = 1, place = -LEAST_POWER; place < POWERS.length; place += 1, power *= 2) POWERS[place] = power;

/** e to the power of x, for x up to 709; the relative error is below 1e-11. */
export function exponential(x) {
  if (x < -745) return 0;
  const power = Math.floor(x * LOG2E + 0.5);
  const r = x - power * LN2_HIGH - power * LN2_LOW; // from -0.35 to 0.35
  const square = r * r;
  // Taylor's series in pairs of terms, which a processor adds side by side.
  const low = 1 + r + square * (1 / 2 + r * (1 / 6));
  const high = 1 / 24 + r * (1 / 120) + square * (1 / 720 + r * (1 / 5040) + square * (1 / 40320 + r * (1 / 362880)));
  return (low + square * square * high) * POWERS[power - LEAST_POWER];
}

/** The logistic function. */
export function sigmoid(x) {
  return x < -40 ? 0 : 1 / (1 + exponential(-x));
}

/** The hyperbolic tangent; the absolute error is below 1e-11. */
export function tanh(x) {
  return x > 20 ? 1 : 1 - 2 / (1 + exponential(2 * x));
}
