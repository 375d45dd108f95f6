"""Many neurons over many steps against the LIF neuron that the pictures are drawn with."""

import pytest
import torch

from workbench.neurons.lif import Neuron, hard_reset, run_lif, soft_reset

pytest.importorskip("numba")
fast = pytest.importorskip("workbench.kernels.compiled_neurons")


@pytest.mark.parametrize("reset", [soft_reset, hard_reset])
@pytest.mark.parametrize("n", [1, 1023, 1025, 2100])
def test_neurons_fire_as_the_lif_neuron_does(reset, n):
    generator = torch.Generator().manual_seed(n)
    current = torch.randn(7, 1, n, generator=generator, dtype=torch.double)
    rest = torch.randn(1, n, generator=generator, dtype=torch.double)
    expected = run_lif(current, Neuron(0.9, 0.5), rest, reset)
    potential = current.clone()
    fired = fast.fire(potential, Neuron(0.9, 0.5), reset, rest)
    assert torch.equal(fired.spikes, expected.spikes)
    assert torch.allclose(potential, expected.potential, atol=1e-12)
    assert torch.allclose(fired.rest, expected.rest, atol=1e-12)
