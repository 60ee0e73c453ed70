/* The page: what its controls do, and how it shows what the worker reports. */

const model = JSON.parse(at("model").textContent);
const MOST = model.most; // symbols that the page keeps
const TOP = 5; // predictions of a symbol, as in worker.js
const STRONGEST = 8; // bits of surprise that have the strongest colour
const LINE_END = 10; // as a code point, and as a byte
const FASTEST = 40; // of the slider: no limit
const symbols = new Symbols(new Uint32Array(bytes(model.symbols).buffer), model.is_bytes, model.named);
const ids = []; // the text so far, and at each symbol of it:
const surprises = new Float32Array(MOST); // bits
const predicted = new Uint32Array(MOST * TOP), chances = new Float32Array(MOST * TOP);
const values = new Int8Array(MOST); // of the neuron that colours the text
const view = new TextView(at("text"), { onLook: showPlace, onKey: pressedInText, pins: true });
const list = new NeuronList(at("neurons"), { onPick: colourBy, onHold: holdUnits });
const still = matchMedia("(prefers-reduced-motion: reduce)");
let colour = "surprise"; // or "none", or a neuron
let run = { number: 0 }; // batches of earlier runs have smaller numbers
let followAgain = 0; // when the sliders may move again, in milliseconds
let given = 0; // symbols at the beginning that were read

const blob = URL.createObjectURL(new Blob([at("program").textContent], { type: "text/javascript" }));
const worker = new Worker(blob);
worker.onmessage = ({ data }) => ({ ready, more, shown, done })[data.type](data);
worker.onerror = (event) => say(`the network has stopped: ${event.message}`);
worker.postMessage({ type: "begin", config: model.network, dtype: model.dtype, kernel: model.kernel,
  line_end: model.line_end, weights: at("weights").textContent });

// Runs

function ready() {
  URL.revokeObjectURL(blob);
  for (const id of ["write", "read"]) at(id).disabled = false;
  say("ready");
}

/* Read the text in the box, and write on from it where there are rules to write by. */
function begin(rules) {
  const { known, unknown } = symbols.encode(at("prime").value);
  const read = known.slice(0, rules.length ? MOST - 1 : MOST);
  const notes = [];
  if (unknown.length) notes.push(`left out, unknown to the model: ${unknown.slice(0, 10).join(" ")}`);
  if (read.length < known.length) notes.push(`only the first ${counted(read.length)} of ${counted(known.length)} read`);
  start(0, read, rules, notes);
}

function write() {
  const rules = rulesOfFields();
  if (rules) begin(rules);
}

function read() {
  if (at("prime").value) begin({ length: 0 });
  else say("nothing to read: put a text into the box");
}

/* Write on behind the symbol that was chosen, or else at the end. */
function goOn() {
  const rules = rulesOfFields();
  if (rules && view.length) start(view.pinned ? view.place + 1 : view.length, [], rules, []);
}

function start(keep, read, rules, notes) {
  const length = Math.min(rules.length, MOST - keep - read.length);
  if (keep === MOST) return say(`the text is full: the page keeps ${counted(MOST)} characters`);
  view.cut(keep);
  ids.length = keep;
  symbols.goOnBehind(ids);
  given = keep ? Math.min(given, keep) : read.length;
  run = { number: run.number + 1, writes: length > 0, seed: rules.seed, notes };
  setRunning(true);
  say(run.writes ? "writing …" : "reading …");
  worker.postMessage({ type: "run", run: run.number, keep, ids: Uint32Array.from(read), length, rules,
    pace: run.writes ? pace() : 0 });
}

/* The rules that the fields give; a seed by chance where none is given. Null where one is wrong. */
function rulesOfFields() {
  for (const field of ["length", "seed", "top-k", "top-p", "min-p"].map(at)) {
    if (field.checkValidity() && (field.value !== "" || field.placeholder)) continue;
    at("rules").open = true;
    field.focus();
    say(`${field.id} must be ${field.step === "1" ? "a whole number " : ""}from ${field.min} to ${field.max}`);
    return null;
  }
  const number = (id) => at(id).valueAsNumber;
  const chance = crypto.getRandomValues(new Uint32Array(1))[0];
  return { length: number("length"), temperature: number("temperature"), top_k: number("top-k"),
    top_p: number("top-p"), min_p: number("min-p"), seed: at("seed").value === "" ? chance : number("seed") };
}

/* Characters a second, 0 without a limit. */
function pace() {
  const place = at("pace").valueAsNumber;
  return place === FASTEST ? 0 : Math.round(10 ** (place / 10));
}

/* A batch of symbols that were read or written. */
function more(batch) {
  if (batch.run !== run.number) return;
  const { start } = batch;
  surprises.set(batch.surprises, start);
  predicted.set(batch.top, start * TOP);
  chances.set(batch.chances, start * TOP);
  values.set(batch.shown, start);
  const wasAtEnd = atEnd();
  view.append(Array.from(batch.ids, (id) => ({ text: textOf(id), endsLine: symbols.codes[id] === LINE_END })));
  ids.push(...batch.ids);
  for (let n = start; n < view.length; n++) paint(n);
  run.values = batch.values;
  followNow();
  if (!view.pinned) showPlace(view.length - 1);
  if (wasAtEnd && run.writes && !still.matches) at("text").scrollIntoView({ block: "end" });
}

/* Let the sliders follow the values, a few times a second. */
function followNow() {
  if (still.matches || performance.now() < followAgain) return;
  followAgain = performance.now() + 200;
  list.follow(run.values, model.network.hidden_size);
}

/* Whether the end of the text can be seen, above the panel. */
function atEnd() {
  return at("text").getBoundingClientRect().bottom < innerHeight + 40;
}

function done({ run: number, symbols: count, seconds, stopped }) {
  if (number !== run.number) return;
  setRunning(false);
  if (run.values) list.follow(run.values, model.network.hidden_size);
  const facts = [`${counted(count)} ${symbols.isBytes ? "bytes" : "characters"}`,
    `${counted(Math.round(count / seconds))} a second`];
  if (stopped) facts.unshift("stopped");
  if (run.writes) facts.push(`seed ${run.seed}`);
  else facts.push(`${bitsPerSymbol().toFixed(3)} bits per ${symbols.isBytes ? "byte" : "character"}`);
  say([...facts, ...run.notes].join(" · "));
}

function bitsPerSymbol() {
  return ids.length ? surprises.subarray(0, ids.length).reduce((sum, bits) => sum + bits, 0) / ids.length : 0;
}

function setRunning(running) {
  at("stop").disabled = !running;
  at("on").disabled = running || !view.length;
  if (running) at("hint").hidden = true;
}

function say(text) {
  at("status").textContent = text;
}

const counted = (number) => number.toLocaleString("en");

// The text

const textOf = (id) => {
  const text = symbols.written(id); // which bytes make a character is known by all of them
  return at("signs").checked ? symbols.name(id) : text;
};

function paint(n) {
  const value = colour === "none" ? 0 : colour === "surprise" ? Math.min(127, surprises[n] * 127 / STRONGEST) : values[n];
  view.paint(n, value, n < given ? " given" : "", colour === "surprise" ? SHADES / 2 : 1);
}

function paintAll() {
  for (let n = 0; n < view.length; n++) paint(n);
  if (view.place >= 0) showPlace(view.place);
}

function writeAnew() {
  at("text").classList.toggle("running", !at("signs").checked);
  symbols.goOnBehind([]);
  view.spans.forEach((span, n) => { span.textContent = textOf(ids[n]); });
}

/* What the panel says of symbol n. */
function showPlace(n, speak = false) {
  const rows = [];
  for (let k = n * TOP; k < (n + 1) * TOP; k++) {
    if (chances[k] >= 0) rows.push({ symbol: symbols.name(predicted[k]), p: chances[k] });
  }
  const items = showPredictions(at("predictions"), rows);
  const neuron = typeof colour === "object" ? colour : null;
  at("character").textContent = symbols.name(ids[n]);
  at("place").textContent = `${n + 1} of ${view.length}${view.pinned ? ", chosen" : ""}`;
  at("surprise").textContent = `${surprises[n].toFixed(2)} bits`;
  at("value-of").textContent = neuron ? neuron.title : "neuron";
  at("value").textContent = neuron ? signed(values[n] / 127) : "none picked";
  if (speak) {
    at("said").textContent = `${symbols.name(ids[n])}, surprise ${surprises[n].toFixed(1)} bits, next most probably ` +
      items.slice(0, 2).map((item) => item.textContent).join(", ");
  }
}

function pressedInText(key) {
  if (key === "Enter" && view.length) goOn();
  else if (key === "Escape") view.unpin();
  else return false;
  return true;
}

// Colours and neurons

function colourBy(chosen) {
  colour = chosen;
  const neuron = typeof chosen === "object" ? chosen : null;
  at("colour").value = neuron ? neuron.title : chosen;
  at("text").classList.toggle("plain", chosen === "none");
  at("legend").dataset.scale = neuron ? "value" : chosen;
  at("low").textContent = neuron ? "−1" : "0";
  at("high").textContent = neuron ? "1" : `${STRONGEST} bits`;
  list.markPicked(neuron);
  if (neuron) worker.postMessage({ type: "show", layer: neuron.layer, unit: neuron.unit });
  else paintAll();
}

/* The values of the neuron that was picked, at each symbol so far. */
function shown(message) {
  values.set(message.values);
  paintAll();
}

function holdUnits() {
  worker.postMessage({ type: "hold", units: list.held() });
}

function addNeuron(neuron) {
  const added = list.add(neuron);
  at("colour").append(make("option", { value: added.title, textContent: added.name }));
  return added;
}

function addNamed() {
  const field = at("unit"), { layers, hidden_size } = model.network;
  const [, layer, unit] = (/^L?(\d+):(\d+)$/i.exec(field.value.trim()) ?? []).map(Number);
  const exists = layer < layers && unit < hidden_size;
  field.setCustomValidity(exists ? "" : "there is no such unit");
  if (!exists) {
    field.focus();
    return say(`there is no unit ${field.value}: name one from L0:0 to L${layers - 1}:${hidden_size - 1}`);
  }
  const neuron = list.find({ layer, unit }) ?? addNeuron({ layer, unit });
  neuron.item.scrollIntoView({ block: "nearest" });
  field.value = "";
  colourBy(neuron);
}

// Controls

for (const [id, act] of Object.entries({ write, read, on: goOn, add: addNamed })) at(id).addEventListener("click", act);
at("stop").addEventListener("click", () => worker.postMessage({ type: "stop" }));
at("unit").addEventListener("keydown", (event) => event.key === "Enter" && addNamed());
at("prime").addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && write());
at("temperature").addEventListener("input", showRules);
at("pace").addEventListener("input", () => {
  showRules();
  if (run.writes) worker.postMessage({ type: "pace", pace: pace() });
});
at("signs").addEventListener("change", writeAnew);
at("colour").addEventListener("change", ({ target: { value } }) =>
  colourBy(list.neurons.find((neuron) => neuron.title === value) ?? value));

function showRules() {
  at("temperature-shown").textContent = at("temperature").valueAsNumber.toFixed(2);
  at("pace-shown").textContent = pace() ? `${counted(pace())} a second` : "no limit";
}

model.neurons.forEach(addNeuron);
startControls();
showRules();
colourBy("surprise");
