/* One step of each cell, with the equations and the gate orders of charrnn/nn/cells.

   A layer has H units. `a` are its pre-activations, a block of H numbers a gate: U·x + b is in the
   first `gates` of its `blocks`, W·h in the last `gates` (in all cells but the GRU these are the same
   blocks, which hold the sum). A step takes h and c from the step before to those of this one, leaves
   in `value` what is shown of each unit, tanh(c) or h, and in an LSTM the output gate in a. */

const CELLS = {
  rnn: {
    gates: 1, blocks: 1, memories: 0, vectors: 0,
    step({ a, h, value }, H) {
      for (let k = 0; k < H; k++) value[k] = h[k] = tanh(a[k]);
    },
  },

  /* gates o, i, f, g */
  lstm: {
    gates: 4, blocks: 4, memories: 1, vectors: 0,
    step({ a, h, c, value }, H) {
      for (let k = 0; k < H; k++) {
        const o = sigmoid(a[k]), i = sigmoid(a[H + k]), f = sigmoid(a[2 * H + k]);
        const g = tanh(a[3 * H + k]);
        c[k] = f * c[k] + i * g;
        value[k] = tanh(c[k]);
        h[k] = o * value[k];
        a[k] = o;
      }
    },
  },

  /* gates o, i, f, g, and p_o, p_i, p_f: i and f see c of the step before, o sees the new one */
  "lstm-peephole": {
    gates: 4, blocks: 4, memories: 1, vectors: 3,
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

  /* gates o, f, g, with i = 1 − f */
  "lstm-coupled": {
    gates: 3, blocks: 3, memories: 1, vectors: 0,
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

  /* blocks n from below, r, z, n from before; p is the bias b′ that r scales */
  gru: {
    gates: 3, blocks: 4, memories: 0, vectors: 1,
    step({ a, h, p, value }, H) {
      for (let k = 0; k < H; k++) {
        const r = sigmoid(a[H + k]), z = sigmoid(a[2 * H + k]);
        const n = tanh(a[k] + r * (a[3 * H + k] + p[k]));
        value[k] = h[k] = (1 - z) * n + z * h[k];
      }
    },
  },
};
