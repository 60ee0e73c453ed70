/* Exponential, sigmoid and tanh from +, −, × and / alone: these are the same to the last bit in every
   browser, which Math.exp and Math.tanh are not, so that a seed writes the same text everywhere. */

const LOG2_E = 1.4426950408889634;
// ln 2 in two parts: k · LN2_HIGH has no rounding error for the k that come
const LN2_HIGH = 0.693147180369123816490, LN2_LOW = 1.90821492927058770002e-10;
const POWERS = new Float64Array(2048); // 2^(k − 1023)
POWERS[1023] = 1;
for (let k = 1024; k < 2047; k++) POWERS[k] = 2 * POWERS[k - 1];
for (let k = 1022; k > 0; k--) POWERS[k] = POWERS[k + 1] / 2;

/* e^x = 2^k · e^r with |r| ≤ ln 2 / 2; the Taylor series of e^r to r⁹ / 9! errs by less than 1e-11. */
function exp(x) {
  if (x < -708) return 0;
  if (x > 708) return Infinity;
  const k = Math.round(x * LOG2_E);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  const high = 1 / 120 + r * (1 / 720 + r * (1 / 5040 + r * (1 / 40320 + r / 362880)));
  return (1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * high))))) * POWERS[k + 1023];
}

/* σ(x) = 1 / (1 + e^−x) */
function sigmoid(x) {
  return 1 / (1 + exp(-x));
}

/* tanh(x) = 1 − 2 / (1 + e^2x) */
function tanh(x) {
  return 1 - 2 / (1 + exp(2 * x));
}

/* The y with tanh(y) = v: artanh(v) − y = artanh(w) with w = (v − t) / (1 − v·t) and t = tanh(y), and
   for a small w, artanh(w) is w. */
function artanh(v) {
  let y = 0;
  for (let n = 0; n < 30; n++) {
    const t = tanh(y);
    y += (v - t) / (1 - v * t);
  }
  return y;
}
