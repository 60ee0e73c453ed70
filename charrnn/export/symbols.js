/* Symbols, characters or bytes, as the page shows them, and texts as symbols. */

const hexadecimal = (number, digits) => number.toString(16).toUpperCase().padStart(digits, "0");

class Symbols {
  /* `codes` are code points or byte values, by id; `named` has the signs for those that cannot be
     shown as they are. */
  constructor(codes, isBytes, named) {
    this.codes = codes;
    this.isBytes = isBytes;
    this.named = named;
    this.ids = new Map(Array.from(codes, (code, id) => [code, id]));
    this.goOnBehind([]);
  }

  /* How one symbol is shown by itself, with signs for white space and controls. */
  name(id) {
    return this.named[id] ?? String.fromCodePoint(this.codes[id]);
  }

  /* What the next symbol adds to a running text: a byte adds a character only where it ends one. Line
     ends and tabs do their work; other controls become signs, and do nothing. */
  written(id) {
    const text = this.isBytes ? this.decoder.decode(Uint8Array.of(this.codes[id]), { stream: true })
      : String.fromCodePoint(this.codes[id]);
    return text.replace(/(?![\n\t\u200c\u200d])[\p{C}\p{Zl}\p{Zp}]/gu, (control) => {
      const code = control.codePointAt(0);
      if (code === 13) return ""; // a line feed follows
      return code < 32 ? String.fromCharCode(0x2400 + code) : `‹${hexadecimal(code, 4)}›`;
    });
  }

  /* The next symbol that is written comes behind these: bytes may be half a character. */
  goOnBehind(ids) {
    this.decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    if (this.isBytes) for (const id of ids.slice(-3)) this.written(id);
  }

  /* The ids of a text, and the characters or bytes that the model does not know. */
  encode(text) {
    const codes = this.isBytes ? new TextEncoder().encode(text) : Array.from(text, (c) => c.codePointAt(0));
    const unknown = new Set(), known = [];
    for (const code of codes) {
      if (this.ids.has(code)) known.push(this.ids.get(code));
      else unknown.add(this.isBytes ? `‹${hexadecimal(code, 2)}›` : String.fromCodePoint(code));
    }
    return { known, unknown: [...unknown] };
  }
}
