// One copy of each bundle of plotly.js per page, whoever asks first. This text stands before `plotly_loader.js` and
// `figure.js`: each anywidget module is its own, so what they share must hang on the page.
function sharedPlotly(bundle) {
  const all = (globalThis.workbenchPlotly ??= {});
  if (!all[bundle]) {
    const shared = {};
    shared.loaded = new Promise((resolve, reject) => Object.assign(shared, { resolve, reject }));
    all[bundle] = shared;
  }
  return all[bundle];
}
