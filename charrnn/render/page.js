"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const values = data.units.map((unit) => new Int8Array(bytes(unit.values).buffer));
const tracks = data.features.map((feature) => {
  const track = bytes(feature.track);
  if (feature.kind !== "flag") return track;
  return Uint8Array.from({ length: data.length }, (_, n) => track[n >> 3] >> (n & 7) & 1);
});
const predicted = new Uint16Array(bytes(data.predicted).buffer);
const chances = bytes(data.chances);
const spans = [...document.querySelectorAll("#text .c")];
const root = document.documentElement;
let current = 0;
let place = -1;

const make = (name, properties = {}, ...children) => {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
};
const svg = (name, attributes, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};
const title = (unit) => `L${unit.layer}:${unit.unit}`;
const signed = (x, digits = 2) => x === null ? "" : (x < 0 ? "−" : "+") + Math.abs(x).toFixed(digits);
const shade = (q) => Math.round(q * 20 / 127);

function about(unit) {
  const claim = unit.claim;
  if (!claim) return "no search was made";
  const parts = [claim.label === "unexplained" ? `unexplained: ${claim.reason}` : claim.label];
  parts.push(`${claim.feature} ${signed(claim.score)}`);
  if (claim.within_character !== null) parts.push(`among equal characters ${signed(claim.within_character)}`);
  if (claim.iou !== null) parts.push(`overlap ${claim.iou.toFixed(2)}`);
  if (claim.p !== null) parts.push(`p = ${claim.p.toFixed(3)}`);
  parts.push(`best of fresh networks ${claim.twins.toFixed(2)}`);
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
  spans.forEach((span, n) => {
    const q = shade(values[current][n]);
    const sign = q > 0 ? " plus" : q < 0 ? " minus" : "";
    span.className = `c v${q < 0 ? "m" + -q : q}${sign}${trackClass(feature, n)}${n === place ? " here" : ""}`;
  });
  at("which").textContent = title(unit);
  at("about").textContent = about(unit);
  histogram(unit);
  moments("highest", unit.highest);
  moments("lowest", unit.lowest);
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
  if (place >= 0) look(place);
  if (remember) history.replaceState(null, "", "#" + title(unit));
  at("said").textContent = `unit ${title(unit)}: ${about(unit)}`;
}

function look(n, speak = false) {
  if (place >= 0) spans[place].classList.remove("here");
  place = Math.max(0, Math.min(spans.length - 1, n));
  spans[place].classList.add("here");
  const value = values[current][place] / 127;
  const rows = [];
  for (let k = 0; k < data.top; k++) {
    const p = chances[place * data.top + k] / 255;
    const bar = make("span", { className: "bar" });
    bar.style.width = `${100 * p}%`;
    rows.push(make("li", {},
      make("span", { className: "symbol", textContent: data.symbols[predicted[place * data.top + k]] }),
      make("span", { textContent: `${(100 * p).toFixed(1)} %` }), make("span", {}, bar)));
  }
  at("predictions").replaceChildren(...rows);
  at("character").textContent = spans[place].textContent;
  at("place").textContent = `${place + 1} of ${spans.length}`;
  at("value").textContent = signed(value);
  at("follows").textContent = data.features
    .filter((f, k) => f.kind === "flag" && tracks[k][place]).map((f) => f.name).join(", ") || "none";
  if (speak) {
    at("said").textContent = `${spans[place].textContent}, value ${signed(value)}, next most probably ` +
      rows.slice(0, 2).map((row) => row.textContent).join(", ");
    spans[place].scrollIntoView({ block: "nearest" });
  }
}

function histogram(unit) {
  const [width, height, bins] = [420, 150, unit.histogram_on.length];
  const most = Math.max(1, ...unit.histogram_on, ...unit.histogram_off);
  const bar = (count, n, name) => {
    const tall = (height - 24) * Math.sqrt(count / most);
    return svg("rect", { x: n * width / bins, y: height - 20 - tall, width: width / bins - 1, height: tall, class: name });
  };
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `how often ${title(unit)} had each value, from −1 to 1, where its feature is on and off` },
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

function moments(id, list) {
  at(id).replaceChildren(...list.map((moment) => make("li", {},
    make("span", { className: "value", textContent: signed(moment.value) }),
    moment.before, make("b", { textContent: moment.character }), moment.after)));
}

function scatter() {
  const picked = data.saturation[Number(at("gate").value)];
  const size = 260;
  const picture = svg("svg", { viewBox: `-28 -8 ${size + 40} ${size + 40}`, role: "img",
    "aria-label": `units of layer ${picked.layer}: share of time in which gate ${picked.gate} is shut and open; the table below has the numbers` },
  svg("rect", { x: 0, y: 0, width: size, height: size, fill: "none", class: "axis" }));
  picked.low.forEach((low, n) => {
    const dot = svg("circle", { cx: low * size, cy: size - picked.high[n] * size, r: 3.5, class: "dot" });
    const name = svg("title", {});
    name.textContent = `L${picked.layer}:${n} shut ${low.toFixed(2)}, open ${picked.high[n].toFixed(2)}`;
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
    `${title(unit)} ${unit.claim ? unit.claim.feature + " " + unit.claim.label : ""}`.toLowerCase().includes(wanted));
  at("units").replaceChildren(...items.map(({ unit, n }) => {
    const button = make("button", { type: "button" },
      make("span", { className: "name", textContent: title(unit) }),
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
  const number = data.units.findIndex((unit) => "#" + title(unit) === decodeURIComponent(location.hash));
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
at("marks").addEventListener("change", (event) => root.classList.toggle("marks", event.target.checked));
at("theme").addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
at("text").addEventListener("mouseover", (event) => {
  const n = spans.indexOf(event.target);
  if (n >= 0) look(n);
});
at("text").addEventListener("click", (event) => {
  const n = spans.indexOf(event.target);
  if (n >= 0) { look(n); at("text").focus(); }
});
at("text").addEventListener("keydown", (event) => {
  const steps = { ArrowRight: 1, ArrowLeft: -1, PageDown: 50, PageUp: -50, End: 1e9, Home: -1e9 };
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key in steps) look(place < 0 ? 0 : place + steps[event.key], true);
  else if (event.key === "ArrowDown") choose(current + 1);
  else if (event.key === "ArrowUp") choose(current - 1);
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== at("search")) { at("search").focus(); event.preventDefault(); }
});
addEventListener("hashchange", fromHash);
for (const node of document.querySelectorAll("[data-live]")) node.hidden = false;
list();
if (!fromHash()) choose(0, { remember: false });
look(0);
at("said").textContent = "";
