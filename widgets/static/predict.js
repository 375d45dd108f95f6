// A line drawn where a result is expected, before it is seen: with mouse, finger or arrow keys (widgets/drawing/prediction.py).
// What comes after a stage, and the button that leads there.
const stages = (say) => ({
  "": ["drawing", say("Predict first")], drawing: ["shown", say("Show the result")], shown: ["", say("Done")],
});
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const GRAIN = 50; // presses of a key over the height of the axis

function append(tag, name, parent) {
  const made = tag === "svg" || tag === "path" || tag === "text"
    ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  made.setAttribute("class", name);
  parent.append(made);
  return made;
}

// The place among `xs`, which go up, that is nearest to a number.
const nearestPlace = (xs, x) => xs.reduce((best, each, k) => (Math.abs(each - x) < Math.abs(xs[best] - x) ? k : best), 0);

// A path through the numbers of a line, with a gap wherever there is none.
function pathOf(xs, line, across, up) {
  let pen = "M";
  return xs.map((x, k) => {
    if (!Number.isFinite(line[k])) { pen = "M"; return ""; }
    const step = `${pen}${across.d2p(x)},${up.d2p(line[k])}`;
    pen = "L";
    return step;
  }).join("");
}

function predict(el, model) {
  const box = append("div", "workbench-predict", el);
  const button = append("button", "workbench-predict-button", box);
  const verdict = append("span", "workbench-verdict", box);
  verdict.setAttribute("role", "status");
  const surface = append("div", "workbench-surface", el);
  const svg = append("svg", "workbench-predicted", surface);
  const path = append("path", "", svg);
  const name = append("text", "", svg);
  const cursor = append("i", "workbench-cursor", surface);
  surface.tabIndex = 0;
  surface.setAttribute("role", "slider");
  const say = speaker(model);
  let line = [...model.get("predicted")];
  let place = 0; // of the arrow keys
  let last; // place and number that the pointer came from
  let asked;
  const axes = () => ["x", "y"].map((letter) => axisOf(el, model.get("_asked").trace, letter));
  const draw = () => {
    asked = undefined;
    const { x: xs, label } = model.get("_asked");
    const stage = model.get("predicting");
    box.hidden = !xs;
    surface.hidden = !xs || !stage;
    el.classList.toggle("workbench-predicting", Boolean(xs) && stage === "drawing");
    if (!xs) return;
    for (const [part, text] of [[button, stages(say)[stage][1]], [verdict, model.get("verdict")]]) {
      if (part.textContent !== text) part.textContent = text; // who watches a figure for changes sees none where there is none
    }
    if (surface.hidden || !el._fullLayout) return;
    const [across, up] = axes();
    Object.assign(surface.style, { left: `${across._offset}px`, top: `${up._offset}px`, width: `${across._length}px`,
      height: `${up._length}px`, pointerEvents: stage === "drawing" ? "auto" : "none" });
    path.setAttribute("d", pathOf(xs, line, across, up));
    const end = xs.findLastIndex((_, k) => Number.isFinite(line[k]));
    name.textContent = end < 0 ? "" : say("your prediction");
    if (end >= 0) {
      name.setAttribute("x", Math.min(across.d2p(xs[end]), across._length - 4));
      name.setAttribute("y", Math.max(up.d2p(line[end]) - 8, 12));
    }
    const here = Number.isFinite(line[place]) ? line[place] : (up.range[0] + up.range[1]) / 2;
    Object.assign(cursor.style, { left: `${across.d2p(xs[place])}px`, top: `${up.d2p(here)}px` });
    surface.setAttribute("aria-label", say("your prediction of {label}", { label }));
    surface.setAttribute("aria-valuenow", here);
    const drawn = Number.isFinite(line[place]) ? here.toPrecision(3) : say("nothing yet");
    surface.setAttribute("aria-valuetext", say("at {place}: {drawn}", { place: xs[place], drawn }));
  };
  const schedule = () => { asked ??= requestAnimationFrame(draw); };
  const keep = () => { model.set("predicted", xsOf().map((_, k) => line[k] ?? null)); model.save_changes(); };
  const xsOf = () => model.get("_asked").x ?? [];
  const reach = (event) => {
    const [across, up] = axes();
    const numbers = scales(across, up)(pointerPlace(el, event));
    const low = Math.min(...up.range);
    const y = Math.min(Math.max(numbers.y, low), Math.max(...up.range));
    const now = nearestPlace(xsOf(), numbers.x);
    const [from, before] = last ?? [now, y];
    for (let k = Math.min(from, now); k <= Math.max(from, now); k++) {
      line[k] = from === now ? y : before + ((k - from) / (now - from)) * (y - before);
    }
    last = [now, y];
    place = now;
    schedule();
  };
  const press = (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    surface.setPointerCapture(event.pointerId);
    last = undefined;
    reach(event);
    event.preventDefault();
    surface.focus({ preventScroll: true });
  };
  const type = (event) => {
    const [along, upward] = KEYS[event.key] ?? [0, 0];
    if (!along && !upward) return;
    event.preventDefault();
    const [, up] = axes();
    const before = line[place];
    place = Math.min(Math.max(place + along, 0), xsOf().length - 1);
    if (Number.isFinite(before) || upward) {
      line[place] = (before ?? (up.range[0] + up.range[1]) / 2) + (upward / GRAIN) * (up.range[1] - up.range[0]);
    }
    keep();
    schedule();
  };
  const next = () => {
    const [stage] = stages(say)[model.get("predicting")];
    if (stage === "drawing") [line, place] = [[], 0];
    model.set("predicted", xsOf().map((_, k) => line[k] ?? null));
    model.set("predicting", stage);
    model.save_changes();
    schedule();
    if (stage === "drawing") surface.focus({ preventScroll: true });
  };
  button.addEventListener("click", next);
  surface.addEventListener("pointerdown", press);
  surface.addEventListener("pointermove", (event) => surface.hasPointerCapture(event.pointerId) && reach(event));
  surface.addEventListener("pointerup", keep);
  surface.addEventListener("keydown", type);
  const changes = ["change:_asked", "change:predicting", "change:verdict", "change:_py2js_update"];
  changes.forEach((event) => model.on(event, schedule));
  el.on("plotly_afterplot", schedule);
  schedule();
  return () => {
    changes.forEach((event) => model.off(event, schedule));
    cancelAnimationFrame(asked);
    [box, surface].forEach((part) => part.remove());
  };
}
