/* Products of a matrix and a vector, all in one memory: by WebAssembly where the browser has its vector
   instructions (charrnn/export/kernel.py), else in JavaScript, which takes several times as long and
   gives the same numbers to the last bit. */

class Products {
  /* Room for so many arrays with so many numbers together. */
  constructor(kernel, arrays, numbers) {
    const pages = Math.ceil((4 * numbers + 16 * arrays) / 65536);
    this.used = 0; // bytes
    try {
      const memory = new WebAssembly.Memory({ initial: pages });
      const module = new WebAssembly.Module(kernel);
      const { exports } = new WebAssembly.Instance(module, { page: { memory } });
      this.buffer = memory.buffer;
      this.compiled = exports.add_product;
    } catch { // an old browser, or a locked one
      this.buffer = new ArrayBuffer(pages * 65536);
      this.compiled = null;
    }
    this.sums = new Float32Array(16);
  }

  /* An array of zeros in the memory, at the beginning of a vector register. */
  array(length) {
    const start = this.used;
    this.used += 16 * Math.ceil(length / 4);
    return new Float32Array(this.buffer, start, length);
  }

  /* out[start + r] += Σ_k M[r, k] · x[k] for the rows of M (rows, columns). */
  add(M, rows, columns, x, out, start) {
    if (this.compiled === null) this.addInJavaScript(M, rows, columns, x, out, start);
    else this.compiled(M.byteOffset, rows, columns, x.byteOffset, out.byteOffset + 4 * start);
  }

  /* As the kernel: column k goes into sum k mod 16, and each result is rounded to float32. */
  addInJavaScript(M, rows, columns, x, out, start) {
    const { sums } = this, round = Math.fround;
    for (let r = 0, at = 0; r < rows; r++, at += columns) {
      sums.fill(0);
      let k = 0;
      for (; k + 16 <= columns; k += 16) {
        for (let n = 0; n < 16; n++) sums[n] += round(M[at + k + n] * x[k + n]);
      }
      for (; k + 4 <= columns; k += 4) {
        for (let n = 0; n < 4; n++) sums[n] += round(M[at + k + n] * x[k + n]);
      }
      const lane = (n) => round(round(sums[n] + sums[n + 4]) + round(sums[n + 8] + sums[n + 12]));
      let sum = round(round(lane(0) + lane(1)) + round(lane(2) + lane(3)));
      for (; k < columns; k++) sum = round(sum + round(M[at + k] * x[k]));
      out[start + r] += sum;
    }
  }
}
