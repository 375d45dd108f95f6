// A plotly figure that waits for the page's one copy of plotly.js instead of bringing its own.

// What Python sends to a figure that is already on the page.
const EDITS = ["addTraces", "restyle", "relayout", "update", "animate", "deleteTraces", "moveTraces",
  "removeLayoutProps", "removeTraceProps"].map((name) => `_py2js_${name}`);
// Keep the edits that arrive while plotly.js is still loading; the returned function plays them to the loaded figure.
function record(model) {
  const log = [];
  const listeners = EDITS.map((name) => [`change:${name}`, () => {
    if (model.get(name) !== null) log.push([name, model.get(name)]);
  }]);
  listeners.forEach(([event, listener]) => model.on(event, listener));
  return () => {
    listeners.forEach(([event, listener]) => model.off(event, listener));
    for (const [name, edit] of log) {
      model.set(name, null);
      model.set(name, edit);
      model.set(name, null);
    }
  };
}

// A view is made before it stands on the page. Drawn there, a figure is as wide as plotly likes, and is drawn again once it
// has a box to fill. Wait for that box; not for long, a hidden tab has none.
function placed(el) {
  if (el.clientWidth) return undefined;
  return new Promise((resolve) => {
    const observer = new ResizeObserver(() => el.clientWidth && done());
    const timer = setTimeout(() => done(), 300);
    const done = () => { observer.disconnect(); clearTimeout(timer); resolve(); };
    observer.observe(el);
  });
}

// A figure born in a hidden tab has no box to fill: fit it again whenever its box gets or changes a size.
function refit(el, view) {
  let [width, height] = [el.clientWidth, el.clientHeight];
  const observer = new ResizeObserver(() => {
    if (!el.clientWidth || (el.clientWidth === width && el.clientHeight === height)) return;
    [width, height] = [el.clientWidth, el.clientHeight];
    view.autosizeFigure();
  });
  observer.observe(el);
  return () => observer.disconnect();
}

// The size that Python gives is the figure's natural one: style sheets may give its box another.
function size(model, el) {
  const { width, height } = model.get("_widget_layout");
  el.style.maxWidth = width ? `${width}px` : "";
  el.style.setProperty("--workbench-figure-height", `${height ?? 360}px`);
}

// A message that sets a property on some of its traces says "_undefined_" for the others. plotly's model takes that for a
// value and forgets the property, so that a view which opens later lacks it; undefined it leaves alone.
function whole(model) {
  const skip = (value) => (value === "_undefined_" ? undefined : value);
  const edit = (message) => message && Object.fromEntries(Object.entries(message).map(([part, values]) => [part,
    part === "style_data" || part === "restyle_data"
      ? Object.fromEntries(Object.entries(values).map(([key, list]) => [key, Array.isArray(list) ? list.map(skip) : list]))
      : values]));
  return { ...model, get: (name) => (name === "_py2js_update" || name === "_py2js_restyle" ? edit(model.get(name)) : model.get(name)) };
}

// A function, because plotly's own module makes one closure per figure and so must this one.
export default () => {
  let ready;
  return {
    initialize({ model, ...context }) {
      // Returns at once: a model that is not ready within two seconds never hears from Python again (anywidget 0.11).
      const replay = record(model);
      ready = sharedPlotly(model.get("_bundle")).loaded.then(async (bundle) => {
        const figure = bundle.default();
        await figure.initialize({ model: whole(model), ...context });
        replay();
        return { figure, ...bundle };
      });
      ready.catch((error) => console.error("plotly.js did not load:", error));
    },
    async render({ model, el, ...context }) {
      const name = () => el.setAttribute("aria-label", model.get("alt"));
      const resize = () => size(model, el);
      el.classList.add("workbench-figure");
      const [{ figure, FigureView, redraw }] = await Promise.all([ready, placed(el)]);
      resize();
      el.setAttribute("role", "figure");
      name();
      model.on("change:alt", name);
      model.on("change:_py2js_relayout", resize);
      model.on("change:_py2js_update", resize);
      const remove = await figure.render({ model, el, ...context });
      const stop = refit(el, new FigureView(model, el));
      const shared = sharedPlotly(model.get("_bundle"));
      const ends = [shared.takeInHand(el, model), shared.predict(el, model), shared.answer(el, model, redraw), stop, remove];
      return () => ends.forEach((end) => end());
    },
  };
};
