// One copy of plotly.js per page, whoever asks first. This text stands before `plotly_loader.js` and `figure.js`:
// each anywidget module is its own, so what they share must hang on the page.
function sharedPlotly() {
  if (!globalThis.workbenchPlotly) {
    const shared = {};
    shared.bundle = new Promise((resolve, reject) => Object.assign(shared, { resolve, reject }));
    globalThis.workbenchPlotly = shared;
  }
  return globalThis.workbenchPlotly;
}
