// What plotly reports to Python after each redraw and mouse move, and nobody reads: all default values, every hover.
// Leaving it out makes a redraw a tenth faster and halves its messages. This copy of plotly.js is ours alone.
const UNREAD = ["_sendTraceDeltas", "_sendLayoutDelta", "handle_plotly_hover", "handle_plotly_unhover"];

function silence(bundle) {
  for (const name of UNREAD) bundle.FigureView.prototype[name] = () => {};
  return bundle;
}

// Turns the bytes of plotly's widgetbundle.js into a module, once per page (a second kernel on the page finds it loaded).
function initialize({ model }) {
  const shared = sharedPlotly();
  if (shared.started) return;
  shared.started = true;
  const url = URL.createObjectURL(new Blob([model.get("source")], { type: "text/javascript" }));
  // Evaluating 5 MB of script blocks the page for about a second. anywidget gives each model two seconds to get ready:
  // wait until the page is idle, so that the models which arrived together with this one are ready first.
  const idle = globalThis.requestIdleCallback ?? ((run) => setTimeout(run, 50));
  idle(() => import(url).then(silence).then(shared.resolve, shared.reject).finally(() => URL.revokeObjectURL(url)), { timeout: 1000 });
}
export default { initialize };
