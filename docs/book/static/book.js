// Stages of an update one at a time, and scrolling regions that the keyboard reaches.

function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

function walk(box) {
  const stages = [...box.querySelectorAll("li")];
  const controls = make("div", { className: "one-update-controls" });
  controls.setAttribute("role", "group");
  controls.setAttribute("aria-label", "Stage of the update");
  const back = make("button", { type: "button", textContent: "Back" });
  const next = make("button", { type: "button", textContent: "Next" });
  const slider = make("input", { type: "range", min: 1, max: stages.length, value: 1 });
  slider.setAttribute("aria-label", "Stage");
  const told = make("span", { className: "one-update-place" });
  const show = (at) => {
    slider.value = at;
    stages.forEach((stage, k) => { stage.hidden = k + 1 !== at; });
    told.textContent = `${at} of ${stages.length}`;
    back.disabled = at === 1;
    next.disabled = at === stages.length;
  };
  back.addEventListener("click", () => show(Number(slider.value) - 1));
  next.addEventListener("click", () => show(Number(slider.value) + 1));
  slider.addEventListener("input", () => show(Number(slider.value)));
  controls.append(back, slider, next, told);
  box.querySelector("ol").before(controls);
  box.classList.add("one-update-live");
  show(1);
}

document.querySelectorAll(".one-update").forEach(walk);
for (const region of document.querySelectorAll(".table-wrapper, pre, .math-block")) {
  if (region.scrollWidth > region.clientWidth) region.tabIndex = 0;
}

// The meaning of a symbol beside it: on hover, and on touch.
let meaning;
function forget() {
  meaning?.remove();
  meaning = undefined;
}
function explain(event) {
  const symbol = event.target.closest?.(".symbol");
  forget();
  if (!symbol) return;
  meaning = make("div", { className: "workbench-meaning", textContent: symbol.dataset.means });
  document.body.append(meaning);
  const { left, bottom, top } = symbol.getBoundingClientRect();
  const room = document.documentElement.clientWidth - meaning.offsetWidth - 8;
  const below = bottom + meaning.offsetHeight + 8 < innerHeight;
  meaning.style.left = `${scrollX + Math.max(8, Math.min(left, room))}px`;
  meaning.style.top = `${scrollY + (below ? bottom + 4 : top - meaning.offsetHeight - 4)}px`;
}
document.addEventListener("pointerover", explain);
document.addEventListener("click", explain);
document.addEventListener("keydown", (event) => event.key === "Escape" && forget());
