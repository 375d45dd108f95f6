"""Whose voice is it? A small recurrent network on the embedded voices, for five rules.

A small sister of the S-TLLR paper's 700–450–20 network for spoken digits: 128–100 recurrent–5 with a leaky readout, 60
steps of 10 ms. As in the paper, α_post = +1 and all weights are standardised; γ, λ and Ψ are chosen for this task.
"""

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import nn

from workbench.credit.signals import direct_feedback
from workbench.data.sets.voices import CHANNELS, voices
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingMLP, spiking_logits
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import psi_gesture
from workbench.neurons.traces import Factors
from workbench.rule import Rule
from workbench.rules import bptt, eprop, stllr
from workbench.training.loop import Setting

SOUND_FACTORS = Factors(
    lambda_post=0.5, lambda_pre=0.8, alpha_post=1.0, alpha_pre=1.0
)  # before or after: it strengthens
DECAY, CHUNK = 0.8, 15  # of membranes and readout; steps per piece


def voice_network(neurons: int = 100, classes: int = 5, seed: int = 0) -> SpikingMLP:
    """128 channels, `neurons` recurrent LIF neurons, and a leaky readout."""
    neuron = Neuron(DECAY, 0.6)
    with seeded(seed):
        return SpikingMLP([CHANNELS, neurons], classes, neuron, psi_gesture, readout_decay=DECAY, recurrent=True)


def sound_setting(make_rule: Callable[[nn.Module], Rule], seed: int) -> Setting:
    """The network on all voices in batches of 40; Adam, 6e-3 along a cosine."""
    data, network = voices(), voice_network(seed=seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=6e-3)
    return Setting(network, optimizer, data, make_rule(network), spiking_logits, batch_size=40)


def sound_stllr(network: nn.Module, last_steps: int | None = None) -> Rule:
    """S-TLLR with backpropagation within the step."""
    return partial(stllr.gradients, params=stllr.STLLR(SOUND_FACTORS, last_steps, chunk=CHUNK))


def sound_stllr_dfa(network: nn.Module) -> Rule:
    """S-TLLR with direct feedback from the readout's error."""
    signal = direct_feedback(network, torch.zeros(1, 1, CHANNELS))
    return partial(stllr.gradients, params=stllr.STLLR(SOUND_FACTORS, chunk=CHUNK, signal=signal))


def sound_eprop(network: nn.Module) -> Rule:
    """e-prop, with a trace for every synapse."""
    return eprop.gradients


def sound_bptt(network: nn.Module) -> Rule:
    """Backpropagation through time."""
    return bptt.gradients


SOUND_RULES: Mapping[str, Callable[[nn.Module], Rule]] = {
    "stllr": sound_stllr,
    "stllr-last10": partial(sound_stllr, last_steps=10),
    "stllr-dfa": sound_stllr_dfa,
    "eprop": sound_eprop,
    "bptt": sound_bptt,
}
