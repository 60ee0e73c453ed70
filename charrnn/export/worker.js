/* Reads and writes in a thread of its own, a batch of symbols at a time, so that the page stays free.

   To it:   begin {config, weights, dtype, kernel, line_end}   the network
            run {run, keep, ids, length, rules, pace}     keep so many symbols of the text, read `ids`,
                                                          then write `length` more
            hold {units}   show {layer, unit}   pace {pace}   stop
   From it: ready
            more {run, start, ids, surprises, top, chances, shown, values}   a batch
            shown {values}                                what `show` has asked for
            done {run, symbols, seconds, stopped} */

const BATCH_MS = 50, MOST_IN_BATCH = 4096;
const TOP = 5; // most probable next symbols that are reported
const SNAPSHOT = 64; // symbols between two states that are kept to go on from
const CHUNK = 1000; // symbols whose values lie in one array

let network, chooser, lineEnd, job = null, shown = null;
const text = []; // the ids so far
const snapshots = []; // the state before symbol 0, SNAPSHOT, 2 · SNAPSHOT …
const values = []; // of all units at each symbol, from −127 to 127: arrays of CHUNK × (L · H)
let p = null; // the probability of each next symbol, as the network says it
const batch = {
  ids: new Uint32Array(MOST_IN_BATCH), surprises: new Float32Array(MOST_IN_BATCH),
  top: new Uint32Array(MOST_IN_BATCH * TOP), chances: new Float32Array(MOST_IN_BATCH * TOP),
  shown: new Int8Array(MOST_IN_BATCH),
};
const next = new MessageChannel(); // a message to oneself arrives sooner than a timer
next.port1.onmessage = ({ data }) => workOn(data);

const HANDLERS = {
  begin({ config, weights, dtype, kernel, line_end }) {
    network = new Network(config, decoded(weights, dtype), decodedBytes(kernel));
    chooser = new Chooser(network.V);
    p = new Float64Array(network.V);
    lineEnd = line_end;
    postMessage({ type: "ready" });
  },

  run({ run, keep, ids, length, rules, pace }) {
    finish(true);
    // as `charrnn sample` and `charrnn score` begin
    goBack(Math.min(keep, text.length), ids.length === 0 || length === 0);
    predict();
    job = { run, ids, read: 0, left: ids.length + length, rules, pace, random: new Random(rules.seed),
      began: performance.now(), paceBegan: performance.now(), sincePace: 0, symbols: 0 };
    work();
  },

  hold({ units }) {
    network.hold(units);
  },

  show({ layer, unit }) {
    shown = layer * network.H + unit;
    const found = Int8Array.from(text, (_, n) => valueAt(n, shown));
    postMessage({ type: "shown", values: found }, [found.buffer]);
  },

  pace({ pace }) {
    if (job) Object.assign(job, { pace, paceBegan: performance.now(), sincePace: 0 });
  },

  stop() {
    finish(true);
  },
};
onmessage = ({ data }) => HANDLERS[data.type](data);

/* Take back what comes after the first `keep` symbols, and bring the network to where it was; where
   nothing is left, to a state of zeros, or to that after a line end. */
function goBack(keep, afterLineEnd) {
  const last = keep ? Math.min(Math.floor(keep / SNAPSHOT), snapshots.length - 1) : -1;
  if (last >= 0) network.restore(snapshots[last]);
  else {
    network.reset();
    if (lineEnd !== null && afterLineEnd) network.step(lineEnd);
  }
  for (let n = Math.max(last, 0) * SNAPSHOT; n < keep; n++) network.step(text[n]);
  text.length = keep;
  snapshots.length = Math.min(snapshots.length, Math.ceil(keep / SNAPSHOT));
}

/* Read or write symbols until the time of a batch is over, and tell of them. */
function work() {
  const start = text.length, until = performance.now() + BATCH_MS;
  const most = Math.min(job.left, MOST_IN_BATCH, job.pace ? due() : Infinity);
  let count = 0;
  while (count < most && (count & 7 || performance.now() < until)) advance(count++);
  job.left -= count;
  job.symbols += count;
  job.sincePace += count;
  if (count) tell(start, count);
  if (job.left <= 0) finish(false);
  else if (job.pace && count === most) setTimeout(workOn, 1000 / Math.min(job.pace, 60), job.run);
  else next.port2.postMessage(job.run);
}

/* A turn of a run, if it has not ended in the meantime. */
function workOn(run) {
  if (job?.run === run) work();
}

/* Symbols that have become due since the last batch, at `pace` symbols a second. */
function due() {
  return Math.floor((performance.now() - job.paceBegan) / 1000 * job.pace) - job.sincePace;
}

/* Read the next symbol that was given, or write one; note it as number `n` of the batch. */
function advance(n) {
  if (text.length % SNAPSHOT === 0) snapshots[text.length / SNAPSHOT] = network.state.slice();
  const id = job.read < job.ids.length ? job.ids[job.read++]
    : chooser.draw(network.logits, job.rules, job.random);
  batch.ids[n] = id;
  batch.surprises[n] = -Math.log2(p[id]);
  network.step(id);
  predict();
  noteTop(n * TOP);
  noteValues(text.length);
  if (shown !== null) batch.shown[n] = valueAt(text.length, shown);
  text.push(id);
}

/* p = softmax(logits) */
function predict() {
  const { logits } = network, most = logits[largest(logits)];
  let sum = 0;
  for (let id = 0; id < p.length; id++) sum += p[id] = exp(logits[id] - most);
  for (let id = 0; id < p.length; id++) p[id] /= sum;
}

/* The TOP most probable symbols, the first of equals first; a chance of −1 where there are fewer. */
function noteTop(at) {
  const { top, chances } = batch;
  let count = 0;
  for (let id = 0; id < p.length; id++) {
    if (count === TOP && p[id] <= p[top[at + TOP - 1]]) continue;
    let place = Math.min(count, TOP - 1);
    for (; place > 0 && p[id] > p[top[at + place - 1]]; place--) top[at + place] = top[at + place - 1];
    top[at + place] = id;
    if (count < TOP) count++;
  }
  for (let k = 0; k < TOP; k++) chances[at + k] = k < count ? p[top[at + k]] : -1;
}

function noteValues(n) {
  const size = network.values.length, chunk = Math.floor(n / CHUNK), start = n % CHUNK * size;
  values[chunk] ??= new Int8Array(CHUNK * size);
  for (let k = 0; k < size; k++) values[chunk][start + k] = Math.round(127 * network.values[k]);
}

function valueAt(n, unit) {
  return values[Math.floor(n / CHUNK)][n % CHUNK * network.values.length + unit];
}

function tell(start, count) {
  const parts = { ids: batch.ids.slice(0, count), surprises: batch.surprises.slice(0, count),
    top: batch.top.slice(0, count * TOP), chances: batch.chances.slice(0, count * TOP),
    shown: batch.shown.slice(0, count), values: network.values.slice() };
  const { run } = job;
  postMessage({ type: "more", run, start, ...parts }, Object.values(parts).map((x) => x.buffer));
}

function finish(stopped) {
  if (!job) return;
  const { run, symbols, began } = job;
  job = null;
  postMessage({ type: "done", run, symbols, seconds: (performance.now() - began) / 1000, stopped });
}
