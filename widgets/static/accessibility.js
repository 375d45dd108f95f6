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

function initialize() {
  if (globalThis.workbenchAccessibility) return;
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
