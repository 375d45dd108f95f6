"""Neurons, traces, timing windows, secondary activations and synapses, fuzzed."""

import math

import torch
from fuzzed import (
    FLOATS,
    Refused,
    anything,
    as_double,
    close,
    counts,
    fuzz,
    mostly,
    outcome,
    shares,
    sound,
    tensors,
)
from hypothesis import assume, example
from hypothesis import strategies as st

from workbench.neurons import registers, stimuli, surrogate
from workbench.neurons.decay import geometric_limit, half_life, single_traces, time_constant
from workbench.neurons.firing import firing_rate, rate_curve, spike_intervals, threshold_current
from workbench.neurons.lif import Neuron, hard_reset, no_reset, run_lif, soft_reset, unit_reset
from workbench.neurons.synapse import SynapseRule, closeness, pair_contributions, run_synapse, signal_window
from workbench.neurons.traces import Factors, decay_matrix, eligibility, post_trace, run_trace
from workbench.neurons.windows import (
    PairRule,
    change_by_pairs,
    change_by_traces,
    factors_of,
    stdp_by_traces,
    stdp_pair_sum,
    stdp_window,
    stllr_pair_sum,
    stllr_window,
    window_by_traces,
)

thresholds = st.floats(0.01, 3.0)
resets = st.sampled_from([soft_reset, hard_reset, unit_reset, no_reset])
amplitudes = st.floats(-2.0, 2.0)
good_factors = st.builds(Factors, shares, shares, amplitudes, amplitudes)
all_factors = mostly(good_factors, st.builds(Factors, anything, anything, anything, anything) | anything)


@fuzz(
    current=tensors(arrays=True),
    decay=mostly(shares),
    threshold=mostly(thresholds),
    reset=resets,
    rest=st.none() | tensors(most=2),
)
@example(current=torch.ones(3), decay=0.0, threshold=3.402823466385289e38, reset=soft_reset, rest=None)
@example(current=torch.ones(3), decay=math.nan, threshold=1.0, reset=soft_reset, rest=None)
@example(current=torch.ones(3, 2), decay=0.5, threshold=1.0, reset=soft_reset, rest=torch.zeros(3))
def test_lif(current, decay, threshold, reset, rest):
    run = outcome(run_lif, current, Neuron(decay, threshold), rest, reset, words="current|decay|threshold|rest")
    if isinstance(run, Refused):
        return
    u, z, last = (t.double() for t in (run.potential, run.spikes, run.rest))
    assert u.shape == z.shape == current.shape
    assert bool(((z == 0) | (z == 1)).all())
    if not sound(as_double(current), threshold, u, *([] if rest is None else [rest])):
        return
    before = torch.zeros_like(u[0]) if rest is None else rest.double()
    eps = 16 * torch.finfo(run.potential.dtype).eps
    for t, I in enumerate(as_double(current)):  # noqa: E741
        assert torch.allclose(u[t], decay * before + I, rtol=eps, atol=eps * 16)
        clear = (u[t] - threshold).abs() > eps * 4
        assert bool(((z[t] == 1) == (u[t] > threshold))[clear].all())
        before = {
            soft_reset: u[t] - threshold * z[t],
            hard_reset: u[t] * (1 - z[t]),
            unit_reset: u[t] - z[t],
            no_reset: u[t],
        }[reset]
    assert torch.allclose(last, before, rtol=eps, atol=eps * 16)


@fuzz(x=tensors(arrays=True), decay=mostly(shares), start=st.none() | tensors(most=2), released=st.booleans())
@example(x=torch.ones(2), decay=math.nan, start=None, released=False)
@example(x=torch.ones(2), decay=2.0, start=None, released=False)
@example(x=torch.ones(2, 3), decay=0.5, start=torch.zeros(2), released=False)
@example(x=torch.ones(2), decay=None, start=None, released=False)
def test_traces(x, decay, start, released):
    q = outcome(run_trace, x, decay, start, words="x|decay|start")
    h = outcome(post_trace, x, decay, released, words="psi|decay")
    if isinstance(h, Refused):
        assert isinstance(q, Refused)
        return
    if isinstance(q, Refused):
        assert start is not None
        start, q = None, run_trace(x, decay)
    X = as_double(x)
    assert q.shape == h.shape == X.shape
    if not sound(X, *([] if start is None else [start])):
        return
    begin = torch.zeros_like(X[0]) if start is None else start.double()
    power = [decay**age if age or decay else 1.0 for age in range(len(X) + 1)]
    expected = [sum(power[t - k] * X[k] for k in range(t + 1)) + power[t + 1] * begin for t in range(len(X))]
    assert close(q, torch.stack(expected))
    factor = 1.0 if released else decay
    silent = torch.zeros_like(X[0])
    expected = [factor * sum((power[t - 1 - k] * X[k] for k in range(t)), silent) for t in range(len(X))]
    assert close(h, torch.stack(expected))


@fuzz(x=tensors(1, 2, kinds=FLOATS), psi=tensors(1, 2, kinds=FLOATS), factors=all_factors, released=st.booleans())
@example(x=torch.ones(2, 1), psi=torch.ones(3, 1), factors=Factors(), released=False)
@example(x=torch.ones(2), psi=torch.ones(2, 1), factors=Factors(), released=False)
def test_eligibility(x, psi, factors, released):
    """The recursion, and the sum over all pairs of steps."""
    words = "x|psi|lambda|alpha|Factors"
    e = outcome(eligibility, x, psi, factors, released, words=words)
    pairs = outcome(stllr_pair_sum, x, psi, factors, released, words=words)
    assert isinstance(e, Refused) == isinstance(pairs, Refused)
    if not isinstance(e, Refused) and x.dtype is psi.dtype and sound(x, psi):
        assert close(e.sum(0), pairs, 1e4)


@fuzz(
    lag=tensors(0, 2, kinds=FLOATS, fills=["normal", "zeros", "ones", "edges"]),
    a_plus=mostly(st.floats(0, 2), st.sampled_from([math.nan, math.inf, "1", None, True])),
    tau=mostly(st.floats(0.5, 50.0)),
    factors=all_factors,
)
@example(lag=torch.zeros(1), a_plus=1.0, tau=2**64, factors=Factors())
@example(lag=torch.zeros(1), a_plus=1.0, tau=1e-116, factors=Factors())
@example(lag=torch.tensor([math.inf]), a_plus=0.0, tau=1e308, factors=Factors())
@example(lag=torch.ones(1), a_plus=0.0, tau=1.0, factors=Factors(0.0, 0.0, 0.0, 1e308))
def test_windows(lag, a_plus, tau, factors):
    rule = PairRule(a_plus, 0.5, tau, 20.0)
    change = outcome(stdp_window, lag, rule, words="a_plus|tau_plus")
    if not isinstance(change, Refused):
        assert change.shape == lag.shape
        assert bool(change.isfinite().all())
        assert bool((change[lag >= 0] >= 0).all())
        assert bool((change[lag < 0] <= 0).all())
        assert bool((change.abs() <= max(a_plus, 0.5) * (1 + 1e-6)).all())
        found = factors_of(rule)
        assert 0 <= found.lambda_pre <= 1
    window = outcome(stllr_window, lag, factors, words="lambda|alpha|Factors")
    if not isinstance(window, Refused):
        assert not bool(window.isnan().any())


@fuzz(
    pre=st.lists(st.integers(0, 7), max_size=5),
    post=st.lists(st.integers(0, 7), max_size=5),
    factors=good_factors,
    released=st.booleans(),
)
def test_windows_by_traces_and_by_pairs(pre, post, factors, released):
    x, z = (stimuli.spikes_at(times, 8) for times in (pre, post))
    by_traces = change_by_traces(x, z, factors, released)
    by_pairs = change_by_pairs(torch.tensor(pre).long(), torch.tensor(post).long(), 8, factors, released)
    assert close(by_traces, by_pairs, 1e4)
    lags = torch.tensor([*pre, 0]) - torch.tensor([0, *pre])
    assert close(window_by_traces(lags, factors, released), stllr_window(lags.double(), factors, released), 1e4)
    rule = PairRule()
    times = [torch.tensor(each).double() for each in (pre, post)]
    assert close(stdp_by_traces(x, z, rule)[-1], stdp_pair_sum(*times, rule), 1e4)


PSIS = [
    surrogate.psi_speech,
    surrogate.psi_gesture,
    surrogate.psi_images,
    surrogate.psi_images_printed,
    surrogate.psi_flow,
    surrogate.triangle,
    surrogate.fast_sigmoid,
    surrogate.arctan,
    surrogate.logistic,
]


@fuzz(v=tensors(0, 3, kinds=[*FLOATS, torch.float16]), psi=st.sampled_from(PSIS), fraction=mostly(st.floats(0.01, 1)))
def test_surrogates(v, psi, fraction):
    """Between 0 and the peak, even, falling away from the threshold; spikes carry it as their derivative."""
    bump = psi(v)
    assert bump.shape == v.shape
    assert bump.dtype is v.dtype
    at = ~v.isnan()
    peak = float(psi(torch.zeros((), dtype=v.dtype)))
    assert bool((bump[at] >= 0).all())
    assert bool((bump[at] <= peak).all())
    assert close(psi(-v)[at], bump[at], 8)
    finite = torch.nan_to_num(v.detach(), 0.0).clamp(-1e3, 1e3).requires_grad_()
    z = surrogate.spike(finite, psi)
    z.sum().backward()
    assert torch.equal(z > 0.5, finite > 0)
    assert close(finite.grad, psi(finite.detach()), 8)
    interval = outcome(surrogate.passing_interval, psi, fraction, words="fraction")
    assert isinstance(interval, Refused) or (interval[0] <= 1e-9 and interval[1] >= -1e-9)


trains = tensors(1, 1, kinds=FLOATS, fills=["spikes", "normal", "zeros", "bad"])
by_chance = tensors(0, 2, arrays=True)


@fuzz(
    x=mostly(trains, by_chance),
    z=mostly(trains, by_chance),
    psi=mostly(trains, by_chance),
    signal=mostly(trains, by_chance),
    factors=all_factors,
    kappa=mostly(shares),
    by_spikes=st.booleans(),
    taught=st.booleans(),
    cut=st.booleans(),
)
@example(*[torch.ones(2)] * 4, Factors(), math.nan, False, True, False)
@example(torch.ones(2), torch.ones(3), torch.ones(3), torch.ones(3), Factors(), 0.5, False, True, False)
@example(*[torch.ones(())] * 4, Factors(), 0.5, False, True, False)
def test_synapses(x, z, psi, signal, factors, kappa, by_spikes, taught, cut):
    """The weight change is the sum over all pairs."""
    if cut:
        n = min((len(each) for each in (x, z, psi, signal) if each.ndim), default=0)
        x, z, psi, signal = (each[:n] if each.ndim else each for each in (x, z, psi, signal))
    rule = SynapseRule(factors, kappa, by_spikes, taught)
    words = r"\bx\b|\bz\b|psi|signal|lambda|alpha|Factors|decay|kappa|step"
    run = outcome(run_synapse, x, z, psi, signal, rule, words=words)
    pairs = outcome(pair_contributions, x, z, psi, signal, rule, words=words)
    assert isinstance(run, Refused) == isinstance(pairs, Refused)
    given = [as_double(each) for each in (x, z, psi, signal)]
    if not isinstance(run, Refused) and sound(*given) and run.weight.dtype is torch.float64:
        assert close(run.weight[-1], pairs.sum(), 1e5)


@fuzz(decay=mostly(shares), x=mostly(trains, by_chance))
@example(decay=2.0, x=torch.ones(2))
@example(decay=0.5, x=torch.ones(2, 2))
def test_decays(decay, x):
    tau = outcome(time_constant, decay, words="decay")
    if not isinstance(tau, Refused):
        assert tau >= 0
        assert half_life(decay) == math.log(2) * tau
        assert geometric_limit(decay) >= 1
    rows = outcome(single_traces, x, decay, words="decay|x")
    assert isinstance(rows, Refused) or not isinstance(tau, Refused)
    if not isinstance(rows, Refused) and sound(as_double(x)) and rows.is_floating_point():
        assert close(rows.sum(0), run_trace(x, decay), 1e3)
        assert close(decay_matrix(len(x), decay, rows) @ rows.new_ones(len(x)), run_trace(rows.new_ones(len(x)), decay))


@fuzz(spikes=tensors(0, 3, arrays=True), decay=mostly(shares), threshold=mostly(thresholds))
@example(spikes=torch.ones(()), decay=10**400, threshold=10**400)
@example(spikes=torch.ones(2, 2), decay=0.5, threshold=1.0)
def test_firing(spikes, decay, threshold):
    rate = outcome(firing_rate, spikes, words="spikes")
    if not isinstance(rate, Refused):
        assert rate.shape == spikes.shape[1:]
    gaps = outcome(spike_intervals, spikes, words="spikes")
    if not isinstance(gaps, Refused):
        assert len(gaps) == max(int((as_double(spikes) != 0).sum()) - 1, 0)
        assert bool((gaps > 0).all())
    neuron = Neuron(decay, threshold)
    weakest = outcome(threshold_current, neuron, words="decay|threshold")
    if not isinstance(weakest, Refused) and 0.01 < weakest < 1e3 and decay < 0.9:
        below, above = rate_curve(torch.tensor([0.99, 1.01], dtype=torch.float64) * weakest, neuron)
        assert float(below) == 0.0 < float(above)


@fuzz(
    steps=mostly(st.integers(1, 20), counts.filter(lambda n: n < 1000)),
    interval=mostly(st.integers(1, 9)),
    times=st.lists(mostly(st.integers(0, 9)), max_size=4),
    strength=mostly(st.floats(-3, 3)),
    seed=st.integers(0, 2**32),
)
@example(steps=3, interval=1, times=[], strength=-(2**63) - 1, seed=0)
@example(steps=3, interval=1.0, times=[1.0], strength=0.0, seed=0)
@example(steps=3, interval=1.5, times=[], strength=0.0, seed=0)
@example(steps=3, interval=2, times=[0.5], strength=math.nan, seed=0)
@example(steps=3, interval="2", times=["1"], strength=None, seed=0)
def test_stimuli(steps, interval, times, strength, seed):
    words = "steps|interval|times|strength"
    regular = outcome(stimuli.regular_spikes, steps, interval, words=words)
    if not isinstance(regular, Refused):
        assert int(regular.sum()) == steps // interval
    chance = outcome(stimuli.random_spikes, steps, interval, seed, words=words)
    if not isinstance(chance, Refused):
        assert bool(((chance == 0) | (chance == 1)).all())
    current = outcome(stimuli.constant_current, steps, strength, words=words)
    assert isinstance(current, Refused) or bool((current == strength).all())
    train = outcome(stimuli.spikes_at, times, steps, words=words)
    assert isinstance(train, Refused) or int(train.sum()) == len(times)


@fuzz(
    bits=mostly(st.integers(2, 24)),
    limit=mostly(st.floats(0.01, 100)),
    x=tensors(0, 2, kinds=FLOATS, fills=["normal", "zeros", "large", "edges"]),
    seed=st.integers(0, 99),
)
@example(bits=2.5, limit=1.0, x=torch.ones(1), seed=0)
@example(bits="8", limit=1.0, x=torch.ones(1), seed=0)
@example(bits=8, limit=None, x=torch.ones(1), seed=0)
@example(bits=8, limit=5e-324, x=torch.ones(1), seed=0)
@example(bits=2, limit=6.8e38, x=torch.ones(()), seed=0)
def test_registers(bits, limit, x, seed):
    grid = outcome(registers.grid, bits, limit, words="bits|limit")
    if isinstance(grid, Refused):
        return
    near = registers.nearest(x, grid)
    assume(grid.step > 1e-30)
    assert bool((near >= grid.lowest * (1 + 1e-6)).all())
    assert bool((near <= grid.highest * (1 + 1e-6)).all())
    inside = (x > grid.lowest) & (x < grid.highest)
    assert bool(((near - x).abs()[inside] <= 0.5 * grid.step * (1 + 1e-5) + 1e-6 * x.abs()[inside]).all())
    if sound(x):
        around = registers.stochastic(x, grid.step, torch.Generator().manual_seed(seed))
        assert bool(((around - x).abs() <= grid.step * (1 + 1e-5) + 1e-6 * x.abs()).all())


@fuzz(spikes=mostly(trains, by_chance), width=mostly(st.floats(0.1, 9)), start=counts, length=counts, steps=counts)
@example(spikes=torch.ones(2, 2), width=1.0, start=-1, length=2, steps=-1)
@example(spikes=torch.ones(1), width=2**64, start=0, length=1, steps=1)
@example(spikes=torch.ones(1), width=5e-324, start=0, length=1, steps=1)
@example(spikes=torch.ones(()), width="1", start=0, length=-2, steps=3)
def test_made_up_inputs_of_synapses(spikes, width, start, length, steps):
    near = outcome(closeness, spikes, width, words="spikes|width")
    if not isinstance(near, Refused):
        assert near.shape == spikes.shape
        assert bool(((near >= 0) & (near <= 1)).all())
    steps = min(steps, 99)
    window = outcome(signal_window, steps, start, length, 2.0, words="steps|start|length")
    if not isinstance(window, Refused):
        assert float(window.sum()) == 2.0 * len(range(start, min(start + length, steps)))
