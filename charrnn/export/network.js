/* The network one symbol at a time, as charrnn/nn/single_step.py runs it.

       layer 0     cell(U₀·onehot + b, W₀·h₀)      the first argument is a row of a table
       layer l     cell(U_l·h_(l−1) + b, W_l·h_l)      W_l·(s ⊙ h_l) in a cell that scales h
       logits      z = V·h + b

   The weights come one behind the other, W, U, P of each layer and then V, row after row, with the
   bias as the last column of U and V. Here the biases stand apart. Nothing is allocated in a step. */

class Network {
  constructor({ cell, layers, hidden_size, vocabulary_size }, weights, kernel) {
    const H = this.H = hidden_size, V = this.V = vocabulary_size;
    this.cell = CELLS[cell];
    const { gates, recurrentGates, memories, vectors } = this.cell, states = 1 + memories;
    const K = new Set([...gates, ...recurrentGates]).size; // blocks
    const rows = this.rows = gates.length * H; // of U
    this.recurrentRows = recurrentGates.length * H; // of W
    const products = this.products = new Products(kernel, 8 * layers + 9,
      weights.length + (layers * (K + states + 1) + 1) * H + V);
    let start = 0;
    const next = (length) => weights.subarray(start, start += length);
    const placed = (numbers) => {
      const array = products.array(numbers.length);
      array.set(numbers);
      return array;
    };
    this.state = products.array(layers * states * H); // (L, 1 + S, H): h, then c where there is one
    this.values = products.array(layers * H); // what is shown of each unit
    this.layers = [];
    for (let l = 0; l < layers; l++) {
      const h = l * states * H;
      const W = placed(next(this.recurrentRows * H));
      const U = withoutBias(next(rows * ((l ? H : V) + 1)), rows);
      this.layers.push({
        W, U: l ? placed(U.weights) : null, bias: placed(U.bias), p: placed(next(vectors * H)),
        a: products.array(K * H), held: [],
        h: this.state.subarray(h, h + H), c: this.state.subarray(h + H, h + states * H),
        value: this.values.subarray(l * H, (l + 1) * H),
      });
      if (l === 0) this.table = placed(columnsWithBias(U, rows, V));
    }
    const output = withoutBias(next(V * (H + 1)), V);
    this.output = placed(output.weights);
    this.outputBias = placed(output.bias);
    this.logits = products.array(V);
    this.scaled = products.array(H); // s ⊙ h, of one layer after another
    this.reset();
  }

  /* The logits (V) of what comes after symbol `id`; the next step overwrites them. */
  step(id) {
    const { H, rows, recurrentRows, table, products } = this;
    let below = null;
    for (const layer of this.layers) {
      const { a, h, W, U, bias } = layer;
      a.fill(0, rows);
      if (below === null) for (let r = 0, at = id * rows; r < rows; r++) a[r] = table[at + r];
      else {
        a.set(bias);
        products.add(U, rows, H, below, a, 0);
      }
      const seen = this.cell.scalesH ? this.scale(a, h) : h;
      products.add(W, recurrentRows, H, seen, a, a.length - recurrentRows);
      this.cell.step(layer, H);
      for (const { unit, value, c } of layer.held) hold(layer, unit, value, c);
      below = h;
    }
    return this.predict(below);
  }

  /* s ⊙ h, where s is the first block of the pre-activations a. */
  scale(a, h) {
    const { H, scaled } = this;
    for (let k = 0; k < H; k++) scaled[k] = a[k] * h[k];
    return scaled;
  }

  predict(h) {
    this.logits.set(this.outputBias);
    this.products.add(this.output, this.V, this.H, h, this.logits, 0);
    return this.logits;
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
      this.layers[layer].held.push({ unit, value: inside, c: artanh(inside) });
    }
  }
}

/* Set what carries the memory of a unit: tanh(c), with h = o · tanh(c), or h. With peepholes, the
   output gate o = a[unit] reads the c that is held. */
function hold({ a, h, c, p, value }, unit, held, c_held) {
  value[unit] = held;
  if (c.length) {
    if (p.length) {
      const opened = a[unit] * Math.exp(Math.max(-60, Math.min(60, p[unit] * (c_held - c[unit]))));
      a[unit] = opened / (1 - a[unit] + opened);
    }
    c[unit] = c_held;
    h[unit] = a[unit] * held;
  } else h[unit] = held;
}

/* A matrix with the bias as its last column, as two. */
function withoutBias(M, rows) {
  const columns = M.length / rows - 1;
  const weights = new Float32Array(rows * columns), bias = new Float32Array(rows);
  for (let r = 0; r < rows; r++) {
    const at = r * (columns + 1);
    weights.set(M.subarray(at, at + columns), r * columns);
    bias[r] = M[at + columns];
  }
  return { weights, bias };
}

/* The columns of U₀ as rows, each with the bias added to it: (V, rows). */
function columnsWithBias({ weights, bias }, rows, V) {
  const table = new Float32Array(V * rows);
  for (let r = 0; r < rows; r++) {
    for (let id = 0; id < V; id++) table[id * rows + r] = weights[r * V + id] + bias[r];
  }
  return table;
}
