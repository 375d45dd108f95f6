"""Compiled loops against plain ones on arbitrary tensors, and with the bounds checks of numba."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from fuzzed import FLOATS, PROFILE, Refused, close, fuzz, mostly, outcome, shares, sound, tensors
from hypothesis import assume, example
from hypothesis import strategies as st
from torch import nn

from workbench.kernels.plain import TORCH, Weighing
from workbench.kernels.sparse import SpikeList, find_events, times, transpose
from workbench.neurons.lif import Neuron, hard_reset, soft_reset

NUMBA = pytest.importorskip("workbench.kernels.compiled").NUMBA
DEAR = 120  # examples where both kinds of loops run on several tensors, 10 to 30 ms
sizes = st.integers(0, 9)
kinds = st.sampled_from(FLOATS)
fills = st.sampled_from(["normal", "spikes", "zeros", "ones"])
wrong = st.sampled_from([*[None] * 6, "shape", "rank"])


def bent(tensor, how):
    """The tensor, or one of another shape or rank."""
    if how == "shape":
        return torch.cat([tensor, tensor[:1]]) if len(tensor) else tensor.new_zeros(1, *tensor.shape[1:])
    return tensor.unsqueeze(0) if how == "rank" else tensor


@st.composite
def drawn(draw, *shapes):
    """Tensors of the shapes, whose sizes are numbers of a tuple that is drawn, and the one of them that is wrong."""
    size = [draw(sizes) for _ in range(5)]
    kind, fill = draw(kinds), draw(fills)
    found = [draw(tensors(shape=tuple(size[k] for k in shape), kinds=[kind], fills=[fill])) for shape in shapes]
    how = draw(wrong)
    if how is not None:
        place = draw(st.integers(0, len(found) - 1))
        found[place] = bent(found[place], how)
    return found, how


def both(name, *args, words, places=()):
    """What the plain and the compiled function give; arguments at `places` are changed in place and given too."""
    results = []
    for kernels in (TORCH, NUMBA):
        given = [a.clone() if k in places and isinstance(a, torch.Tensor) else a for k, a in enumerate(args)]
        found = outcome(getattr(kernels, name), *given, words=words, errors=(ValueError, RuntimeError, IndexError))
        results.append((found, [given[k] for k in places]))
    return results


@fuzz(ci=DEAR, given=drawn((0, 1, 2), (1, 2)), decay=shares, threshold=st.floats(0.01, 2), hard=st.booleans())
def test_fire(given, decay, threshold, hard):
    (current, rest), how = given
    assume(len(current))
    reset = hard_reset if hard else soft_reset
    (plain, (u,)), (compiled, (v,)) = both("fire", current, Neuron(decay, threshold), reset, rest, words="", places=[0])
    if how is not None or isinstance(compiled, Refused):
        assert how is not None
        return
    clear = (u - threshold).abs() > 1e-4
    if bool(clear.all()):
        assert close(v, u, 1e3)
        assert torch.equal(plain.spikes, compiled.spikes)
        assert close(compiled.rest, plain.rest, 1e3)


@fuzz(ci=DEAR, given=drawn((0, 1, 2), (1, 2), (2, 2), (1, 2)), decay=shares, hard=st.booleans())
def test_fire_recurrent(given, decay, hard):
    (current, rest, recurrent, last), how = given
    assume(len(current))
    last, reset = (last > 0).to(last.dtype), hard_reset if hard else soft_reset
    args = current, Neuron(decay, 0.7), reset, rest, recurrent, last
    (plain, (u,)), (compiled, (v,)) = both("fire", *args, words="", places=[0])
    if how is not None or isinstance(compiled, Refused):
        assert how is not None
        return
    if bool(((u - 0.7).abs() > 1e-4).all()):
        assert close(v, u, 1e3)
        assert torch.equal(plain.spikes, compiled.spikes)
    if compiled.past is not None:
        columns, starts, values, width = compiled.past
        assert int(starts[-1]) == len(columns) == len(values)
        assert not len(columns) or 0 <= int(columns.min()) <= int(columns.max()) < width


@fuzz(ci=DEAR, given=drawn((0, 1, 2), (1, 2)), decay=shares)
def test_run_h(given, decay):
    (psi, start), how = given
    (plain, _), (compiled, _) = both("run_h", psi, start, decay, words="")
    assert how is not None or close(compiled, plain, 1e3)


@fuzz(ci=DEAR, given=drawn((0, 1, 2), (0, 1, 2), (0, 1, 2)), a=shares, b=st.floats(-2, 2), c=st.floats(-2, 2))
def test_output_side(given, a, b, c):
    (delta, psi, h), how = given
    assume(len(delta))
    (plain, _), (compiled, _) = both("output_side", delta, psi, h, Weighing(a, b, c), words="")
    if how is None:
        assert close(compiled[0], plain[0], 1e3)
        assert close(compiled[1], plain[1], 1e3)


@fuzz(ci=DEAR, given=drawn((0, 1, 2), (0, 1), (0, 2), (0, 1)), decay=shares)
def test_synapses_by_sample(given, decay):
    (filtered, psi, q, signal), how = given
    filtered = filtered.contiguous()
    (plain, _), (compiled, _) = both("filter_synapses", filtered, psi, q, decay, words="", places=[0])
    (total, _), (compiled_total, _) = both("weigh_synapses", signal, filtered, words="")
    if how is None:
        assert close(compiled, plain, 1e3)
        assert close(compiled_total, total, 1e3)


@fuzz(ci=DEAR, x=tensors(1, 3, 20, kinds=FLOATS), densest=shares)
def test_events(x, densest):
    plain = outcome(find_events, x, densest, words="", errors=(ValueError,))
    compiled = outcome(NUMBA.find_events, x, densest, words="", errors=(ValueError,))
    if x.ndim != 2:
        assert isinstance(compiled, Refused) or not x.is_contiguous() or compiled is None
        return
    assert (plain is None) == (compiled is None)
    if plain is None:
        return
    for mine, theirs in zip(compiled, plain, strict=True):
        assert torch.equal(torch.as_tensor(mine), torch.as_tensor(theirs)) or bool(torch.as_tensor(mine).isnan().any())
    if sound(x):
        dense = times(plain, torch.eye(x.shape[1], dtype=x.dtype)) if x.shape[1] else x.new_zeros(x.shape)
        assert close(dense, x)
        turned = transpose(plain)
        assert turned.width == len(x)


@fuzz(
    ci=DEAR,
    columns=st.lists(st.integers(-2, 9), max_size=9),
    starts=st.lists(st.integers(-1, 10), min_size=1, max_size=6),
    width=st.integers(0, 7),
    n=st.integers(0, 4),
    rows=st.integers(0, 5),
    kind=kinds,
    orderly=st.booleans(),
)
@example(columns=[0], starts=[0, 1], width=0, n=0, rows=1, kind=torch.float64, orderly=False)
@example(columns=[9], starts=[0, 1], width=2, n=1, rows=1, kind=torch.float32, orderly=False)
@example(columns=[0], starts=[0, 10], width=2, n=1, rows=1, kind=torch.float32, orderly=False)
def test_add_outer(columns, starts, width, n, rows, kind, orderly):
    """Events that point outside are refused before anything is read or written."""
    if orderly and width:
        columns = [column % width for column in columns]
        starts = sorted(start % (len(columns) + 1) for start in starts)
        starts[0] = 0
        starts = [0, len(columns)] if len(starts) == 1 else [*starts[:-1], len(columns)]
        rows = len(starts) - 1
    ones = torch.ones(len(columns), dtype=kind)
    events = SpikeList(torch.tensor(columns).long(), torch.tensor(starts).long(), ones, width)
    g, grad = torch.arange(rows * n).reshape(rows, n).to(kind), torch.zeros(width, n, dtype=kind)
    found = outcome(NUMBA.add_outer, grad, events, g, words="events|gradient|row_starts")
    if isinstance(found, Refused):
        assert not bool(grad.any())
        return
    expected = torch.zeros_like(grad)
    for row in range(rows):
        for event in range(starts[row], starts[row + 1]):
            expected[columns[event]] += g[row]
    assert close(grad, expected)


@fuzz(
    shape=st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 7), st.integers(0, 7)),
    out=st.integers(1, 3),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dense=mostly(st.just(False), st.just(True)),
    kind=kinds,
    bias=st.booleans(),
)
@example((1, 2, 0, 1), 1, (2, 1), (1, 0), False, torch.float64, False)
def test_convolve(shape, out, kernel, padding, dense, kind, bias):
    generator = torch.Generator().manual_seed(sum(shape))
    x = (torch.rand(shape, generator=generator) > (0.2 if dense else 0.95)).to(kind)
    connection = nn.Conv2d(2, out, kernel, padding=padding, bias=bias).to(kind)
    with torch.no_grad():
        (plain, _), (compiled, _) = both("convolve", connection, x, connection.weight, connection.bias, words="")
    assert isinstance(plain, Refused) == isinstance(compiled, Refused)
    if not isinstance(plain, Refused):
        assert close(compiled, plain, 1e3)


@pytest.mark.skipif(PROFILE != "fuzz", reason="compiles every loop anew, which takes a minute; make fuzz does it")
def test_nothing_is_read_out_of_bounds(tmp_path):
    """The families of this file in a process in which numba checks every index."""
    if "NUMBA_BOUNDSCHECK" in os.environ:
        return
    checked = os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path), "WORKBENCH_FUZZ": "300"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", __file__]
    run = subprocess.run(command, env=checked, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:]
