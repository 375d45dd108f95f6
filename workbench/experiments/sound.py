"""Whose voice is it? A small recurrent network on the embedded voices.

A small sister of the S-TLLR paper's 700–450–20 network for spoken digits: 128–100 recurrent–5 with a leaky readout, 60
steps of 10 ms. As in the paper, α_post = +1 and all weights are standardised; γ, λ and Ψ are chosen for this task.
"""

from collections.abc import Mapping
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.data.sets.voices import CHANNELS, voices
from workbench.experiments.spiking_rules import MakeRule, Prepare, and_all_others, made, one_task
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingMLP, spiking_logits
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import psi_gesture
from workbench.neurons.traces import Factors
from workbench.rule import Steps
from workbench.rules import eprop, stllr
from workbench.training.setting import Setting

SOUND_FACTORS = Factors(
    lambda_post=0.5, lambda_pre=0.8, alpha_post=1.0, alpha_pre=1.0
)  # before or after: it strengthens
DECAY, CHUNK = 0.8, 15  # of membranes and readout; steps per piece


def voice_network(neurons: int = 100, classes: int = 5, seed: int = 0) -> SpikingMLP:
    """128 channels, `neurons` recurrent LIF neurons, and a leaky readout."""
    neuron = Neuron(DECAY, 0.6)
    with seeded(seed):
        return SpikingMLP([CHANNELS, neurons], classes, neuron, psi_gesture, readout_decay=DECAY, recurrent=True)


def sound_setting(make_rule: MakeRule, seed: int) -> Setting:
    """The network on all voices in batches of 40; Adam, 6e-3 along a cosine."""
    data, network = voices(), voice_network(seed=seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=6e-3)
    return Setting(network, optimizer, data, make_rule(network), spiking_logits, batch_size=40)


def sound_rule(prepare: Prepare, last: int | None = None) -> MakeRule:
    """A rule for this network; `last` steps learn, all when None."""
    return made(prepare, torch.zeros(1, 1, CHANNELS), 5, Steps(last, CHUNK))


def first_voices() -> Float[Tensor, "time batch channels"]:
    """64 windows of training, on which bases are found."""
    return voices().train.batch(torch.arange(64))[0]


_stllr = partial(stllr.prepare, factors=SOUND_FACTORS)

SOUND_RULES: Mapping[str, MakeRule] = and_all_others(
    {
        "stllr": sound_rule(_stllr),
        "stllr-causal": sound_rule(partial(stllr.prepare, factors=SOUND_FACTORS._replace(alpha_post=0.0))),
        "stllr-last10": sound_rule(_stllr, last=10),
        "stllr-dfa": sound_rule(partial(stllr.prepare_direct_feedback, factors=SOUND_FACTORS)),
        "eprop": sound_rule(eprop.prepare),
    },
    torch.zeros(1, 1, CHANNELS),
    5,
    Steps(at_once=CHUNK),
    mixed=partial(one_task, inputs=first_voices, classes=5, steps=Steps(at_once=CHUNK)),
)
