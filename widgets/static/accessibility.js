// What ipywidgets 8 leaves out for people who use a keyboard or a screen reader, mended for the whole page:
// sliders get a name and the value as it is shown, toggle buttons say whether they are pressed, the text line of a panel
// is read when it changes.

const text = (node, selector) => node.querySelector(selector)?.textContent.trim() ?? "";

function put(node, name, value) {
  if (node && value && node.getAttribute(name) !== value) node.setAttribute(name, value);
}

function slider(box) {
  const label = text(box, ".widget-label");
  const readout = box.querySelector(".widget-readout");
  const shown = readout?.textContent.trim() ?? "";
  const handles = box.querySelectorAll(".noUi-handle");
  const ends = handles.length === 2 ? [", lower end", ", upper end"] : [""];
  const values = handles.length === 2 ? shown.split(/\s+[–-]\s+/) : [shown];
  handles.forEach((handle, k) => {
    put(handle, "aria-label", label + ends[k]);
    put(handle, "aria-valuetext", values[k] ?? shown);
  });
  put(readout, "role", "textbox");
  put(readout, "aria-label", `${label}, typed`);
}

function toggle(button) {
  put(button, "aria-pressed", String(button.classList.contains("mod-active")));
}

function toggleGroup(box) {
  put(box, "role", "group");
  put(box, "aria-label", text(box, ".widget-label"));
  box.querySelectorAll("button").forEach(toggle);
}

function progress(box) {
  const bar = box.querySelector(".progress-bar");
  put(box, "role", "progressbar");
  put(box, "aria-label", text(box, ".widget-label"));
  put(box, "aria-valuenow", String(Math.round(parseFloat(bar?.style.width || "0"))));
}

// While a slider is dragged the text changes many times a second: it is read once it has come to rest.
const REST = 500; // ms
const timers = new WeakMap();

function status(line) {
  put(line, "role", "status");
  put(line, "aria-live", "polite");
  if (line.textContent === line.workbenchText) return;
  line.workbenchText = line.textContent;
  put(line, "aria-busy", "true");
  clearTimeout(timers.get(line));
  timers.set(line, setTimeout(() => put(line, "aria-busy", "false"), REST));
}

const MENDED = [
  [".widget-slider", slider],
  [".widget-toggle-button", toggle],
  [".widget-toggle-buttons", toggleGroup],
  [".widget-hprogress", progress],
  [".workbench-status .widget-html-content", status],
];

function mend(node) {
  for (const [selector, repair] of MENDED) {
    const around = node.closest(selector);
    if (around) repair(around);
    node.querySelectorAll(selector).forEach(repair);
  }
}

// ---- What a label and the symbols in it mean: shown beside it on hover, on touch and when its control has the focus.
const LETTER = "[\\p{L}\\p{N}_₊₋₁₂⁺]";
let tip;

// The entries of the glossary that a text uses, in the order in which they stand there.
function symbolsIn(words, glossary) {
  return Object.keys(glossary)
    .map((symbol) => [words.search(new RegExp(`(?<!${LETTER})${symbol}(?!${LETTER})`, "u")), symbol])
    .filter(([place]) => place >= 0).sort(([a], [b]) => a - b).map(([, symbol]) => symbol);
}

function hide() {
  tip?.remove();
  tip = undefined;
}

function showTip(label, glossary) {
  hide();
  const words = label.textContent;
  const lines = [label.dataset.tip ?? label.title, ...symbolsIn(words, glossary).map((symbol) => `${symbol}: ${glossary[symbol]}`)];
  const told = lines.filter(Boolean);
  if (label.title) { label.dataset.tip = label.title; label.removeAttribute("title"); } // else the browser shows it a second time
  if (!told.length) return;
  tip = document.createElement("div");
  tip.className = "workbench-tip";
  tip.setAttribute("role", "tooltip");
  for (const line of told) tip.append(Object.assign(document.createElement("div"), { textContent: line }));
  document.body.append(tip);
  const { left, top, bottom } = label.getBoundingClientRect();
  const below = bottom + tip.offsetHeight + 8 < innerHeight;
  tip.style.left = `${Math.max(8, Math.min(left, innerWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${below ? bottom + 4 : top - tip.offsetHeight - 4}px`;
}

const labelOf = (node) => node.closest?.(".workbench-panel .widget-inline-hbox")?.querySelector(".widget-label, .widget-label-basic");

function explain(glossary) {
  const at = (event) => { const label = event.target.closest?.(".workbench-panel :is(.widget-label, .widget-label-basic)"); if (label) showTip(label, glossary); };
  document.addEventListener("pointerover", at);
  document.addEventListener("click", at);
  document.addEventListener("pointerout", (event) => event.target.closest?.(".widget-label, .widget-label-basic") && hide());
  document.addEventListener("focusin", (event) => {
    const label = event.target.matches?.(":focus-visible") && labelOf(event.target);
    if (label) showTip(label, glossary); else hide();
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
}

// A run that is under way would be lost: the browser asks before it leaves. In Voila alive.js sees to it.
const askBeforeLeaving = (event) => document.querySelector(".workbench-running") && event.preventDefault();

function initialize({ model }) {
  if (globalThis.workbenchAccessibility) return;
  addEventListener("beforeunload", askBeforeLeaving);
  explain(model.get("glossary"));
  const touched = new Set();
  const observer = new MutationObserver((changes) => {
    for (const { target } of changes) touched.add(target.nodeType === 1 ? target : target.parentElement);
    touched.forEach((node) => node?.isConnected && !node.closest(".workbench-figure") && mend(node));
    touched.clear();
  });
  observer.observe(document.body, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["aria-valuetext", "class"],
  });
  globalThis.workbenchAccessibility = observer;
  mend(document.body);
}
export default { initialize };
