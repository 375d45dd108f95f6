"""What a decay means: closed forms against the recursion run long enough."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.neurons.decay import geometric_limit, half_life, single_traces, time_constant
from workbench.neurons.stimuli import random_spikes
from workbench.neurons.traces import run_trace

few = settings(max_examples=15, deadline=None)
decays = st.floats(0.01, 0.99)


@few
@given(decays)
def test_after_these_times_so_much_is_left(decay):
    assert decay ** time_constant(decay) == pytest.approx(1 / math.e)
    assert decay ** half_life(decay) == pytest.approx(0.5)


@few
@given(st.floats(0.0, 0.9))
def test_the_trace_of_ones_comes_to_the_limit(decay):
    assert float(run_trace(torch.ones(400, dtype=torch.double), decay)[-1]) == pytest.approx(geometric_limit(decay))


def test_ends_of_the_scale():
    assert (time_constant(0.0), half_life(0.0), geometric_limit(0.0)) == (0.0, 0.0, 1.0)
    assert time_constant(1.0) == half_life(1.0) == geometric_limit(1.0) == math.inf


@few
@given(st.floats(0.0, 0.99), st.integers(0, 5))
def test_single_traces_add_up(decay, seed):
    x = random_spikes(40, 5, seed)
    rows = single_traces(x, decay)
    assert rows.shape == (int(x.sum()), 40)
    assert torch.allclose(rows.sum(0), run_trace(x, decay), atol=1e-12)


@pytest.mark.parametrize("function", [time_constant, half_life, geometric_limit])
@pytest.mark.parametrize("decay", [-0.1, 1.1, math.nan])
def test_no_decay_is_quoted(function, decay):
    with pytest.raises(ValueError, match=r"\[0, 1\], got"):
        function(decay)
