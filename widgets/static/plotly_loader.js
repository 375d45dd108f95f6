// What plotly reports to Python after each redraw and mouse move, and nobody reads: all default values, every hover.
// Leaving it out makes a redraw a tenth faster and halves its messages. This copy of plotly.js is ours alone.
const UNREAD = ["_sendTraceDeltas", "_sendLayoutDelta", "handle_plotly_hover", "handle_plotly_unhover"];

function quicken(bundle) {
  for (const name of UNREAD) bundle.FigureView.prototype[name] = () => {};
  fitToBox(bundle.FigureView);
  return { ...bundle, redraw: drawQuickly(bundle) };
}

// Evaluating megabytes of script blocks the page for up to a second. anywidget gives each model two seconds to get ready:
// wait until the page is idle, so that the models which arrived together with this one are ready first.
async function fromBytes(source) {
  const idle = globalThis.requestIdleCallback ?? ((run) => setTimeout(run, 50));
  await new Promise((resolve) => idle(resolve, { timeout: 1000 }));
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  return import(url).finally(() => URL.revokeObjectURL(url));
}

// Once per page: a second kernel on the page finds it loaded.
function initialize({ model }) {
  const bundle = model.get("bundle");
  const shared = sharedPlotly(bundle);
  if (shared.started) return;
  shared.started = true;
  Object.assign(shared, { takeInHand, predict, answer });
  // The app's own page gets plotly.js from its server, and has asked for it before the kernel ran.
  const module = globalThis.importPlotly?.(bundle) ?? fromBytes(model.get("source"));
  module.then(quicken).then(shared.resolve, shared.reject);
}
export default { initialize };
