// What a network predicted at a character, as `POST /v1/score` tells it.

const LIKELIEST = 5; // characters told, as many as the API does unasked

/** What logits (a Float64Array) say of a code: `{bits, rank, entropy, likeliest: [[code, share]]}`. */
export function judged(logits, code) {
  const order = highestOf(logits, LIKELIEST);
  const most = logits[order[0]];
  let sum = 0;
  let weighted = 0; // the sum of the logits, each times its likelihood
  let before = 0; // symbols that come before the code
  for (let other = 0; other < logits.length; other += 1) {
    const below = logits[other] - most;
    const likelihood = Math.exp(below);
    sum += likelihood;
    if (likelihood) weighted += likelihood * below;
    if (logits[other] > logits[code] || (logits[other] === logits[code] && other < code)) before += 1;
  }
  const normaliser = Math.log(sum);
  return {
    bits: (normaliser - (logits[code] - most)) / Math.LN2,
    rank: before + 1,
    entropy: (normaliser - weighted / sum) / Math.LN2,
    likeliest: order.map((other) => [other, Math.exp(logits[other] - most) / sum]),
  };
}

/** The codes of the highest logits, the highest first; of equal ones, the lowest code first. */
function highestOf(logits, count) {
  const order = [];
  for (let code = 0; code < logits.length; code += 1) {
    if (order.length === count && logits[code] <= logits[order.at(-1)]) continue;
    let place = order.length;
    while (place && logits[order[place - 1]] < logits[code]) place -= 1;
    order.splice(place, 0, code);
    if (order.length > count) order.pop();
  }
  return order;
}
