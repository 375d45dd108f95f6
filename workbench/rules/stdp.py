"""Pair STDP: spike-timing dependent plasticity, all pairs, by traces. No error reaches the hidden layers.

Morrison, Diesmann & Gerstner 2008 (doi 10.1007/s00422-008-0233-1). Weights change by

    ΔW_ij = Σ_t (A₊ z_i[t] q_j[t] − A₋ x_j[t] h_i[t])
    q[t] = Σ_{k≤t} λ₊^{t−k} x[k],   h[t] = Σ_{k<t} λ₋^{t−k} z[k],   λ± = exp(−dt / τ±)

which is S-TLLR's eligibility with the spike itself in place of Ψ and a learning signal of 1 everywhere. `.grad` holds
−ΔW, averaged over the batch. The readout is trained on the loss, to see what the features are worth.
Symbols: x input spikes, z output spikes, A amplitudes, τ time constants in ms, dt milliseconds per step.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Shaped
from torch import Tensor, nn

from workbench.credit.eligibility import Form, run_layer
from workbench.credit.signals import Loss, Signal, Spikes, backpropagate, summed_cross_entropy
from workbench.credit.three_factor import Passage, pieces
from workbench.networks.layers import Layer, LeakyReadout, Weights
from workbench.neurons.surrogate import heaviside
from workbench.neurons.traces import Factors
from workbench.neurons.windows import PairRule
from workbench.rule import StepReport, check_batch, learning_start


class STDP(NamedTuple):
    """rule: amplitudes and time constants. dt: ms per step. Others as in `workbench.rules.stllr.STLLR`."""

    rule: PairRule = PairRule()
    dt: float = 1.0
    last_steps: int | None = None
    chunk: int = 16
    loss: Loss = summed_cross_entropy


def gradients(
    network: nn.Module,
    x: Shaped[Tensor, "time batch *features"],
    y: Shaped[Tensor, "batch *target"],
    params: STDP = STDP(),
) -> StepReport:
    """Fill `.grad`: minus the STDP change of one batch in spiking layers, the loss's gradient in the readout."""
    check_batch(x, y)
    start = learning_start(len(x), params.last_steps)
    form = Form(pair_factors(params.rule, params.dt), psi=heaviside)

    def run(layer: Layer, x: Tensor, weights: Weights, traces, learns: bool, feedback: Tensor | None):
        readout = isinstance(layer, LeakyReadout)
        own = Form(Factors(0.0, layer.trace_decay, 0.0, 1.0)) if readout else form
        return run_layer(layer, x, weights, traces, own, learns, feedback)

    passage = Passage(network, run, Signal(everywhere_the_same, cut=True), params.loss)
    for part in pieces(len(x), start, params.chunk):
        passage.advance(x[part], y, part.start >= start)
    passage.hand_over()
    return passage.report(len(x), len(x) - start)


def pair_factors(rule: PairRule, dt: float) -> Factors:
    """The pair rule in S-TLLR's factors."""
    return Factors(math.exp(-dt / rule.tau_minus), math.exp(-dt / rule.tau_plus), -rule.a_minus, rule.a_plus)


def everywhere_the_same(output: Tensor, spikes: Spikes, y: Tensor, loss: Loss) -> Tensor:
    """A learning signal of 1 for every neuron and step (in gradient sign, per sample of the batch)."""
    value = backpropagate(output, spikes, y, loss)
    for z in spikes.values():
        z.backward(torch.full_like(z, -1.0 / z.shape[1]))
    return value
