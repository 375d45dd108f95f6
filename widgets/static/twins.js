// What some figures show, computed by the page itself: functions of the controls' values and of what Python has `given`,
// each the twin of a function in Python, named beside it, that stays the judge. They need neither a kernel nor plotly.js.
// Each returns new values of traces by their place in the figure; undefined where only Python knows.
const times = (n, f) => Array.from({ length: n }, (_, k) => f(k));
const dot = (a, b) => a.reduce((sum, each, k) => sum + each * b[k], 0);
const norm = (a) => Math.sqrt(dot(a, a));
const unit = (a) => { const size = Math.max(norm(a), 1e-12); return a.map((each) => each / size); };

// A train of spikes over the steps; two at the same step count as 2 (spikes_at).
function train(placed, steps) {
  const x = times(steps, () => 0);
  placed.forEach((step) => { x[step] += 1; });
  return x;
}

// q[t] = λ q[t−1] + x[t] (run_trace).
function runTrace(x, decay) {
  let q = 0;
  return x.map((now) => (q = decay * q + now));
}

// The trace that excludes the present (post_trace).
function postTrace(psi, decay, released = false) {
  const after = runTrace(psi, decay);
  return times(psi.length, (t) => (t ? (released ? 1 : decay) * after[t - 1] : 0));
}

// Panel Trace (TraceDecay): spikes, both traces by recursion and by the sum over all spikes, limits, each spike's own part.
function traces({ spikes, decay_pre: pre, decay_post: post, count, first, second, third }, given) {
  const placed = [first, second, third].slice(0, count);
  const x = spikes === "placed" ? train(placed, given.x.length) : given.x;
  const spiking = [...x.keys()].filter((k) => x[k]);
  const fired = spikes === "placed" ? placed : spiking;
  const bySum = (decay) => times(x.length, (t) => spiking.reduce((sum, k) => sum + (k <= t ? x[k] * decay ** (t - k) : 0), 0));
  const limit = (decay, present) => ({ y: decay < 1 ? [1 / (1 - decay) - present, 1 / (1 - decay) - present] : [] });
  const parts = { x: [], y: [] };
  spiking.forEach((k) => {
    if (parts.x.length) { parts.x.push(NaN); parts.y.push(NaN); }
    for (let t = k; t < x.length && x[k] * pre ** (t - k) > 0.005; t++) { parts.x.push(t); parts.y.push(x[k] * pre ** (t - k)); }
  });
  return {
    0: { x: fired, y: fired.map((step) => x[step]) },
    1: { y: runTrace(x, pre) },
    2: { y: postTrace(x, post) },
    3: { y: bySum(pre) },
    4: { y: bySum(post).map((sum, t) => sum - x[t]) },
    5: limit(pre, 0),
    6: limit(post, 1),
    7: parts,
  };
}

// Factors of the window that is shown, of pair STDP (factors_of) or of S-TLLR, without the terms that are switched off.
function windowOf(values) {
  const general = values.rule === "general";
  const [pre, post] = general ? [values.decay_pre, values.decay_post]
    : [Math.exp(-1 / values.tau_plus), Math.exp(-1 / values.tau_minus)];
  const [gain, loss] = general ? [values.alpha_pre, values.alpha_post] : [values.a_plus, -values.a_minus];
  return { pre, post, gain: values.causal ? gain : 0, loss: values.non_causal ? loss : 0, released: values.form && general };
}

// stllr_window at one lag.
function windowAt({ pre, post, gain, loss, released }, lag) {
  return lag >= 0 ? gain * pre ** lag : loss * post ** Math.max(-lag - (released ? 1 : 0), 0);
}

// The same measured with one pre spike, one post spike and two traces (window_by_traces).
function windowByTraces({ pre, post, gain, loss, released }, lag) {
  const spike = times(Math.abs(lag) + 1, (t) => (t ? 0 : 1));
  return lag >= 0 ? gain * runTrace(spike, pre)[lag] : loss * postTrace(spike, post, released)[-lag];
}

const placedIn = (values, side) => times(values[`${side}_spikes`], (k) => values[`${side}_${k + 1}`]);
const pairsOf = (values) => placedIn(values, "post").flatMap((post) => placedIn(values, "pre").map((pre) => ({ pre, post })));

// Panel Timing (STDPWindow), the window.
function timingWindow(values) {
  const window = windowOf(values);
  const reach = 60;
  const lags = times(2 * reach + 1, (k) => k - reach);
  const lagOf = pairsOf(values).map(({ pre, post }) => post - pre);
  const heights = [window.gain, window.loss].map((height) => height || NaN);
  const reaches = [window.pre, window.post].map((decay) => (decay > 0 && decay < 1 ? -1 / Math.log(decay) : NaN));
  return {
    0: { y: lags.slice(0, reach).map((lag) => windowAt(window, lag)) },
    1: { y: lags.slice(reach).map((lag) => windowAt(window, lag)) },
    2: { y: lags.filter((_, k) => k % 4 === 0).map((lag) => windowByTraces(window, lag)) },
    3: { x: lagOf, y: lagOf.map((lag) => windowAt(window, lag)) },
    4: { x: [0, 0, reaches[0], -reaches[1]], y: [...heights, ...heights.map((height) => height / Math.E)] },
  };
}

// The weight change over time (change_by_traces, change_by_pairs).
function timingSteps(values) {
  const window = windowOf(values);
  const steps = 100;
  const [pre, post] = ["pre", "post"].map((side) => placedIn(values, side));
  const [x, psi] = [train(pre, steps), train(post, steps)];
  const [q, h] = [runTrace(x, window.pre), postTrace(psi, window.post, window.released)];
  let sum = 0;
  const byTraces = times(steps, (t) => (sum += window.gain * psi[t] * q[t] + window.loss * x[t] * h[t]));
  const later = [...new Set([...pre, ...post])].sort((a, b) => a - b);
  const pairs = pairsOf(values);
  const upTo = (step) => pairs.reduce((all, { pre: k, post: t }) => all + (Math.max(k, t) <= step ? windowAt(window, t - k) : 0), 0);
  return {
    0: { x: pre, y: pre.map(() => 1) },
    1: { x: post, y: post.map(() => 0) },
    2: { y: byTraces },
    3: { x: later, y: later.map(upTo) },
  };
}

// The rows of a basis (workbench.credit.bases); undefined where there are not so many frequencies.
function waves({ waveform, classes, latents, phase }) {
  const cosines = waveform === "DCT";
  if (cosines && classes >= latents) return undefined;
  const frequency = (c) => (cosines ? (Math.PI * (1 + c)) / latents : 50 + (c * 462) / (classes - 1));
  const wave = { square: (angle) => Math.sign(Math.sin(angle)), sine: Math.sin, cosine: Math.cos, DCT: Math.cos }[waveform];
  return times(classes, (c) => times(latents, (k) => wave(frequency(c) * (k + (cosines ? 0.5 : phase)))));
}

// Panel Basis (SynchronizationBasis), the view of one sample: its latents, what pushes them, the wave of its class (teach).
function basisSample(values, { noise }) {
  const { view, label, share } = values;
  const rows = view === "one sample" && label < values.classes ? waves(values) : undefined;
  if (!rows || noise.length !== values.latents) return undefined;
  const temperature = 0.5;
  const own = unit(rows[label]);
  const z = own.map((each, k) => share * each + (1 - share) * noise[k]);
  const size = norm(z);
  const u = z.map((each) => each / size);
  const scores = rows.map((row) => dot(row, u));
  const most = Math.max(...scores);
  const odds = scores.map((score) => Math.exp((score - most) / temperature));
  const all = odds.reduce((a, b) => a + b);
  const errors = odds.map((each, c) => (each / all - (c === label ? 1 : 0)) / temperature);
  const along = dot(errors, scores);
  const push = u.map((each, k) => (along * each - rows.reduce((sum, row, c) => sum + errors[c] * row[k], 0)) / size);
  return { 0: { y: u }, 1: { y: push }, 2: { y: own } };
}

const product = (A, B) => A.map((row) => B[0].map((_, j) => row.reduce((sum, each, k) => sum + each * B[k][j], 0)));
const transposed = (A) => A[0].map((_, j) => A.map((row) => row[j]));
const radians = (degrees) => (degrees * Math.PI) / 180;

// V diag(s) Vᵀ.
const dense = (V, s) => product(V.map((row) => row.map((each, k) => each * s[k])), transposed(V));

// Eigenvalues and, in columns, eigenvectors of a small symmetric matrix, by Jacobi's rotations.
function eigen(symmetric) {
  let A = symmetric.map((row) => [...row]);
  let V = A.map((row, i) => row.map((_, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 12; sweep++) {
    for (let p = 0; p < A.length; p++) {
      for (let q = p + 1; q < A.length; q++) {
        if (A[p][q] === 0) continue;
        const angle = 0.5 * Math.atan2(2 * A[p][q], A[q][q] - A[p][p]);
        const G = A.map((row, i) => row.map((_, j) => (i === j ? 1 : 0)));
        [G[p][p], G[p][q], G[q][p], G[q][q]] = [Math.cos(angle), Math.sin(angle), -Math.sin(angle), Math.cos(angle)];
        A = product(transposed(G), product(A, G));
        A[p][q] = A[q][p] = 0;
        V = product(V, G);
      }
    }
  }
  return { values: A.map((row, i) => row[i]), vectors: V };
}

// Two clouds by their sliders, and the conceptors of and from them (workbench.continual.clouds.pair): axes in columns,
// deviations, and each conceptor by its eigenvectors and values.
function cloudsOf(values) {
  const d = values.space;
  const clouds = ["a", "b"].map((side) => {
    const [spread, roundness] = [values[`spread_${side}`], values[`roundness_${side}`]];
    const [turn, tilt] = [radians(values[`turn_${side}`]), radians(values[`tilt_${side}`])];
    const [c, s, up, over] = [Math.cos(turn), Math.sin(turn), Math.sin(tilt), Math.cos(tilt)];
    const axes = d === 2 ? [[c, -s], [s, c]] : [[c * over, -s, -c * up], [s * over, c, -s * up], [up, 0, over]];
    return { axes, deviations: [1, roundness, 0.3].slice(0, d).map((share) => Math.max(spread * share, 0.01)) };
  });
  const cut = values.aperture ** -2;
  const power = (n) => clouds.map(({ axes, deviations }) => dense(axes, deviations.map((each) => each ** n)));
  const sum = ([A, B]) => A.map((row, i) => row.map((each, j) => each + B[i][j]));
  const [own, other] = clouds.map(({ axes, deviations }) => ({
    vectors: axes, values: deviations.map((each) => each ** 2 / (each ** 2 + cut)) }));
  const both = eigen(sum(power(-2))); // A ∧ B = (1 + α⁻² (R_A⁻¹ + R_B⁻¹))⁻¹
  const either = eigen(sum(power(2))); // A ∨ B = C(R_A + R_B, α)
  return {
    clouds,
    conceptors: [
      own, other,
      { vectors: own.vectors, values: own.values.map((each) => 1 - each) },
      { vectors: both.vectors, values: both.values.map((each) => 1 / (1 + cut * each)) },
      { vectors: either.vectors, values: either.values.map((each) => each / (each + cut)) },
    ],
  };
}

// The directions that a picture shows to the right and upwards (looking).
function looking({ space, look }) {
  if (space === 2) return [[1, 0], [0, 1]];
  const [a, b] = [radians(look), radians(25)];
  return [[-Math.sin(a), Math.cos(a), 0], [-Math.cos(a) * Math.sin(b), -Math.sin(a) * Math.sin(b), Math.cos(b)]];
}

// The edge of a matrix's ellipse, or of an ellipsoid's silhouette (outline).
function outline(matrix, view) {
  const shown = product(view, matrix);
  const { values, vectors } = eigen(product(shown, transposed(shown)));
  const [[a, b], [, c]] = dense(vectors, values.map((each) => Math.sqrt(Math.max(each, 0))));
  const circle = times(73, (k) => [Math.cos((2 * Math.PI * k) / 72), Math.sin((2 * Math.PI * k) / 72)]);
  return { x: circle.map(([x, y]) => a * x + b * y), y: circle.map(([x, y]) => b * x + c * y) };
}

// Panel Conceptors (ConceptorSubspaces), the plane: samples, edges, and the ends of the axes that can be dragged.
function conceptorPlane(values, { white }) {
  const { clouds, conceptors } = cloudsOf(values);
  const view = looking(values);
  const changes = { 10: { x: [], y: [] } };
  clouds.forEach(({ axes, deviations }, k) => {
    const scaled = white[k].map((row, i) => row.map((each) => each * deviations[i]));
    const [x, y] = product(product(view, axes), scaled);
    changes[k] = { x, y };
    changes[2 + k] = outline(dense(axes, deviations), view);
  });
  conceptors.forEach(({ vectors, values: s }, k) => { changes[5 + k] = outline(dense(vectors, s), view); });
  if (values.space === 2) {
    ["a", "b"].forEach((side, k) => {
      const [[c], [s]] = clouds[k].axes;
      const [long, short] = [values[`spread_${side}`], values[`spread_${side}`] * values[`roundness_${side}`]];
      changes[10].x.push(long * c, -long * c, -short * s);
      changes[10].y.push(long * s, -long * s, short * c);
    });
  }
  return changes;
}

// The singular values of the conceptors, largest first.
function conceptorValues(values) {
  const { conceptors } = cloudsOf(values);
  return Object.fromEntries(conceptors.map(({ values: s }, k) => {
    const sorted = [...s].sort((a, b) => b - a);
    return [k, { y: sorted, text: sorted.map((each) => each.toFixed(2)) }];
  }));
}

// A LIF neuron over its input current: spikes, membrane before the reset and after it (run_lif).
function runLif(current, { decay, threshold, reset }) {
  let rest = 0;
  const after = (u) => (reset === "soft_reset" ? u - threshold : 0);
  return current.map((now) => {
    const u = decay * rest + now;
    const fires = u > threshold;
    rest = fires ? after(u) : u;
    return { fires, u, rest };
  });
}

const currentOf = (values, { x }) => (values.input === "placed" ? train(placedIn(values, "input"), x.length) : x)
  .map((each) => values.strength * each);
const share = (steps) => steps.filter(({ fires }) => fires).length / steps.length;

// Panel Neuron (LIFExplorer), the rows over time; at a spike the membrane drops from u to what the reset leaves.
function neuronTime(values, given) {
  const current = currentOf(values, given);
  const steps = runLif(current, values);
  const fired = [...steps.keys()].filter((t) => steps[t].fires);
  const placed = values.input === "placed" ? placedIn(values, "input") : [];
  return {
    0: { y: current },
    1: {
      x: steps.flatMap(({ fires }, t) => (fires ? [t, t] : [t])),
      y: steps.flatMap(({ fires, u, rest }) => (fires ? [u, rest] : [u])),
    },
    2: { y: [values.threshold, values.threshold] },
    3: { y: steps.map(({ u }) => u) },
    4: { y: steps.map(({ rest }) => rest) },
    5: { x: fired, y: fired.map(() => 1) },
    6: { x: placed, y: placed.map((t) => current[t]) },
  };
}

// Its firing rate for each constant current (rate_curve), the weakest that fires (threshold_current), and where it stands.
function neuronRate(values, given) {
  const current = currentOf(values, given);
  const most = Math.max(values.strength, 1.5 * values.threshold);
  const currents = times(61, (k) => (k * most) / 60);
  const edge = values.threshold * (1 - values.decay);
  return {
    0: { x: currents, y: currents.map((each) => share(runLif(current.map(() => each), values))) },
    1: { x: [edge, edge] },
    2: { x: [current.reduce((a, b) => a + b) / current.length], y: [share(runLif(current, values))] },
  };
}

const TWINS = { traces, timingWindow, timingSteps, basisSample, conceptorPlane, conceptorValues, neuronTime, neuronRate };
