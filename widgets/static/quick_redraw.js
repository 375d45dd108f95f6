// Plotly recalculates a whole figure, axes, labels and legend, for each edit: 20 ms a figure. Most edits of a slider only
// move lines, points, bars and the cells of a map within axes that stand as they are. Those are drawn alone, and the whole
// figure follows once the edits have come to rest, so that axes that fit themselves to the data fit it exactly.
// The small bundle of plotly.js (bundle/build.mjs) gives its steps of drawing by themselves, which draw at once. With the full
// bundle plotly's own `animate` draws figures of lines and points, in the frame that follows; it draws bars without their style
// and takes away the bars and maps behind lines that move, so figures that have them are drawn whole there.
const REST = 150; // ms
const INSTANT = { mode: "afterall", frame: { duration: 0, redraw: false }, transition: { duration: 0 } };
const LINES = { scatter: ["x", "y"] };
const WORDS = ["text", "hovertext", "customdata"];
const MOVES = { scatter: ["x", "y", ...WORDS], bar: ["x", "y", ...WORDS], heatmap: ["z", "zmin", "zmax", ...WORDS] };

const isList = (values) => Array.isArray(values) || ArrayBuffer.isView(values);

// The axis, letter "x" or "y", of a trace as plotly completed it.
function axisOf(el, trace, letter) {
  const id = el._fullData[trace][`${letter}axis`] ?? letter;
  return el._fullLayout[`${letter}axis${id.slice(1)}`];
}

// Numbers that lie within the axis, or an axis that does not fit itself.
function fits(axis, values) {
  if (!axis.autorange) return true;
  if (!["linear", "log"].includes(axis.type) || !isList(values)) return false;
  const [low, high] = axis.range[0] < axis.range[1] ? axis.range : [axis.range[1], axis.range[0]];
  const place = axis.type === "log" ? Math.log10 : (value) => value;
  const inside = (at) => !(at < low || at > high); // also NaN, a gap
  return values.every((value) => value === null || (typeof value === "number" && inside(place(value))));
}

// Bars that stand on each other reach further than each of them does.
const piled = (el, type) => type === "bar" && !["group", "overlay"].includes(el._fullLayout.barmode);

const sameSize = (before, after) => isList(before) && isList(after) && before.length === after.length
  && before[0]?.length === after[0]?.length;

// Whether all that is set is among what `moves` allows for a trace of this type.
const among = (moves, type, values) => Object.keys(values).every((key) => moves[type]?.includes(key));

function canBeDrawnAlone(el, trace, values) {
  const { type, visible, z, coloraxis } = el._fullData[trace] ?? {};
  if (!among(MOVES, type, values)) return false;
  if (!visible) return true;
  if (type === "heatmap") return !coloraxis && (!("z" in values) || sameSize(z, values.z));
  return ["x", "y"].every((letter) => !(letter in values)
    || (fits(axisOf(el, trace, letter), values[letter]) && !(piled(el, type) && axisOf(el, trace, letter).autorange)));
}

// An edit as pairs of a trace and its new values, and the message of Python's that would say the same.
const changesIn = (edit, traces) => traces.map((trace, k) => [trace, Object.fromEntries(
  Object.entries(edit.style_data).map(([key, list]) => [key, list[k]]).filter(([, values]) => values !== undefined))]);
function messageOf(changes, layout) {
  const keys = [...new Set(changes.flatMap(([, values]) => Object.keys(values)))];
  const style = Object.fromEntries(keys.map((key) => [key, changes.map(([, values]) => values[key])]));
  return { style_data: style, style_traces: changes.map(([trace]) => trace), layout_data: layout };
}

// What is drawn with the traces that moved: plotly takes the lines out of a subplot of which no trace is drawn.
function drawnWith(el, moved) {
  const subplot = ({ xaxis, yaxis }) => `${xaxis}${yaxis}`;
  const places = new Set([...moved].map((trace) => subplot(el._fullData[trace])));
  const others = el._fullData.filter((trace) => trace.visible === true && !places.has(subplot(trace)));
  return [...moved, ...others.map(({ index }) => index)];
}

// Runs a method of plotly's view with `message` as what Python sent. There is nothing to report back.
function perform(method, el, message) {
  const model = { get: () => message, _normalize_trace_indexes: (traces) => traces };
  method.call({ el, model, _sendTraceDeltas() {}, _sendLayoutDelta() {} });
}

// Draws traces, all when none are named, of these subplots and leaves the others as they stand.
function drawSubplots(el, chosen, traces, transition) {
  const { _subplots: subplots, _basePlotModules: modules } = el._fullLayout;
  const all = subplots.cartesian;
  subplots.cartesian = all.filter((name) => chosen.has(name));
  try {
    modules.forEach((module) => module.plot(el, traces, transition));
  } finally {
    subplots.cartesian = all;
  }
}

function drawQuickly({ FigureView, drawing }) {
  const { do_update: drawAll, do_animate: animate } = FigureView.prototype;
  const waiting = new WeakMap(); // element to the traces whose axes have yet to follow
  const settle = (el, traces) => {
    waiting.delete(el);
    if (!el.isConnected || !el._fullData) return;
    const of = (key) => [...traces].map((trace) => el.data[trace][key]);
    perform(drawAll, el, { style_data: { y: of("y"), z: of("z") }, style_traces: [...traces] });
  };
  const drawLines = (el, moved) => {
    const drawn = drawnWith(el, moved);
    perform(animate, el, { animation_opts: INSTANT, style_data: drawn.map(() => ({})), layout_data: {},
      style_traces: drawn });
  };
  const drawTraces = (el, moved, onlyLines) => {
    drawing.supplyDefaults(el);
    drawing.doCalcdata(el);
    const traces = [...moved].map((trace) => el._fullData[trace]);
    const subplots = new Set(traces.map(({ xaxis, yaxis }) => xaxis + yaxis));
    if (onlyLines) drawSubplots(el, subplots, [...moved], INSTANT.transition); // the other lines stay
    else {
      drawSubplots(el, subplots);
      drawing.style(el);
      if (traces.some(({ showscale }) => showscale)) drawing.doColorBars(el);
    }
    el.emit("plotly_animated");
  };
  const redraw = (el, changes, layout = {}) => {
    const still = Object.keys(layout).length === 0;
    if (still && !changes.length) return;
    const { moved, timer, lines } = waiting.get(el) ?? { moved: new Set(), lines: true };
    const onlyLines = lines && changes.every(([trace, values]) => among(LINES, el._fullData[trace]?.type, values))
      && el._fullData.every(({ type, visible }) => type === "scatter" || !visible);
    if (!still || !(onlyLines || drawing) || !changes.every(([trace, values]) => canBeDrawnAlone(el, trace, values))) {
      perform(drawAll, el, messageOf(changes, layout));
      return;
    }
    clearTimeout(timer);
    for (const [trace, values] of changes) {
      moved.add(trace);
      Object.assign(el.data[trace], values);
    }
    (drawing ? drawTraces : drawLines)(el, moved, onlyLines);
    waiting.set(el, { moved, lines: onlyLines, timer: setTimeout(settle, REST, el, moved) });
  };
  FigureView.prototype.do_update = function () {
    const { el, model } = this;
    const edit = model.get("_py2js_update");
    if (edit === null) return;
    const changes = el._fullData && changesIn(edit, model._normalize_trace_indexes(edit.style_traces));
    if (changes) redraw(el, withoutWaiting(el, changes), edit.layout_data ?? {});
    else drawAll.call(this);
  };
  return redraw;
}
