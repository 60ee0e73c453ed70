/* Small helpers that every page uses. */

const at = (id) => document.getElementById(id);
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

const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const unitName = ({ layer, unit }) => `L${layer}:${unit}`;
const signed = (x, digits = 2) => x === null ? "" : (x < 0 ? "−" : "+") + Math.abs(x).toFixed(digits);

/* The button that turns light to dark and back. */
function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

/* Show what needs this script, and the controls that all pages have. */
function startControls() {
  at("theme").addEventListener("click", switchTheme);
  at("marks").addEventListener("change", (event) => document.documentElement.classList.toggle("marks", event.target.checked));
  for (const node of document.querySelectorAll("[data-live]")) node.hidden = false;
}
