// What can be dragged on a figure wears a ring. The place of the pointer goes to Python, which moves controls by it.
const REACH = { mouse: 14, pen: 14, touch: 24 }; // px around the middle of a ring
const STILL = 5; // px; a pointer that moved less has clicked
const TWICE = 400; // ms between the clicks of a double click
const INSET = 14; // px from the right end of a line to its ring
const SVG = "http://www.w3.org/2000/svg";

// Where a handle is on the figure, in px; undefined for what is not in view.
function placeOf(el, { trace, point }) {
  const { x, y } = el.data[trace] ?? {};
  if (el._fullData?.[trace]?.visible !== true) return undefined;
  const [across, up] = [axisOf(el, trace, "x"), axisOf(el, trace, "y")];
  const left = point === null ? across._length - INSET : across.d2p(x?.[point]);
  const top = up.d2p(y?.[point ?? 0]);
  const inside = left > -1 && left < across._length + 1 && top > -1 && top < up._length + 1;
  return inside ? { left: across._offset + left, top: up._offset + top, across, up } : undefined;
}

// Turns a place on the figure into numbers of its axes as they are now: axes that fit themselves to what is dragged would
// run away from the pointer.
function scale({ _offset: offset, _length: length, range: [low, high], type }, upward) {
  return (pixel) => {
    const share = (pixel - offset) / length;
    const value = low + (upward ? 1 - share : share) * (high - low);
    return type === "log" ? 10 ** value : value;
  };
}

function scales(across, up) {
  const [x, y] = [scale(across, false), scale(up, true)];
  return ({ left, top }) => ({ x: x(left), y: y(top) });
}

function pointerPlace(el, event) {
  const box = el.getBoundingClientRect();
  return { left: event.clientX - box.left, top: event.clientY - box.top };
}

// How far the pointer is from a handle; from a line, how far above or below it.
function distance(pointer, place, { point }) {
  const { across } = place;
  if (point !== null) return Math.hypot(pointer.left - place.left, pointer.top - place.top);
  const beside = pointer.left < across._offset || pointer.left > across._offset + across._length;
  return beside ? Infinity : Math.abs(pointer.top - place.top);
}

function nearest(el, handles, event) {
  const pointer = pointerPlace(el, event);
  let best;
  handles.forEach((handle, number) => {
    const place = placeOf(el, handle);
    const far = place ? distance(pointer, place, handle) : Infinity;
    if (far <= (REACH[event.pointerType] ?? REACH.touch) && far <= (best?.far ?? Infinity)) best = { number, place, far, pointer };
  });
  return best;
}

// The handle whose row of spikes a click beside them belongs to, and the place of the click on its axes.
function rowAt(el, handles, event) {
  const pointer = pointerPlace(el, event);
  let best;
  handles.forEach((handle, number) => {
    if (!handle.train || !el._fullData?.[handle.trace]) return;
    const [across, up] = [axisOf(el, handle.trace, "x"), axisOf(el, handle.trace, "y")];
    const right = pointer.left - across._offset;
    const down = pointer.top - up._offset;
    if (right < 0 || right > across._length || down < 0 || down > up._length) return;
    const far = Math.abs(up.d2p(el.data[handle.trace].y?.[0] ?? 0) - down);
    if (far < (best?.far ?? Infinity)) best = { add: number, far, x: scale(across, false)(pointer.left) };
  });
  return best && { add: best.add, x: best.x };
}

// The rings, drawn anew after whatever may have moved what they stand on.
function rings(el, handles) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "workbench-rings");
  svg.setAttribute("aria-hidden", "true");
  el.append(svg);
  let asked, chosen, drawn;
  const draw = () => {
    cancelAnimationFrame(asked);
    asked = undefined;
    const wanted = handles().map((handle, number) => {
      const place = placeOf(el, handle);
      return place && { cx: place.left, cy: place.top, r: 9, "data-handle": number,
        class: number === chosen ? "workbench-near" : "" };
    }).filter(Boolean);
    const told = JSON.stringify(wanted);
    if (told === drawn) return;
    drawn = told;
    svg.replaceChildren(...wanted.map((attributes) => {
      const circle = document.createElementNS(SVG, "circle");
      Object.entries(attributes).forEach((pair) => circle.setAttribute(...pair));
      return circle;
    }));
  };
  const schedule = () => { asked ??= requestAnimationFrame(draw); };
  return {
    draw,
    schedule,
    choose: (number) => { if (number !== chosen) { chosen = number; schedule(); } },
    remove: () => { cancelAnimationFrame(asked); svg.remove(); },
  };
}

// Let the handles of a figure be grasped; returns how to end it.
function takeInHand(el, model) {
  const handles = () => (model.get("predicting") === "drawing" ? [] : model.get("_grips") ?? []);
  const drawn = rings(el, handles);
  let held, pressed, tapped;
  const send = (message) => {
    model.set("dragged", { ...message, count: (model.get("dragged").count ?? 0) + 1 });
    model.save_changes();
  };
  const stop = (event) => { event.preventDefault(); event.stopImmediatePropagation(); };
  const far = (event, from) => Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) >= STILL;
  const grasp = (event) => {
    if (event.button !== 0 || !event.isPrimary || !handles().length) return;
    const near = nearest(el, handles(), event);
    const { clientX, clientY, pointerId } = event;
    if (!near) {
      pressed = event.target.closest(".draglayer") ? { clientX, clientY, pointerId } : undefined;
      return;
    }
    stop(event);
    el.setPointerCapture(pointerId);
    const { number, place, pointer } = near;
    held = { number, clientX, clientY, pointerId, moved: false, numbers: scales(place.across, place.up),
      left: place.left - pointer.left, top: place.top - pointer.top };
    el.classList.add("workbench-held");
    drawn.choose(number);
  };
  const move = (event) => {
    if (!held) {
      const near = event.pointerType === "touch" ? undefined : nearest(el, handles(), event);
      el.classList.toggle("workbench-graspable", Boolean(near));
      drawn.choose(near?.number);
      return;
    }
    if (event.pointerId !== held.pointerId) return;
    held.moved ||= far(event, held);
    if (!held.moved) return;
    const pointer = pointerPlace(el, event);
    send({ handle: held.number, ...held.numbers({ left: pointer.left + held.left, top: pointer.top + held.top }) });
  };
  // The handle that the next spike of a row will have; undefined where the row is full.
  const next = ({ add }) => {
    const { trace } = handles()[add];
    const row = [...handles().keys()].filter((number) => handles()[number].train && handles()[number].trace === trace);
    return row[el.data[trace].x?.length ?? 0];
  };
  // A click beside the spikes adds one. The second click of a double click takes it away again, and resets the axes, as a
  // double click does elsewhere on the figure.
  const click = (event, number) => {
    const { clientX, clientY, timeStamp: at } = event;
    const before = tapped && at - tapped.at < TWICE && !far(event, tapped) ? tapped : undefined;
    const row = before || number !== undefined ? undefined : rowAt(el, handles(), event);
    tapped = before ? undefined : { at, clientX, clientY, beside: Boolean(row), number: row ? next(row) : number };
    if (row) send(row);
    if (before?.beside) el.querySelector('.modebar-btn[data-attr="zoom"][data-val="reset"]')?.click();
    if (before && handles()[before.number]?.train) send({ remove: before.number });
  };
  const letGo = (event) => {
    if (event.pointerId === pressed?.pointerId) {
      const clicked = !far(event, pressed);
      pressed = undefined;
      if (clicked) click(event);
    }
    if (event.pointerId !== held?.pointerId) return;
    move(event);
    const { number, moved } = held;
    forget();
    if (moved) tapped = undefined;
    else click(event, number);
  };
  const forget = () => {
    held = pressed = undefined;
    el.classList.remove("workbench-held");
    drawn.choose(undefined);
  };
  // plotly keeps every touch that begins on a figure: a page is scrolled by the rest of it only if plotly hears of none.
  const touch = (event) => {
    if (held) stop(event);
    else if (event.target.closest(".draglayer")) event.stopImmediatePropagation();
  };
  const listeners = [
    [el, "pointerdown", grasp], [el, "pointermove", move], [el, "touchstart", touch],
    [window, "pointerup", letGo], [window, "pointercancel", forget],
  ];
  const options = { capture: true, passive: false };
  listeners.forEach(([target, name, listener]) => target.addEventListener(name, listener, options));
  ["change:_grips", "change:_py2js_update", "change:_py2js_restyle"].forEach((name) => model.on(name, drawn.schedule));
  el.on("plotly_afterplot", drawn.schedule);
  el.on("workbench_moved", drawn.draw);
  drawn.schedule();
  return () => {
    listeners.forEach(([target, name, listener]) => target.removeEventListener(name, listener, options));
    ["change:_grips", "change:_py2js_update", "change:_py2js_restyle"].forEach((name) => model.off(name, drawn.schedule));
    drawn.remove();
  };
}
