"""When and how often a LIF neuron fires (`neurons.lif`): the weakest current, rates, intervals, the f–I curve.

A constant current I drives u[t] = γ u[t−1] + I towards I / (1 − γ) from below, so the neuron fires if and only if

    I > v_th (1 − γ)                                    the rheobase of the field, here `threshold_current`

With the hard reset it then fires once every n steps, n the first with I (1 − γⁿ) / (1 − γ) > v_th. The soft reset keeps
what exceeded the threshold, so intervals may differ by one step and the rate follows the current more closely.
"""

from jaxtyping import Float, Int, Shaped
from torch import Tensor

from workbench.checks import Array, as_tensor
from workbench.neurons.lif import Neuron, Reset, check_neuron, run_lif, soft_reset
from workbench.neurons.traces import check_spikes


def threshold_current(neuron: Neuron) -> float:
    """v_th (1 − γ): every constant current above it makes the neuron fire sooner or later, none below it does.

    >>> threshold_current(Neuron(decay=0.75, threshold=1.0))
    0.25
    """
    check_neuron(neuron)
    return neuron.threshold * (1.0 - neuron.decay)


def firing_rate(spikes: Shaped[Array, "time *shape"]) -> Float[Tensor, "*shape"]:
    """Spikes per step, averaged over time."""
    return check_spikes(spikes, "spikes").mean(0)


def spike_intervals(spikes: Shaped[Array, "time"]) -> Int[Tensor, "intervals"]:
    """Steps from each spike to the next one; empty with fewer than two spikes.

    >>> import torch
    >>> spike_intervals(torch.tensor([0.0, 1.0, 0.0, 0.0, 1.0]))
    tensor([3])
    """
    spikes = as_tensor(spikes, "spikes")
    if spikes.ndim != 1:
        raise ValueError(f"spikes must have the shape (time,), got {tuple(spikes.shape)}")
    return spikes.nonzero()[:, 0].diff()


def rate_curve(
    currents: Float[Tensor, "n"], neuron: Neuron, reset: Reset = soft_reset, steps: int = 100
) -> Float[Tensor, "n"]:
    """The f–I curve: the firing rate in the first `steps` steps for each constant current."""
    return firing_rate(run_lif(currents.expand(steps, -1), neuron, reset=reset).spikes)
