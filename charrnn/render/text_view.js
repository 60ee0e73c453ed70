/* A text with a span for each symbol, coloured by values, and a place in it that the mouse and the
   arrow keys move. */

const SHADES = 20; // to either side of the middle, as in page.py

class TextView {
  /* `onLook(n, speak)` is called when the place moves to symbol n; `onKey(key)` gets all keys that do
     not move it, and returns whether it has used one. With `pins`, a click or a key pins the place, so
     that pointing elsewhere does not move it. */
  constructor(box, { onLook, onKey = () => false, pins = false }) {
    this.box = box;
    this.spans = [...box.querySelectorAll(".c")];
    this.line = null; // the block of the last line that was appended
    this.place = -1;
    this.onLook = onLook;
    this.onKey = onKey;
    this.pins = pins;
    this.pinned = false;
    box.addEventListener("mouseover", (event) => this.pointed(event, false));
    box.addEventListener("click", (event) => this.pointed(event, true));
    box.addEventListener("keydown", (event) => this.pressed(event));
  }

  get length() {
    return this.spans.length;
  }

  /* Add symbols [{text, endsLine}] behind the others. Each line has a block of its own, so that only
     the last one has to be laid out anew. */
  append(symbols) {
    for (const { text, endsLine } of symbols) {
      if (this.spans.at(-1)?.endsLine ?? true) {
        this.line = make("div", { className: "line" });
        this.box.append(this.line);
      }
      const span = make("span", { textContent: text, endsLine });
      this.line.append(span);
      this.spans.push(span);
    }
  }

  /* Take away all symbols from number `length` on. */
  cut(length) {
    for (const span of this.spans.splice(length)) span.remove();
    this.line = this.spans.at(-1)?.parentNode;
    while (this.box.lastChild !== (this.line ?? null)) this.box.lastChild.remove();
    this.unpin();
  }

  unpin() {
    if (this.place >= 0) this.spans[this.place]?.classList.remove("here");
    this.place = -1;
    this.pinned = false;
  }

  /* Colour symbol n by a value from −127 to 127, and give it further classes. Without colours, lines
     mark shades from ± `marked` on. */
  paint(n, value, further = "", marked = 1) {
    const shade = Math.round(value * SHADES / 127);
    const sign = shade >= marked ? " plus" : shade <= -marked ? " minus" : "";
    const here = n === this.place ? " here" : "";
    this.spans[n].className = `c v${shade < 0 ? "m" + -shade : shade}${sign}${further}${here}`;
  }

  look(n, { speak = false, pin = false } = {}) {
    if (!this.length) return;
    this.pinned ||= pin && this.pins;
    if (this.place >= 0) this.spans[this.place].classList.remove("here");
    this.place = Math.max(0, Math.min(this.length - 1, n));
    const span = this.spans[this.place];
    span.classList.add("here");
    this.onLook(this.place, speak);
    if (speak) span.scrollIntoView({ block: "nearest" });
  }

  pointed(event, clicked) {
    const { target } = event; // a line where it ends, since a line end has no extent of its own
    const n = this.spans.indexOf(clicked && target.className === "line" ? target.lastChild : target);
    if (n < 0 || this.pinned && !clicked) return;
    this.look(n, { pin: clicked });
    if (clicked) this.box.focus({ preventScroll: true });
  }

  pressed(event) {
    const steps = { ArrowRight: 1, ArrowLeft: -1, PageDown: 50, PageUp: -50, End: 1e9, Home: -1e9 };
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in steps) this.look(this.place < 0 ? 0 : this.place + steps[event.key], { speak: true, pin: true });
    else if (!this.onKey(event.key)) return;
    event.preventDefault();
  }
}

/* List symbols with their probabilities [{symbol, p}], each with a bar; the items. */
function showPredictions(list, predictions) {
  const items = predictions.map(({ symbol, p }) => {
    const bar = make("span", { className: "bar" });
    bar.style.width = `${100 * p}%`;
    return make("li", {}, make("span", { className: "symbol", textContent: symbol }),
      make("span", { textContent: `${(100 * p).toFixed(1)} %` }), make("span", {}, bar));
  });
  list.replaceChildren(...items);
  return items;
}
