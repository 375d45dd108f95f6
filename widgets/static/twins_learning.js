// Twins (twins.js) of the panels about learning: Surrogate, Eligibility, Locality, and the waves of Basis.

// Evenly spaced numbers with both ends, as torch.linspace gives them: from both ends to the middle.
function evenly(low, high, count) {
  const step = (high - low) / (count - 1);
  return times(count, (k) => (k < count / 2 ? low + step * k : high - step * (count - 1 - k)));
}

// Ψ of v (triangle, fast_sigmoid, arctan, logistic).
function bumpOf({ form, slope, height, width }) {
  return {
    triangle: (v) => height * Math.max(1 - Math.abs(v) / width, 0),
    fast_sigmoid: (v) => (slope * Math.abs(v) + 1) ** -2,
    arctan: (v) => 1 / (1 + (slope * v) ** 2),
    logistic: (v) => { const s = 1 / (1 + Math.exp(-slope * v)); return height * s * (1 - s); },
  }[form];
}

let fineGrid; // of the sums: from −10⁶ to 10⁶, finest around 0
const grid = () => (fineGrid ??= Float64Array.from(evenly(-24, 24, 24001), (k) => 1e-4 * Math.sinh(k)));

// ∫Ψ from −∞ to each of these ascending v (area_up_to).
function areaUpTo(heights, v) {
  const [places, sums] = [grid(), new Float64Array(heights.length)];
  for (let k = 1; k < sums.length; k++) {
    sums[k] = sums[k - 1] + ((heights[k] + heights[k - 1]) * (places[k] - places[k - 1])) / 2;
  }
  let k = 0;
  return v.map((at) => {
    while (places[k + 1] <= at) k++;
    return sums[k] + ((sums[k + 1] - sums[k]) / (places[k + 1] - places[k])) * (at - places[k]);
  });
}

// The first and the last v at which Ψ is at least a tenth of its peak (passing_interval).
function passing(heights) {
  const places = grid();
  const least = 0.1 * heights.reduce((a, b) => Math.max(a, b));
  const [first, last] = [heights.findIndex((each) => each >= least), heights.findLastIndex((each) => each >= least)];
  const crossing = (left, right) => {
    if (left < 0 || right === places.length) return places[Math.max(left, 0)];
    const share = (heights[left] - least) / (heights[left] - heights[right]);
    return places[left] + share * (places[right] - places[left]);
  };
  return [crossing(first - 1, first), crossing(last, last + 1)];
}

// Panel Surrogate (SurrogateExplorer), your Ψ, where it passes gradients, and its integral.
function surrogateBump(values) {
  const psi = bumpOf(values);
  const v = evenly(-values.span, values.span, 401);
  const [heights, y] = [grid().map(psi), v.map(psi)];
  const tenth = 0.1 * Math.max(...y);
  return { 0: { y }, 2: { x: passing(heights), y: [tenth, tenth] }, 5: { y: areaUpTo(heights, v) } };
}

// The steps of a neuron that learn by it; `given` is how far its membrane is from the threshold.
function surrogateSteps(values, { v }) {
  const psi = bumpOf(values);
  const felt = v.map(psi);
  const least = 0.1 * Math.max(...evenly(-values.span, values.span, 401).map(psi));
  const [low, high] = passing(grid().map(psi));
  const shown = (learns) => {
    const chosen = [...v.keys()].filter((t) => felt[t] >= least === learns);
    return { x: chosen, y: chosen.map((t) => v[t]), text: chosen.map((t) => felt[t].toFixed(3)) };
  };
  return { 0: { y: [low, low, high, high] }, 2: shown(true), 3: shown(false) };
}

// What the synapse of a rule is made of (stllr_synapse, eprop_synapse, ottt_synapse, stdp_synapse).
function synapseOf(values) {
  const { rule, decay, kappa, tau } = values;
  const forgetting = Math.exp(-1 / tau);
  return {
    stllr: { pre: values.decay_pre, post: values.decay_post, gain: values.alpha_pre, loss: values.alpha_post, kappa: 0 },
    eprop: { pre: decay, post: 0, gain: 1, loss: 0, kappa },
    ottt: { pre: decay, post: 0, gain: 1, loss: 0, kappa: 0 },
    stdp: { pre: forgetting, post: forgetting, gain: 1, loss: -values.a_minus, kappa: 0, alone: true },
  }[rule];
}

// Spikes x, what stands in the place of ψ, ψ, the signal m and the synapse.
function eligibilityOf(values) {
  const steps = 60;
  const synapse = synapseOf(values);
  const [x, z] = ["pre", "post"].map((side) => train(placedIn(values, side), steps).map((count) => Math.min(count, 1)));
  const fired = [...z.keys()].filter((t) => z[t]);
  const psi = times(steps, (t) => Math.max(0, ...fired.map((s) => 1 - Math.abs(t - s) / values.width)));
  const { signal_at: first, signal_steps: length, signal } = values;
  const m = times(steps, (t) => (synapse.alone ? 1 : t >= first && t < first + length ? signal : 0));
  return { x, psi, post: synapse.alone ? z : psi, m, synapse };
}

// Panel Eligibility (EligibilityTimeline), the rows over time (run_synapse).
function eligibilityTime(values) {
  const { x, psi, post, m, synapse } = eligibilityOf(values);
  const [q, h] = [runTrace(x, synapse.pre), postTrace(post, synapse.post)];
  const causal = runTrace(x.map((_, t) => synapse.gain * post[t] * q[t]), synapse.kappa);
  const nonCausal = runTrace(x.map((now, t) => synapse.loss * now * h[t]), synapse.kappa);
  const [before, after] = ["pre", "post"].map((side) => placedIn(values, side));
  const { signal_at: first, signal_steps: length, signal } = values;
  return {
    0: { x: before, y: before.map(() => 1) },
    1: { x: after, y: after.map(() => 0) },
    2: { y: psi.map((each) => 0.8 * each) },
    3: { y: causal },
    4: { y: nonCausal },
    5: { y: m },
    6: { y: runTrace(m.map((each, t) => each * (causal[t] + nonCausal[t])), 1) },
    7: { x: [first, Math.min(first + length, x.length) - 1], y: [signal, signal] },
  };
}

// What each pair of a post step (row) and a pre step adds to the weight (pair_contributions).
function eligibilityPairs(values) {
  const { x, post, m, synapse } = eligibilityOf(values);
  const later = runTrace([...m].reverse(), synapse.kappa).reverse(); // Σ_{t ≥ s} κ^{t−s} m[t]
  const pair = (t, s) => (t >= s ? synapse.gain * synapse.pre ** (t - s) * later[t] : synapse.loss * synapse.post ** (s - t) * later[s]);
  const z = post.map((there, t) => x.map((here, s) => (there && here ? there * here * pair(t, s) : 0)));
  const reach = Math.max(...z.flat().map(Math.abs)) || 1;
  return { 0: { z, zmin: -reach, zmax: reach } };
}

// A change in words: two digits, "no" for exactly zero.
const changeInWords = (change) => (change === 0 ? "no" : change < 0.01 ? "<.01" : change.toFixed(2));

// Panel Locality (LocalityMap), the chosen update at another step; `given` is D[t, s] of the chosen layer.
function localityChosen({ step }, { changes }) {
  const row = changes[step];
  const bars = (first, end) => ({
    x: times(end - first, (k) => first + k),
    y: row.slice(first, end),
    text: row.slice(first, end).map((change) => (change === 0 ? "no" : "")),
  });
  return {
    1: { text: row.map(changeInWords) },
    2: bars(0, step + 1),
    3: bars(step + 1, row.length),
    5: { x: [step] },
  };
}

// The frame round its row in a map (frame).
function localityRow({ step }, { steps }) {
  const [left, right, low, high] = [-0.46, steps - 0.54, step - 0.46, step + 0.46];
  return { 3: { x: [left, right, right, left, left], y: [low, low, high, high, low] } };
}

// Panel Basis (SynchronizationBasis), the view of the waves: rows, cosines between them (row_cosines), the pair that is
// closest (closest_rows); undefined in another view, without such a basis, and where the page would take too long.
function basisOf(values) {
  const { view, classes, latents, waveform } = values;
  const rows = view === "waves" && classes ** 2 * latents < 3e6 ? waves(values) : undefined;
  if (!rows) return undefined;
  const units = rows.map(unit);
  const cosines = units.map((a) => units.map((b) => dot(a, b)));
  let closest = [0, 0];
  let most = 0;
  cosines.forEach((row, i) => row.forEach((cosine, j) => {
    if (j > i && Math.abs(cosine) > most) [most, closest] = [Math.abs(cosine), [i, j]];
  }));
  const turn = 2 * Math.PI;
  const spread = classes > 1 ? evenly(50, 512, classes) : [50];
  const frequencies = waveform === "DCT" ? times(classes, (c) => (Math.PI * (1 + c)) / latents) : spread;
  return { rows, cosines, closest, frequencies: frequencies.map((f) => ((f + Math.PI) % turn) - Math.PI) };
}

function basisWaves(values) {
  const { rows, closest } = basisOf(values) ?? {};
  return rows && Object.fromEntries([values.label, ...closest].map((row, k) => [k, { y: rows[row] }]));
}

function basisRows(values) {
  const { rows } = basisOf(values) ?? {};
  return rows && { 0: { z: rows.map((row) => row.slice(0, 128)) } };
}

function basisCosines(values) {
  const { cosines, closest, frequencies } = basisOf(values) ?? {};
  const onCircle = (some) => ({ x: some.map(Math.cos), y: some.map(Math.sin) });
  return cosines && {
    0: { z: cosines },
    2: { ...onCircle(frequencies), customdata: frequencies.map((f, c) => [c, f]) },
    3: { ...onCircle(closest.map((c) => frequencies[c])), customdata: closest },
  };
}

Object.assign(TWINS, {
  surrogateBump, surrogateSteps, eligibilityTime, eligibilityPairs, localityChosen, localityRow, basisWaves, basisRows, basisCosines,
});
