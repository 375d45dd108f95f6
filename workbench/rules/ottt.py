"""OTTT: online training through time.

Xiao, Meng, Zhang, Wang & Lin, NeurIPS 2022, arXiv 2210.04195. The presynaptic activity is remembered exactly as the
membrane remembers it, and the error comes from the present step only:

    ΔW_ij = Σ_t δ_i[t] ψ_i[t] q_j[t],      q[t] = γ q[t−1] + x[t]

which is S-TLLR (symbols in `workbench.rules.stllr`) with α_post = 0, α_pre = 1 and λ_pre = γ of each layer. For one
spiking layer under a memoryless readout this equals backpropagation through time. Accumulating over the sequence is
OTTT-A; `online` with a step of the optimiser at every time step is OTTT-O.
"""

from collections.abc import Iterator
from typing import NamedTuple

from jaxtyping import Shaped
from torch import Tensor, nn

from workbench.credit.signals import BACKPROPAGATION, Loss, Signal, summed_cross_entropy
from workbench.networks.layers import SpikingLayer
from workbench.neurons.traces import Factors
from workbench.rule import StepReport
from workbench.rules import stllr


class OTTT(NamedTuple):
    """Parameters as those of `workbench.rules.stllr.STLLR`."""

    last_steps: int | None = None
    chunk: int = 16
    signal: Signal = BACKPROPAGATION
    loss: Loss = summed_cross_entropy


def gradients(
    network: nn.Module,
    x: Shaped[Tensor, "time batch *features"],
    y: Shaped[Tensor, "batch *target"],
    params: OTTT = OTTT(),
) -> StepReport:
    """Fill `.grad` of every parameter with the OTTT-A update of one batch."""
    return stllr.gradients(network, x, y, as_stllr(params))


def online(
    network: nn.Module,
    x: Shaped[Tensor, "time batch *features"],
    y: Shaped[Tensor, "batch *target"],
    params: OTTT = OTTT(),
) -> Iterator[StepReport]:
    """OTTT-O: yield after every learning step with the update of that step alone in `.grad`."""
    return stllr.online(network, x, y, as_stllr(params))


def as_stllr(params: OTTT) -> stllr.STLLR:
    """The same rule in S-TLLR's parameters."""
    return stllr.STLLR(membrane_factors, params.last_steps, chunk=params.chunk, signal=params.signal, loss=params.loss)


def membrane_factors(layer: SpikingLayer) -> Factors:
    """The factors that make the eligibility trace of a layer its membrane's memory."""
    return Factors(lambda_post=0.0, lambda_pre=layer.neuron.decay, alpha_post=0.0, alpha_pre=1.0)
