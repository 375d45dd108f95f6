"""Fashion-MNIST as simulated events: network, optimiser and six rules for a dense spiking network."""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from workbench.credit.signals import direct_feedback
from workbench.data.sets.image_events import fashion_events
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingMLP, spiking_logits
from workbench.neurons.lif import Neuron
from workbench.neurons.traces import Factors
from workbench.rule import Rule
from workbench.rules import bptt, stllr, tess
from workbench.training.loop import Setting

MakeRule = Callable[[nn.Module], Rule]


# an input before the activity strengthens, one after it weakens
FASHION_FACTORS = Factors(lambda_post=0.2, lambda_pre=0.8, alpha_post=-0.5, alpha_pre=1.0)


FASHION_CHUNK = 4  # of 20 steps: small pieces, so that a rule keeps little even of a short recording


def fashion_events_setting(make_rule: MakeRule, seed: int) -> Setting:
    """578–200–200–10 LIF network on Fashion-MNIST as simulated events, 20 steps; Adam, 2e-3 along a cosine."""
    data = fashion_events()
    with seeded(seed):
        network = SpikingMLP([578, 200, 200], classes=len(data.classes), neuron=Neuron(decay=0.8, threshold=0.6))
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    return Setting(network, optimizer, data, make_rule(network), spiking_logits)


def by_stllr(network: nn.Module, factors: Factors = FASHION_FACTORS, last_steps: int | None = None) -> Rule:
    """S-TLLR with backpropagation within the step."""
    return partial(stllr.gradients, params=stllr.STLLR(factors, last_steps, chunk=FASHION_CHUNK))


def by_stllr_dfa(network: nn.Module) -> Rule:
    """S-TLLR with direct feedback: the readout's error through a fixed random matrix for each layer."""
    signal = direct_feedback(network, torch.zeros(1, 1, 578))
    return partial(stllr.gradients, params=stllr.STLLR(FASHION_FACTORS, chunk=FASHION_CHUNK, signal=signal))


def by_tess(network: nn.Module) -> Rule:
    """TESS: the same traces, each layer taught by fixed waves of its own."""
    heads = tess.make_heads(network, torch.zeros(1, 1, 578), classes=10)
    return partial(tess.gradients, params=tess.TESS(heads, tess.FACTORS._replace(lambda_pre=0.8), chunk=FASHION_CHUNK))


def by_bptt(network: nn.Module) -> Rule:
    """Backpropagation through time."""
    return bptt.gradients
