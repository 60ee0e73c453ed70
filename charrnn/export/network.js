/* The network one symbol at a time, as charrnn/nn/single_step.py runs it.

       layer 0     cell(U₀·onehot + b, W₀·h₀)      the first argument is a row of a table
       layer l     cell(U_l·h_(l−1) + b, W_l·h_l)
       logits      z = V·h + b

   The weights lie one behind the other, W, U, P of each layer and then V, row after row; the bias is
   the last column of U and V. Nothing is allocated in a step. */

class Network {
  constructor({ cell, layers, hidden_size, vocabulary_size }, weights) {
    const H = this.H = hidden_size, V = this.V = vocabulary_size;
    this.cell = CELLS[cell];
    const { gates, recurrentGates, memories, vectors } = this.cell, states = 1 + memories;
    const blocks = new Set([...gates, ...recurrentGates]).size;
    this.rows = gates.length * H; // of U
    this.recurrentRows = recurrentGates.length * H; // of W
    let start = 0;
    const next = (length) => weights.subarray(start, start += length);
    this.state = new Float32Array(layers * states * H); // (L, 1 + S, H): h, then c where there is one
    this.values = new Float32Array(layers * H); // what is shown of each unit
    this.layers = [];
    for (let l = 0; l < layers; l++) {
      const h = l * states * H;
      this.layers.push({
        W: next(this.recurrentRows * H), U: next(this.rows * ((l ? H : V) + 1)), p: next(vectors * H),
        a: new Float32Array(blocks * H), held: [],
        h: this.state.subarray(h, h + H), c: this.state.subarray(h + H, h + states * H),
        value: this.values.subarray(l * H, (l + 1) * H),
      });
    }
    this.output = next(V * (H + 1));
    this.table = transposedWithBias(this.layers[0].U, this.rows, V);
    this.logits = new Float32Array(V);
    this.reset();
  }

  /* The logits (V) of what comes after symbol `id`; the next step overwrites them. */
  step(id) {
    const { H, rows, recurrentRows } = this;
    let below = null;
    for (const layer of this.layers) {
      const { a, h, W, U } = layer;
      a.fill(0, rows);
      if (below === null) {
        for (let r = 0, at = id * rows; r < rows; r++) a[r] = this.table[at + r];
      } else {
        for (let r = 0; r < rows; r++) a[r] = U[r * (H + 1) + H];
        addProduct(U, rows, H, H + 1, below, a, 0);
      }
      addProduct(W, recurrentRows, H, H, h, a, a.length - recurrentRows);
      this.cell.step(layer, H);
      for (const { unit, value, c } of layer.held) hold(layer, unit, value, c);
      below = h;
    }
    return this.predict(below);
  }

  predict(h) {
    const { H, V, output, logits } = this;
    for (let r = 0; r < V; r++) logits[r] = output[r * (H + 1) + H];
    addProduct(output, V, H, H + 1, h, logits, 0);
    return logits;
  }

  /* A state of zeros, and its prediction. */
  reset() {
    this.restore(new Float32Array(this.state.length));
  }

  restore(state) {
    this.state.set(state);
    this.predict(this.layers.at(-1).h);
  }

  /* From now on, set these units [{layer, unit, value}] to their values after every step. */
  hold(units) {
    for (const layer of this.layers) layer.held = [];
    for (const { layer, unit, value } of units) {
      const inside = Math.max(-0.9999, Math.min(0.9999, value)); // there is no c for ±1
      this.layers[layer].held.push({ unit, value: inside, c: Math.atanh(inside) });
    }
  }
}

/* Set what carries the memory of a unit: tanh(c), with h = o · tanh(c), or h. */
function hold({ a, h, c, value }, unit, held, c_held) {
  value[unit] = held;
  if (c.length) {
    c[unit] = c_held;
    h[unit] = a[unit] * held;
  } else h[unit] = held;
}

/* The columns of U as rows, each with the bias, the last column, added to it: (V, rows). */
function transposedWithBias(U, rows, V) {
  const table = new Float32Array(V * rows);
  for (let r = 0; r < rows; r++) {
    const row = r * (V + 1), bias = U[row + V];
    for (let id = 0; id < V; id++) table[id * rows + r] = U[row + id] + bias;
  }
  return table;
}

/* out[start + r] += M[r]·x for the first `columns` of each of the rows of M, `stride` numbers apart. */
function addProduct(M, rows, columns, stride, x, out, start) {
  const whole = columns - columns % 4;
  for (let r = 0, at = 0; r < rows; r++, at += stride) {
    let sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
    for (let k = 0; k < whole; k += 4) {
      sum0 += M[at + k] * x[k];
      sum1 += M[at + k + 1] * x[k + 1];
      sum2 += M[at + k + 2] * x[k + 2];
      sum3 += M[at + k + 3] * x[k + 3];
    }
    for (let k = whole; k < columns; k++) sum0 += M[at + k] * x[k];
    out[start + r] += sum0 + sum1 + (sum2 + sum3);
  }
}
