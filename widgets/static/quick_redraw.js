// Plotly recalculates a whole figure, axes, labels and legend, for each edit: 20 ms a figure. Most edits of a slider only
// move lines and points within axes that stand as they are. Those are drawn alone, by plotly's own `animate`, and the whole
// figure follows once the edits have come to rest, so that axes that fit themselves to the data fit it exactly.
// Bars are never drawn alone: plotly then forgets colour and hatching of those that are new.
const REST = 150; // ms
const INSTANT = { mode: "afterall", frame: { duration: 0, redraw: false }, transition: { duration: 0 } };

const isData = (edit) => Object.keys(edit.layout_data ?? {}).length === 0
  && Object.keys(edit.style_data ?? {}).every((key) => key === "x" || key === "y");

// The axis, letter "x" or "y", of a trace as plotly completed it.
function axisOf(el, trace, letter) {
  const id = el._fullData[trace][`${letter}axis`] ?? letter;
  return el._fullLayout[`${letter}axis${id.slice(1)}`];
}

// Numbers that lie within the axis, or an axis that does not fit itself.
function fits(axis, values) {
  if (!axis.autorange) return true;
  if (axis.type !== "linear" || !(Array.isArray(values) || ArrayBuffer.isView(values))) return false;
  const [low, high] = axis.range[0] < axis.range[1] ? axis.range : [axis.range[1], axis.range[0]];
  return values.every((value) => typeof value === "number" && !(value < low || value > high)); // NaN is a gap
}

function canBeDrawnAlone(el, trace, values) {
  const { type, visible } = el._fullData[trace] ?? {};
  return type === "scatter"
    && (!visible || Object.entries(values).every(([letter, numbers]) => fits(axisOf(el, trace, letter), numbers)));
}

// The new values of each trace in an edit, by trace.
const valuesByTrace = (edit, traces) => traces.map((_, k) => Object.fromEntries(
  Object.entries(edit.style_data).map(([key, list]) => [key, list[k]]).filter(([, values]) => values !== undefined)));

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

function drawQuickly(FigureView) {
  const { do_update: drawAll, do_animate: drawSome } = FigureView.prototype;
  const waiting = new WeakMap(); // element to the traces whose axes have yet to follow
  const settle = (el, traces) => {
    waiting.delete(el);
    if (!el.isConnected || !el._fullData) return;
    const style_data = { y: [...traces].map((trace) => el.data[trace].y) };
    perform(drawAll, el, { style_data, style_traces: [...traces] });
  };
  FigureView.prototype.do_update = function () {
    const { el, model } = this;
    const edit = model.get("_py2js_update");
    if (edit === null) return;
    const traces = model._normalize_trace_indexes(edit.style_traces);
    const values = isData(edit) && el._fullData ? valuesByTrace(edit, traces) : [];
    if (!values.length || !values.every((value, k) => canBeDrawnAlone(el, traces[k], value))) {
      drawAll.call(this);
      return;
    }
    const { moved, timer } = waiting.get(el) ?? { moved: new Set() };
    clearTimeout(timer);
    traces.forEach((trace, k) => {
      moved.add(trace);
      Object.assign(el.data[trace], values[k]);
    });
    const drawn = drawnWith(el, moved);
    perform(drawSome, el, { animation_opts: INSTANT, style_data: drawn.map(() => ({})), layout_data: {},
      style_traces: drawn });
    waiting.set(el, { moved, timer: setTimeout(settle, REST, el, moved) });
  };
}
