/* One step of each cell, with the equations and the gate orders of charrnn/nn/cells.

   A layer has H units. `a` are its pre-activations, a block of H numbers for each gate: U·x + b is in
   the blocks of `gates`, the first ones, and W·h in those of `recurrentGates`, the last ones. A block
   of both holds the sum. A cell that `scalesH` gets W·(s ⊙ h), where s is the first block. A step takes h and c from the step before to those of this one, leaves
   in `value` what is shown of each unit, tanh(c) or h, and in an LSTM the output gate in a. */

const CELLS = {
  rnn: {
    gates: ["a"], recurrentGates: ["a"], memories: 0, vectors: 0,
    step({ a, h, value }, H) {
      for (let k = 0; k < H; k++) value[k] = h[k] = tanh(a[k]);
    },
  },

  lstm: {
    gates: ["o", "i", "f", "g"], recurrentGates: ["o", "i", "f", "g"], memories: 1, vectors: 0,
    step({ a, h, c, value }, H, start = 0) {
      for (let k = 0, at = start; k < H; k++, at++) {
        const o = sigmoid(a[at]), i = sigmoid(a[H + at]), f = sigmoid(a[2 * H + at]);
        const g = tanh(a[3 * H + at]);
        c[k] = f * c[k] + i * g;
        value[k] = tanh(c[k]);
        h[k] = o * value[k];
        a[k] = o;
      }
    },
  },

  /* p_o, p_i and p_f: i and f see c of the step before, o sees the new one */
  "lstm-peephole": {
    gates: ["o", "i", "f", "g"], recurrentGates: ["o", "i", "f", "g"], memories: 1, vectors: 3,
    step({ a, h, c, p, value }, H) {
      for (let k = 0; k < H; k++) {
        const i = sigmoid(a[H + k] + p[H + k] * c[k]);
        const f = sigmoid(a[2 * H + k] + p[2 * H + k] * c[k]);
        const g = tanh(a[3 * H + k]);
        c[k] = f * c[k] + i * g;
        const o = sigmoid(a[k] + p[k] * c[k]);
        value[k] = tanh(c[k]);
        h[k] = o * value[k];
        a[k] = o;
      }
    },
  },

  /* i = 1 − f */
  "lstm-coupled": {
    gates: ["o", "f", "g"], recurrentGates: ["o", "f", "g"], memories: 1, vectors: 0,
    step({ a, h, c, value }, H) {
      for (let k = 0; k < H; k++) {
        const o = sigmoid(a[k]), f = sigmoid(a[H + k]), g = tanh(a[2 * H + k]);
        c[k] = f * c[k] + (1 - f) * g;
        value[k] = tanh(c[k]);
        h[k] = o * value[k];
        a[k] = o;
      }
    },
  },

  /* an LSTM, its gates behind s */
  "lstm-multiplicative": {
    gates: ["s", "o", "i", "f", "g"], recurrentGates: ["o", "i", "f", "g"], memories: 1, vectors: 0,
    scalesH: true,
    step(layer, H) {
      CELLS.lstm.step(layer, H, H);
    },
  },

  /* q is the part of n that r scales, with the bias p of its own */
  gru: {
    gates: ["n", "r", "z"], recurrentGates: ["r", "z", "q"], memories: 0, vectors: 1,
    step({ a, h, p, value }, H) {
      for (let k = 0; k < H; k++) {
        const r = sigmoid(a[H + k]), z = sigmoid(a[2 * H + k]);
        const q = a[3 * H + k] + p[k];
        const n = tanh(a[k] + r * q);
        value[k] = h[k] = (1 - z) * n + z * h[k];
      }
    },
  },
};
