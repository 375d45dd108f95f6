"""The LIF neuron against its definition, snnTorch, and the golden membranes."""

import pytest
import snntorch
import torch
from hypothesis import given
from hypothesis import strategies as st

from workbench.neurons.lif import Neuron, check_neuron, hard_reset, lif_step, no_reset, run_lif, soft_reset


def test_by_hand():
    membrane = run_lif(torch.tensor([0.5, 0.5, 0.5, 0.5]), Neuron(decay=0.5, threshold=0.6))
    assert membrane.potential.tolist() == pytest.approx([0.5, 0.75, 0.575, 0.7875])
    assert membrane.spikes.tolist() == [0, 1, 0, 1]
    assert float(membrane.rest) == pytest.approx(0.1875)


def test_a_potential_at_the_threshold_does_not_fire():
    assert not run_lif(torch.tensor([0.6]), Neuron(1.0, 0.6)).spikes.any()


def test_equals_the_printed_form_of_the_paper():
    torch.manual_seed(0)
    current, (decay, threshold) = torch.randn(40, 6, dtype=torch.double), Neuron(0.8, 0.6)
    u = z = torch.zeros(6, dtype=torch.double)
    for t, now in enumerate(current):  # u[t] = γ (u[t−1] − v_th z[t−1]) + I[t]
        u = decay * (u - threshold * z) + now
        z = (u > threshold).double()
        ours = run_lif(current[: t + 1], Neuron(decay, threshold))
        assert torch.allclose(ours.potential[-1], u, atol=1e-12)
        assert torch.equal(ours.spikes[-1], z)


def test_equals_snntorch_when_the_reset_comes_at_once():
    """Weak currents: snnTorch resets a second time when u is still above the threshold after the reset."""
    torch.manual_seed(0)
    current = torch.rand(30, 5) * 0.5
    reference = snntorch.Leaky(beta=0.9, threshold=0.6, reset_mechanism="subtract", reset_delay=False)
    memory = reference.init_leaky()
    spikes = []
    for now in current:
        z, memory = reference(now, memory)
        spikes.append(z)
    assert torch.equal(run_lif(current, Neuron(0.9, 0.6)).spikes, torch.stack(spikes))


@given(st.floats(0, 1), st.floats(0.05, 3), st.lists(st.floats(-3, 3), min_size=1, max_size=8))
def test_resets(decay, threshold, current):
    neuron, current = Neuron(decay, threshold), torch.tensor(current, dtype=torch.double)
    soft, hard, none = (run_lif(current, neuron, reset=reset) for reset in (soft_reset, hard_reset, no_reset))
    assert torch.allclose(soft.rest, soft.potential[-1] - threshold * soft.spikes[-1])
    assert float(hard.rest) == (0.0 if hard.spikes[-1] else float(hard.potential[-1]))
    assert float(none.rest) == float(none.potential[-1])


def test_pieces_go_on_where_the_last_one_ended():
    current = torch.randn(20, 3)
    whole, first = run_lif(current, Neuron()), run_lif(current[:7], Neuron())
    second = run_lif(current[7:], Neuron(), rest=first.rest)
    assert torch.equal(torch.cat([first.spikes, second.spikes]), whole.spikes)
    assert torch.equal(second.rest, whole.rest)


def test_the_step_keeps_shape():
    assert lif_step(torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4, 4), Neuron()).spikes.shape == (2, 3, 4, 4)


@pytest.mark.parametrize("neuron", [Neuron(1.5), Neuron(-0.1), Neuron(0.5, 0.0), Neuron(0.5, float("nan"))])
def test_constants_out_of_range_are_quoted(neuron):
    with pytest.raises(ValueError, match=r"must (lie|be).*got"):
        check_neuron(neuron)


def test_no_step_is_refused():
    with pytest.raises(ValueError, match="no time step"):
        run_lif(torch.zeros(0, 3), Neuron())


def test_soft_reset_keeps_what_exceeds_the_threshold():
    membrane = run_lif(torch.full((5, 1), 0.7), Neuron(1.0, 0.6))
    assert torch.allclose(membrane.rest, 5 * torch.tensor([0.7]) - 0.6 * membrane.spikes.sum(0))
