/* Random numbers, and how the next symbol is chosen: the rules of charrnn/sampling/filters.py. */

/* xoshiro128** (Blackman & Vigna 2018), on 32-bit integers only: a seed, a whole number below 2^32,
   gives the same numbers everywhere. Its four words are the first outputs of a Weyl sequence through
   the finalizer of MurmurHash3. */
class Random {
  constructor(seed) {
    let weyl = seed >>> 0;
    this.s = Uint32Array.from({ length: 4 }, () => {
      weyl = weyl + 0x9e3779b9 >>> 0;
      let x = weyl;
      x = Math.imul(x ^ x >>> 16, 0x85ebca6b);
      x = Math.imul(x ^ x >>> 13, 0xc2b2ae35);
      return x ^ x >>> 16;
    });
  }

  /* The next number from [0, 1), a multiple of 2^−32. */
  next() {
    const s = this.s;
    const result = Math.imul(rotated(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotated(s[3], 11);
    return result / 4294967296;
  }
}

function rotated(x, by) {
  return x << by | x >>> 32 - by;
}

/* Draws symbols by the rules {temperature, top_k, top_p, min_p}; V symbols. */
class Chooser {
  constructor(V) {
    this.p = new Float64Array(V); // what the probabilities are in proportion to
    this.heap = new Uint32Array(V);
  }

  draw(logits, rules, random) {
    if (rules.temperature === 0) return largest(logits);
    const { p } = this;
    this.weigh(logits, rules);
    let total = 0;
    for (let id = 0; id < p.length; id++) total += p[id];
    const drawn = random.next() * total;
    let sum = 0, last = 0;
    for (let id = 0; id < p.length; id++) {
      if (p[id] === 0) continue;
      sum += p[id];
      last = id;
      if (sum > drawn) break;
    }
    return last;
  }

  /* p = softmax(z / temperature) but for a factor, then top-k, top-p and min-p. */
  weigh(logits, { temperature, top_k, top_p, min_p }) {
    const { p } = this, most = logits[largest(logits)];
    for (let id = 0; id < p.length; id++) p[id] = exp((logits[id] - most) / temperature);
    if (top_k || top_p < 1) this.keepTheTop(top_k || p.length, top_p);
    if (min_p) for (let id = 0; id < p.length; id++) if (p[id] < min_p) p[id] = 0; // the largest is 1
  }

  /* Only the `top_k` most probable ones, and only until they have a share `top_p`. */
  keepTheTop(top_k, top_p) {
    const { p, heap } = this;
    let total = 0, size = p.length, before = 0;
    for (let id = 0; id < size; id++) {
      total += p[id];
      heap[id] = id;
    }
    for (let root = (size >> 1) - 1; root >= 0; root--) this.sink(root, size);
    for (let rank = 0; rank < top_k && size && (rank === 0 || before < top_p * total); rank++) {
      before += p[heap[0]];
      heap[0] = heap[--size]; // out of the heap
      this.sink(0, size);
    }
    for (let n = 0; n < size; n++) p[heap[n]] = 0;
  }

  /* Restore the order of a heap, the most probable first and of equals the first, below `root`. */
  sink(root, size) {
    const { heap } = this, id = heap[root];
    for (;;) {
      let child = 2 * root + 1;
      if (child >= size) break;
      if (child + 1 < size && this.isLess(heap[child], heap[child + 1])) child++;
      if (!this.isLess(id, heap[child])) break;
      heap[root] = heap[child];
      root = child;
    }
    heap[root] = id;
  }

  isLess(a, b) {
    return this.p[a] < this.p[b] || this.p[a] === this.p[b] && a > b;
  }
}

/* The first of the largest numbers. */
function largest(numbers) {
  let best = 0;
  for (let n = 1; n < numbers.length; n++) if (numbers[n] > numbers[best]) best = n;
  return best;
}
