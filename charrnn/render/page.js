const data = JSON.parse(at("data").textContent);
const values = data.units.map((unit) => new Int8Array(bytes(unit.values).buffer));
const tracks = data.features.map((feature) => {
  const track = bytes(feature.track);
  if (feature.kind !== "flag") return track;
  return Uint8Array.from({ length: data.length }, (_, n) => track[n >> 3] >> (n & 7) & 1);
});
const predicted = new Uint16Array(bytes(data.predicted).buffer);
const chances = bytes(data.chances);
const view = new TextView(at("text"), { onLook: showPlace, onKey: chooseNext });
let current = 0;

function about(unit) {
  const claim = unit.claim;
  if (!claim) return "no search was made";
  const parts = [claim.label === "unexplained" ? `unexplained: ${claim.reason}` : claim.label];
  parts.push(`${claim.feature} ${signed(claim.score)}`);
  if (claim.within_character !== null) parts.push(`among equal characters ${signed(claim.within_character)}`);
  if (claim.iou !== null) parts.push(`overlap ${claim.iou.toFixed(2)}`);
  if (claim.p !== null) parts.push(`p = ${claim.p.toFixed(3)}`);
  parts.push(`untrained baseline ${claim.untrained.toFixed(2)}`);
  const effect = claim.effect;
  if (effect) {
    parts.push(`held still it costs ${signed(effect.bits, 4)} bits a character ` +
      `(${signed(effect.low, 4)} to ${signed(effect.high, 4)}): ` +
      (effect.used ? "encoded and used" : "encoded, no effect measured"));
  }
  return parts.join(" · ");
}

function trackClass(feature, n) {
  const value = tracks[feature][n];
  if (data.features[feature].kind === "flag") return value ? " on" : "";
  return value ? ` t${Math.min(4, 1 + (value >> 6))}` : "";
}

function paint() {
  const unit = data.units[current];
  const feature = Number(at("feature").value);
  for (let n = 0; n < view.length; n++) view.paint(n, values[current][n], trackClass(feature, n));
  at("which").textContent = unitName(unit);
  at("about").textContent = about(unit);
  if (at("explanation")) explain(unit);
  histogram(unit);
  peaks("highest", unit.highest);
  peaks("lowest", unit.lowest);
  for (const button of document.querySelectorAll("#units button")) {
    if (Number(button.dataset.unit) === current) {
      button.setAttribute("aria-current", "true");
      button.scrollIntoView({ block: "nearest" });
    } else button.removeAttribute("aria-current");
  }
}

function choose(number, { remember = true } = {}) {
  current = (number + data.units.length) % data.units.length;
  const unit = data.units[current];
  const feature = unit.claim ? data.features.findIndex((f) => f.name === unit.claim.feature) : -1;
  if (feature >= 0) at("feature").value = String(feature);
  paint();
  if (view.place >= 0) showPlace(view.place);
  if (remember) history.replaceState(null, "", "#" + unitName(unit));
  at("said").textContent = `unit ${unitName(unit)}: ${about(unit)}`;
}

function showPlace(place, speak = false) {
  const value = values[current][place] / 127;
  const symbol = view.spans[place].textContent;
  const rows = showPredictions(at("predictions"), Array.from({ length: data.top }, (_, k) =>
    ({ symbol: data.symbols[predicted[place * data.top + k]], p: chances[place * data.top + k] / 255 })));
  at("character").textContent = symbol;
  at("place").textContent = `${place + 1} of ${view.length}`;
  at("value").textContent = signed(value);
  at("follows").textContent = data.features
    .filter((f, k) => f.kind === "flag" && tracks[k][place]).map((f) => f.name).join(", ") || "none";
  if (speak) {
    at("said").textContent = `${symbol}, value ${signed(value)}, next most probably ` +
      rows.slice(0, 2).map((row) => row.textContent).join(", ");
  }
}

function chooseNext(key) {
  if (key === "ArrowDown") choose(current + 1);
  else if (key === "ArrowUp") choose(current - 1);
  else return false;
  return true;
}

function histogram(unit) {
  const [width, height, bins] = [420, 150, unit.histogram_on.length];
  const most = Math.max(1, ...unit.histogram_on, ...unit.histogram_off);
  const bar = (count, n, name) => {
    const tall = (height - 24) * Math.sqrt(count / most);
    return svg("rect", { x: n * width / bins, y: height - 20 - tall, width: width / bins - 1, height: tall, class: name });
  };
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `how often ${unitName(unit)} had each value, from −1 to 1, where its feature is on and off` },
  ...unit.histogram_off.map((count, n) => bar(count, n, "off")),
  ...unit.histogram_on.map((count, n) => bar(count, n, "lit")),
  svg("line", { x1: 0, x2: width, y1: height - 20, y2: height - 20, class: "axis" }));
  for (const [x, label, anchor] of [[0, "−1", "start"], [width / 2, "0", "middle"], [width, "1", "end"]]) {
    const text = svg("text", { x, y: height - 6, "text-anchor": anchor });
    text.textContent = label;
    picture.append(text);
  }
  at("histogram").replaceChildren(picture);
}

function explain(unit) {
  at("explanation").hidden = unit.explanation.length === 0;
  at("words").replaceChildren(...unit.explanation.flatMap(([heading, text]) =>
    [make("dt", { textContent: heading }), make("dd", { textContent: text })]));
}

function peaks(id, list) {
  at(id).replaceChildren(...list.map((peak) => make("li", {},
    make("span", { className: "value", textContent: signed(peak.value) }),
    peak.before, make("b", { textContent: peak.character }), peak.after)));
}

function scatter() {
  const picked = data.saturation[Number(at("gate").value)];
  const size = 260;
  const picture = svg("svg", { viewBox: `-28 -8 ${size + 40} ${size + 40}`, role: "img",
    "aria-label": `units of layer ${picked.layer}: share of time in which gate ${picked.gate} is closed and open; the table below has the numbers` },
  svg("rect", { x: 0, y: 0, width: size, height: size, fill: "none", class: "axis" }));
  picked.low.forEach((low, n) => {
    const dot = svg("circle", { cx: low * size, cy: size - picked.high[n] * size, r: 3.5, class: "dot" });
    const name = svg("title", {});
    name.textContent = `L${picked.layer}:${n} closed ${low.toFixed(2)}, open ${picked.high[n].toFixed(2)}`;
    dot.append(name);
    picture.append(dot);
  });
  const label = (x, y, text, extra = {}) => {
    const node = svg("text", { x, y, ...extra });
    node.textContent = text;
    picture.append(node);
  };
  label(size / 2, size + 24, "share of time below 0.1", { "text-anchor": "middle" });
  label(-size / 2, -12, "share of time above 0.9", { "text-anchor": "middle", transform: "rotate(-90)" });
  at("scatter").replaceChildren(picture);
  at("saturation-rows").replaceChildren(...picked.low.map((low, n) => make("tr", {},
    make("th", { scope: "row", textContent: `L${picked.layer}:${n}` }),
    make("td", { textContent: picked.gate }), make("td", { textContent: low.toFixed(3) }),
    make("td", { textContent: picked.high[n].toFixed(3) }))));
}

function list(filter = "") {
  const wanted = filter.trim().toLowerCase();
  const items = data.units.map((unit, n) => ({ unit, n })).filter(({ unit }) =>
    `${unitName(unit)} ${unit.claim ? unit.claim.feature + " " + unit.claim.label : ""}`.toLowerCase().includes(wanted));
  at("units").replaceChildren(...items.map(({ unit, n }) => {
    const button = make("button", { type: "button" },
      make("span", { className: "name", textContent: unitName(unit) }),
      make("span", { textContent: unit.claim ? unit.claim.feature : "" }),
      make("span", { className: "score", textContent: unit.claim ? signed(unit.claim.score) : "" }),
      make("span", { className: "label", textContent: unit.claim ? unit.claim.label : "" }));
    button.dataset.unit = n;
    button.addEventListener("click", () => choose(n));
    return make("li", {}, button);
  }));
  at("found").textContent = `${items.length} of ${data.units.length} units`;
}

function fromHash() {
  const number = data.units.findIndex((unit) => "#" + unitName(unit) === decodeURIComponent(location.hash));
  if (number >= 0) choose(number, { remember: false });
  return number >= 0;
}

at("feature").replaceChildren(...data.features.map((feature, n) =>
  make("option", { value: n, textContent: feature.name, title: feature.description })));
at("feature").addEventListener("change", paint);
at("gate").replaceChildren(...data.saturation.map((entry, n) =>
  make("option", { value: n, textContent: `layer ${entry.layer}, gate ${entry.gate}` })));
at("gate").addEventListener("change", scatter);
if (data.saturation.length) scatter(); else at("saturation").hidden = true;
at("search").addEventListener("input", (event) => list(event.target.value));
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== at("search")) { at("search").focus(); event.preventDefault(); }
});
addEventListener("hashchange", fromHash);
startControls();
list();
if (!fromHash()) choose(0, { remember: false });
view.look(0);
at("said").textContent = "";
