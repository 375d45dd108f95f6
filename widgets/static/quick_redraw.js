// Plotly recalculates a whole figure, axes, labels and legend, for each edit: 20 ms a figure and more. Most edits of a slider
// only move lines, points, bars and the cells of a map within axes that stand as they are. Those are drawn alone. Axes that
// fit themselves to the data fit it exactly once the edits have come to rest.
// What moves is calculated and drawn by what plotly has for its type, and nothing else is touched. Traces that come or go take
// a step of drawing of the whole figure that only the small bundle of plotly.js gives (bundle/build.mjs); with the full bundle
// they are drawn whole.
const REST = 150; // ms
const AT_ONCE = { duration: 0 };
const WORDS = ["text", "hovertext", "customdata"];
const MOVES = { scatter: ["x", "y", ...WORDS], bar: ["x", "y", ...WORDS], heatmap: ["z", "zmin", "zmax", ...WORDS] };

const isList = (values) => Array.isArray(values) || ArrayBuffer.isView(values);

// The axis, letter "x" or "y", of a trace as plotly completed it.
function axisOf(el, trace, letter) {
  const id = el._fullData[trace][`${letter}axis`] ?? letter;
  return el._fullLayout[`${letter}axis${id.slice(1)}`];
}

const isOfNumbers = ({ type }) => type === "linear" || type === "log";

// Numbers that lie within the axis, or an axis that does not fit itself.
function fits(axis, values) {
  if (!axis.autorange) return true;
  if (!isOfNumbers(axis) || !isList(values)) return false;
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

function onlyMoves(el, trace, values) {
  const { type, visible, z, coloraxis } = el._fullData[trace] ?? {};
  if (!among(MOVES, type, values)) return false;
  return !visible || type !== "heatmap" || (!coloraxis && (!("z" in values) || sameSize(z, values.z)));
}

function staysWithinAxes(el, trace, values) {
  const { type, visible } = el._fullData[trace];
  if (!visible || type === "heatmap") return true;
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

// Runs a method of plotly's view with `message` as what Python sent. There is nothing to report back.
function perform(method, el, message) {
  const model = { get: () => message, _normalize_trace_indexes: (traces) => traces };
  method.call({ el, model, _sendTraceDeltas() {}, _sendLayoutDelta() {} });
}

const lengthOf = ({ x, y }) => Math.min(x?.length ?? Infinity, y?.length ?? Infinity);

const isHidden = (el, index) => ![undefined, true].includes(el.data[index].visible);

// Whether what a trace draws can be calculated without what plotly makes of the whole figure.
function standsAlone(el, index, values) {
  if (isHidden(el, index)) return true;
  const trace = el._fullData[index];
  const { type, visible, error_x: across, error_y: up, stackgroup, zauto } = trace;
  if (!visible) return false;
  if (type === "heatmap") return !zauto;
  const count = lengthOf({ ...trace, ...values });
  return count > 0 && count < Infinity && !across?.visible && !up?.visible
    && ["x", "y"].every((letter) => isOfNumbers(axisOf(el, index, letter)) && isList(values[letter] ?? []))
    && (type === "bar" || (el.data[index].mode !== undefined && !stackgroup && !tonext(el)));
}

const tonext = (el) => el._fullData.some(({ fill }) => fill?.startsWith("tonext"));
const placeOfTrace = ({ xaxis, yaxis }) => xaxis + yaxis;

function calculate(el, trace) {
  trace._extremes = {};
  if (trace.type !== "heatmap") trace._length = lengthOf(trace);
  const points = trace._module.calc(el, trace);
  points[0].t ??= {};
  points[0].trace = trace;
  el.calcdata[trace.index] = points;
}

// Traces that move, all of one type and subplot. Lines and points are drawn without the others of their kind, which plotly
// leaves alone if it thinks that this is an animation; bars are placed together.
function drawByThemselves(el, traces) {
  const [{ type, _module: module }] = traces;
  const subplot = el._fullLayout._plots[placeOfTrace(traces[0])];
  const layer = subplot.plot.selectAll(`.${module.layerName ?? `${module.name}layer`}`);
  const all = el._fullData.filter((trace) => trace.visible === true && trace._module === module
    && placeOfTrace(trace) === placeOfTrace(traces[0]));
  (type === "bar" ? all : traces).forEach((trace) => calculate(el, trace));
  if (type === "scatter") traces.forEach(({ index }) => module.plot(el, subplot, [el.calcdata[index]], layer, AT_ONCE));
  else {
    module.crossTraceCalc?.(el, subplot);
    module.plot(el, subplot, all.map(({ index }) => el.calcdata[index]), layer);
  }
  if (type === "bar") module.style(el);
}

function drawApart(el, changes) {
  const groups = new Map();
  for (const [index, values] of changes) {
    const trace = Object.assign(el._fullData[index], isHidden(el, index) ? {} : values);
    const key = `${trace.type} ${placeOfTrace(trace)}`;
    if (!isHidden(el, index)) groups.set(key, [...(groups.get(key) ?? []), trace]);
  }
  groups.forEach((traces) => drawByThemselves(el, traces));
}

// Draws these subplots and leaves the others as they stand.
function drawSubplots(el, chosen) {
  const { _subplots: subplots, _basePlotModules: modules } = el._fullLayout;
  const all = subplots.cartesian;
  subplots.cartesian = all.filter((name) => chosen.has(name));
  try {
    modules.forEach((module) => module.plot(el));
  } finally {
    subplots.cartesian = all;
  }
}

// Whether the colour bar of a map shows other numbers.
const rescales = ({ showscale, zauto }, values) => showscale && ("zmin" in values || "zmax" in values || (zauto && "z" in values));

// The letters of the axes that fit themselves to a trace that moves.
function fitting(el, index) {
  const { type, visible } = el._fullData[index];
  return !visible || type === "heatmap" ? [] : ["x", "y"].filter((letter) => axisOf(el, index, letter).autorange);
}

// How far lines and points reach along these axes.
function reachOf(el, index) {
  const { type } = el._fullData[index];
  return fitting(el, index).map((letter) => {
    const values = Array.from(el.data[index][letter] ?? []).filter(Number.isFinite);
    return type === "scatter" ? [lengthOf(el.data[index]), Math.min(...values), Math.max(...values)] : values;
  }).join();
}

function drawQuickly({ FigureView, drawing }) {
  const { do_update: drawAll, do_relayout: relayout } = FigureView.prototype;
  const waiting = new WeakMap(); // element to the traces whose axes have yet to follow, and how far they reached
  const settle = (el, reached) => {
    waiting.delete(el);
    if (!el.isConnected || !el._fullData) return;
    const traces = [...reached.keys()];
    if (traces.every((index) => reachOf(el, index) === reached.get(index))) return;
    const of = (key) => traces.map((index) => el.data[index][key]);
    perform(drawAll, el, { style_data: { y: of("y"), z: of("z") }, style_traces: traces });
  };
  const drawTogether = (el, changes) => {
    drawing.supplyDefaults(el);
    drawing.doCalcdata(el);
    const traces = changes.map(([index]) => el._fullData[index]);
    drawSubplots(el, new Set(traces.map(placeOfTrace)));
    drawing.style(el);
  };
  // Draws the axes that fit themselves to these traces, and what stands on them.
  const fit = (el, changes) => {
    const axes = changes.flatMap(([index]) => fitting(el, index).map((letter) => axisOf(el, index, letter)));
    const edit = Object.fromEntries(axes.map(({ _name: name, autorange }) => [`${name}.autorange`, autorange]));
    perform(relayout, el, { relayout_data: edit, source_view_id: null });
  };
  const redraw = (el, changes, layout = {}) => {
    const still = Object.keys(layout).length === 0;
    if (still && !changes.length) return;
    const movable = changes.every(([index, values]) => onlyMoves(el, index, values));
    const inside = movable && changes.every(([index, values]) => staysWithinAxes(el, index, values));
    const apart = movable && changes.every(([index, values]) => standsAlone(el, index, values));
    const scaled = changes.some(([index, values]) => rescales(el._fullData[index], values));
    const { reached, timer } = waiting.get(el) ?? { reached: new Map() };
    if (!still || !(inside || apart) || !((apart && !scaled) || drawing)) {
      if (changes.some(([, values]) => "x" in values || "y" in values)) {
        clearTimeout(timer);
        waiting.delete(el);
      }
      perform(drawAll, el, messageOf(changes, layout));
      return;
    }
    clearTimeout(timer);
    for (const [index, values] of changes) {
      if (!reached.has(index)) reached.set(index, reachOf(el, index));
      Object.assign(el.data[index], values);
    }
    (apart ? drawApart : drawTogether)(el, changes);
    if (!inside) fit(el, changes);
    if (scaled) drawing.doColorBars(el);
    el.emit("plotly_animated");
    waiting.set(el, { reached, timer: setTimeout(settle, REST, el, reached) });
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
