// A figure that the page computes by itself, by the functions of the app's own page (twins.js): a timing window and a trace.
const SVG = "http://www.w3.org/2000/svg";
const [WIDE, HIGH, EDGE] = [520, 220, 34];

const FIGURES = {
  timing: {
    controls: [
      ["λ_pre, decay of the trace of the input", "decay_pre", 0, 0.99, 0.01, 0.8],
      ["λ_post, decay of the neuron's own trace", "decay_post", 0, 0.99, 0.01, 0.8],
      ["α_post, weight of the non-causal term", "alpha_post", -1, 1, 0.1, -0.5],
    ],
    axis: { x: [-60, 60], y: [-1, 1], words: "lag t_post − t_pre in steps", alt: "Weight change over the lag between two spikes" },
    lines: (values) => {
      const rest = { rule: "general", alpha_pre: 1, causal: true, non_causal: true, form: false, pre_spikes: 0, post_spikes: 0 };
      const drawn = timingWindow({ ...values, ...rest });
      return [drawn[0].y.map((y, k) => [k - 60, y]), drawn[1].y.map((y, k) => [k, y])];
    },
    told: (values) => `A pair 5 steps apart: ${(values.decay_pre ** 5).toFixed(2)} where pre came first, `
      + `${(values.alpha_post * values.decay_post ** 5).toFixed(2)} where post came first.`,
  },
};

function element(name, attributes, words = "") {
  const made = name === "svg" || name === "path" || name === "text" ? document.createElementNS(SVG, name) : document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.textContent = words;
  return made;
}

function begin(box) {
  const { controls, axis, lines, told } = FIGURES[box.dataset.live];
  const x = (value) => EDGE + ((value - axis.x[0]) / (axis.x[1] - axis.x[0])) * (WIDE - 2 * EDGE);
  const y = (value) => HIGH - EDGE - ((value - axis.y[0]) / (axis.y[1] - axis.y[0])) * (HIGH - 2 * EDGE);
  const picture = element("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": axis.alt });
  picture.append(element("path", { class: "live-axis", d: `M${x(axis.x[0])} ${y(0)}H${x(axis.x[1])}M${x(0)} ${y(axis.y[0])}V${y(axis.y[1])}` }));
  for (const value of axis.x) picture.append(element("text", { x: x(value), y: HIGH - 10, "text-anchor": "middle" }, String(value).replace("-", "−")));
  for (const value of axis.y) picture.append(element("text", { x: x(0) - 6, y: y(value) + 5, "text-anchor": "end" }, String(value).replace("-", "−")));
  picture.append(element("text", { x: WIDE / 2, y: HIGH - 10, "text-anchor": "middle" }, axis.words));
  const curves = lines(Object.fromEntries(controls.map(([, name, , , , start]) => [name, start]))).map(() => element("path", { class: "live-curve" }));
  picture.append(...curves);
  const sentence = element("p", { "aria-live": "polite" });
  const sliders = controls.map(([words, name, min, max, step, value]) => {
    const label = element("label", {}, words);
    const slider = element("input", { type: "range", name, min, max, step, value });
    label.append(slider, element("output", {}));
    return [label, slider];
  });
  const show = () => {
    const values = Object.fromEntries(sliders.map(([, slider]) => [slider.name, Number(slider.value)]));
    sliders.forEach(([label, slider]) => { label.lastChild.textContent = Number(slider.value).toFixed(2).replace("-", "−"); });
    lines(values).forEach((points, k) => curves[k].setAttribute("d", `M${points.map(([a, b]) => `${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("L")}`));
    sentence.textContent = told(values).replaceAll("-", "−");
  };
  sliders.forEach(([label, slider]) => { slider.addEventListener("input", show); box.append(label); });
  box.append(picture, sentence);
  show();
}

document.querySelectorAll("[data-live]").forEach(begin);
