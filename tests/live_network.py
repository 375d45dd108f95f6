"""A spiking network in which every layer fires, and each rule with its plain text: for tests only."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn

from workbench.credit.bases import dct
from workbench.networks.layers import advance, running_weights
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import psi_gesture
from workbench.neurons.traces import Factors
from workbench.neurons.windows import PairRule
from workbench.rules import bptt, eprop, ndot, ottt, stdp, stllr, tess

NEURON, CLASSES, KAPPA, STEPS = Neuron(0.7, 0.6), 4, 0.8, 12
FACTORS = Factors(0.4, 0.6, -0.8, 1.2)
PAIRS = PairRule(a_plus=1.3, a_minus=0.7, tau_plus=2.0, tau_minus=3.0)


def heads(network, x):
    return tess.make_heads(network, x, CLASSES, basis=dct)


def scaled_rows(network, x):
    return [head.rows / head.rows.shape[1] ** 0.5 for head in heads(network, x).values()]


class Pair(NamedTuple):
    """The fast form of a rule and its plain text, for a network, a batch and K."""

    fast: Callable
    plain: Callable


def fast_stllr(network, x, y, k):
    return stllr.gradients(network, x, y, stllr.STLLR(FACTORS, k, chunk=5))


def fast_tess(network, x, y, k):
    return tess.gradients(network, x, y, tess.TESS(heads(network, x), FACTORS, k, chunk=5))


def plain_tess(W, rows, x, y, **options):
    return tess.by_definition(W, rows, x, y, FACTORS, **options)


RULES = {
    "stllr": Pair(fast_stllr, lambda W, _, *batch, **options: stllr.by_definition(W, *batch, FACTORS, **options)),
    "tess": Pair(fast_tess, plain_tess),
    "ottt": Pair(
        lambda network, x, y, k: ottt.gradients(network, x, y, ottt.OTTT(k, chunk=5)),
        lambda W, _, *batch, **options: ottt.by_definition(W, *batch, **options),
    ),
    "eprop": Pair(
        lambda network, x, y, k: eprop.gradients(network, x, y, eprop.EProp(k)),
        lambda W, _, *batch, **options: eprop.by_definition(W, *batch, **options),
    ),
    "ndot": Pair(
        lambda network, x, y, k: ndot.gradients(network, x, y, ndot.NDOT(k)),
        lambda W, _, *batch, **options: ndot.by_definition(W, *batch, **options),
    ),
    "bptt": Pair(
        lambda network, x, y, k: bptt.gradients(network, x, y, bptt.BPTT(k)),
        lambda W, _, *batch, **options: bptt.by_definition(W, *batch, **options),
    ),
    "stdp": Pair(
        lambda network, x, y, k: stdp.gradients(network, x, y, stdp.STDP(PAIRS, 1.0, k, chunk=5)),
        lambda W, _, *batch, psi, **options: stdp.by_definition(W, *batch, PAIRS, **options),
    ),
}


def live(recurrent: bool, dtype: torch.dtype, **options):
    """A network in which every layer fires, with biases and gains that matter, and a batch."""
    torch.manual_seed(3)
    network = SpikingMLP([11, 9, 7], CLASSES, NEURON, psi_gesture, readout_decay=KAPPA, recurrent=recurrent, **options)
    for name, parameter in network.named_parameters():
        if "bias" in name or "gain" in name:
            nn.init.normal_(parameter, parameter.detach().mean().item(), 0.3)
    x = (torch.rand(STEPS, 5, 11) < 0.4).to(dtype)
    return network.to(dtype), x, torch.arange(5) % CLASSES


def margin(network, x):
    """How near a potential comes to the threshold: where rounding could decide about a spike, nothing is compared."""
    nearest = []
    for layer in network.hidden:
        ran = advance(layer, x, running_weights(layer))
        nearest.append(float((ran.potential - NEURON.threshold).abs().min()))
        x = ran.output
    return min(nearest)
