// A figure that answers its controls at once: a twin (twins.js) of what Python computes gives its traces in the moment in
// which a control is moved, and Python's answer settles them (widgets/drawing/twin.py). Until that has come, what Python
// sends for these traces belongs to a moment before: it waits, and is drawn only where it differs in the end.
const ALIKE = 1e-6; // of a number, or of 1 where it is smaller
const ahead = new WeakMap(); // element of a figure to what its twin has drawn and what has come from Python since

// Whether two values of traces, lists or single ones, look the same; a gap is NaN here and null there.
function alike(a, b) {
  if (isList(a) && isList(b)) return a.length === b.length && a.every((each, k) => alike(each, b[k]));
  if (typeof a !== "number" && typeof b !== "number") return a === b || (a == null && b == null);
  if (!Number.isFinite(a) || !Number.isFinite(b)) return !Number.isFinite(a) && !Number.isFinite(b);
  return Math.abs(a - b) <= ALIKE * Math.max(1, Math.abs(a));
}

// Of changes, pairs of a trace and its new values by name, those values for which `keep` holds.
function chosen(changes, keep) {
  return changes.map(([trace, values]) => [trace, Object.fromEntries(Object.entries(values).filter(([key, value]) =>
    keep(trace, key, value)))]).filter(([, values]) => Object.keys(values).length);
}

const moving = (el, changes) => chosen(changes, (trace, key, value) => !alike(el.data[trace]?.[key], value));

// What of Python's changes is to be drawn now; the rest waits.
function withoutWaiting(el, changes) {
  const { drawn, waiting } = ahead.get(el) ?? {};
  return !drawn ? changes : chosen(changes, (trace, key, value) => {
    const waits = drawn[trace]?.[key] !== undefined;
    if (waits) (waiting[trace] ??= {})[key] = value;
    return !waits;
  });
}

const changesOf = (byTrace) => Object.entries(byTrace).map(([trace, values]) => [Number(trace), values]);

// Lets the figure's twin answer; `redraw` draws changes of a figure. Returns how to end it.
function answer(el, model, redraw) {
  const context = {}; // by which these listeners are known
  let controls = {};
  let asked = false;
  const twin = () => model.get("_twin");
  const valueOf = (control, choices) => (choices ? choices[control.get("index")] : control.get("value"));
  const values = () => Object.fromEntries(Object.entries(controls).map(([name, control]) =>
    [name, valueOf(control, twin().choices[name])]));
  const known = (now, names) => names.every((name) => alike(now[name], model.get("_answered")[name]));
  const compute = () => {
    asked = false;
    const now = values();
    const { function: name, follows } = twin();
    if (!el._fullData || !known(now, Object.keys(now).filter((each) => !follows.includes(each)))) return;
    const drawn = TWINS[name](now, model.get("_given"));
    if (!drawn) return;
    ahead.set(el, { waiting: {}, ...ahead.get(el), drawn });
    redraw(el, moving(el, changesOf(drawn)));
    el.emit("workbench_moved");
  };
  // By a visitor on this page, after the message to Python has left; what Python changes, Python draws.
  const follow = (_, __, { updated_view: byHand } = {}) => {
    if (!byHand || asked) return;
    asked = true;
    queueMicrotask(compute);
  };
  const settle = () => {
    const { waiting } = ahead.get(el) ?? {};
    if (!waiting || !known(values(), Object.keys(controls))) return;
    ahead.delete(el);
    redraw(el, moving(el, changesOf(waiting)));
  };
  const leave = () => Object.values(controls).forEach((control) => control.off(null, null, context));
  const enter = async () => {
    const entries = Object.entries(twin().controls ?? {});
    const models = await Promise.all(entries.map(([, id]) => model.widget_manager.get_model(id)));
    leave();
    controls = Object.fromEntries(entries.map(([name], k) => [name, models[k]]));
    Object.values(controls).forEach((control) => control.on("change:value change:index", follow, context));
    if (entries.length) el.dataset.twin = twin().function;
  };
  const begin = () => enter().catch((error) => console.debug("a figure waits for Python:", error));
  model.on("change:_twin", begin);
  model.on("change:_answered", settle);
  begin();
  return () => {
    leave();
    model.off("change:_twin", begin);
    model.off("change:_answered", settle);
    ahead.delete(el);
  };
}
