/* The list of neurons: each has a button that colours the text by it, and a slider that follows its
   value, or holds it once it was dragged. */

class NeuronList {
  /* `onPick(neuron)` is called when one is picked, `onHold()` when what is held has changed. */
  constructor(list, { onPick, onHold }) {
    this.list = list;
    this.onPick = onPick;
    this.onHold = onHold;
    this.neurons = [];
  }

  find({ layer, unit }) {
    return this.neurons.find((neuron) => neuron.layer === layer && neuron.unit === unit);
  }

  /* Add {layer, unit, feature, label, score}; the last three may be missing. The right end of its
     slider is the side of the feature, which for a negative score is that of low values. */
  add({ layer, unit, feature = "", label = "", score = 0 }) {
    const title = unitName({ layer, unit });
    const facts = feature ? `${title} · ${label} ${signed(score)}` : "any unit";
    const neuron = {
      layer, unit, sign: score < 0 ? -1 : 1, title, name: feature ? `${feature}, ${title}` : title, held: false,
      pick: make("button", { type: "button", className: "pick" }, feature || title, make("small", { textContent: facts })),
      slider: make("input", { type: "range", min: -1, max: 1, step: 0.01, value: 0 }),
      output: make("output", { textContent: "0.00" }),
      free: make("button", { type: "button", className: "free", textContent: "let go" }),
    };
    const { pick, slider, output, free } = neuron;
    pick.setAttribute("aria-pressed", "false");
    slider.setAttribute("aria-label", `hold ${neuron.name}`);
    free.setAttribute("aria-label", `let go of ${neuron.name}`);
    pick.addEventListener("click", () => this.onPick(neuron));
    slider.addEventListener("input", () => this.hold(neuron, true));
    free.addEventListener("click", () => this.hold(neuron, false));
    neuron.item = make("li", {}, pick, output, slider, free);
    this.list.append(neuron.item);
    this.neurons.push(neuron);
    this.describe(neuron);
    return neuron;
  }

  hold(neuron, held) {
    neuron.held = held;
    if (!held) neuron.slider.focus();
    this.describe(neuron);
    this.onHold();
  }

  describe(neuron) {
    const value = neuron.sign * neuron.slider.valueAsNumber;
    neuron.output.textContent = signed(value);
    neuron.item.classList.toggle("held", neuron.held);
    neuron.slider.setAttribute("aria-valuetext", neuron.held ? `held at ${signed(value)}` : "not held");
  }

  /* What is held: [{layer, unit, value}]. */
  held() {
    return this.neurons.filter((neuron) => neuron.held).map(({ layer, unit, sign, slider }) =>
      ({ layer, unit, value: sign * slider.valueAsNumber }));
  }

  /* Let the sliders that are not held follow the values of all units, H in a layer. */
  follow(values, H) {
    for (const neuron of this.neurons) {
      if (neuron.held) continue;
      const value = values[neuron.layer * H + neuron.unit];
      neuron.slider.value = neuron.sign * value;
      neuron.output.textContent = signed(value);
    }
  }

  markPicked(picked) {
    for (const neuron of this.neurons) neuron.pick.setAttribute("aria-pressed", String(neuron === picked));
  }
}
