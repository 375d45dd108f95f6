"""Named settings, shared by the command line, the app, the notebooks and the tests.

An experiment says which data, which network and which rules; `start` begins one run of it as a generator of records.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from workbench.compression.transfer import VERSIONS, fine_tuning_setting
from workbench.data.image_events import fashion_events
from workbench.lif import Neuron
from workbench.lls_settings import VARIANTS, lls_fashion, lls_fashion_full
from workbench.networks import SpikingMLP, spiking_logits
from workbench.rules import bptt, stllr, tess
from workbench.signals import direct_feedback
from workbench.sound_settings import SOUND_RULES, sound_setting
from workbench.tess_settings import TEACHERS, tess_events, tess_still
from workbench.traces import Factors
from workbench.training import Plan, Record, Rule, Setting, train


class Experiment(NamedTuple):
    """A named experiment: rules by their short name, a number of epochs, and `prepare(rule, seed)`, which makes a run.

    What stands in `rules` is up to `prepare`: a rule, or what makes one for a network, or what else the network needs.
    """

    name: str
    summary: str
    rules: Mapping[str, Any]
    epochs: int
    prepare: Callable[[Any, int], Setting]


def start(
    experiment: Experiment,
    rule: str,
    seed: int = 0,
    epochs: int | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
) -> Iterator[Record]:
    """Begin a run: the generator of `workbench.training.train`. Raises ValueError for an unknown rule or no epoch."""
    epochs = experiment.epochs if epochs is None else epochs
    if rule not in experiment.rules:
        raise ValueError(f"{experiment.name} has no rule '{rule}'; it has {', '.join(experiment.rules)}")
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, got {epochs}")
    setting = experiment.prepare(experiment.rules[rule], seed)
    plan = Plan(epochs, setting.batch_size, seed, setting.schedule)
    label = f"{experiment.name}, rule {rule}, seed {seed}, {epochs} epochs"
    return train(
        setting.network, setting.data, setting.rule, setting.optimizer, setting.logits, plan, checkpoint, resume,
        label=label, evaluating=setting.evaluating,
    )  # fmt: skip


MakeRule = Callable[[nn.Module], Rule]

FASHION_FACTORS = Factors(lambda_post=0.2, lambda_pre=0.8, alpha_post=-0.5, alpha_pre=1.0)
FASHION_CHUNK = 4  # of 20 steps: small pieces, so that a rule keeps little even of a short recording


def fashion_events_setting(make_rule: MakeRule, seed: int) -> Setting:
    """578–200–200–10 LIF network on Fashion-MNIST as simulated events, 20 steps; Adam, 2e-3 along a cosine."""
    data = fashion_events()
    torch.manual_seed(seed)
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


FASHION_EVENTS = Experiment(
    name="fashion-events",
    summary="Fashion-MNIST seen by a simulated event camera, dense spiking network",
    rules={
        "stllr": by_stllr,
        "stllr-causal": partial(by_stllr, factors=FASHION_FACTORS._replace(alpha_post=0.0)),
        "stllr-last5": partial(by_stllr, last_steps=5),
        "stllr-dfa": by_stllr_dfa,
        "tess": by_tess,
        "bptt": by_bptt,
    },
    epochs=3,
    prepare=fashion_events_setting,
)

SOUND = Experiment(
    name="sound",
    summary="whose voice is it? five voices as spikes (embedded), small recurrent network",
    rules=SOUND_RULES,
    epochs=15,
    prepare=sound_setting,
)

TESS_EVENTS = Experiment(
    name="tess-events",
    summary="TESS on Fashion-MNIST seen by a simulated event camera, one wide spiking layer",
    rules=TEACHERS,
    epochs=3,
    prepare=tess_events,
)

TESS_STILL = Experiment(
    name="tess-still",
    summary="TESS on Fashion-MNIST images shown for six steps, two wide spiking layers",
    rules=TEACHERS,
    epochs=3,
    prepare=tess_still,
)

LLS_FASHION = Experiment(
    name="lls-fashion",
    summary="Fashion-MNIST (embedded 5,000 images), a small convolutional network trained block by block",
    rules=VARIANTS,
    epochs=5,
    prepare=lls_fashion,
)

LLS_FASHION_FULL = Experiment(
    name="lls-fashion-full",
    summary="Fashion-MNIST (all 60,000 images), SmallConv with the settings of the LLS paper",
    rules=VARIANTS,
    epochs=100,
    prepare=lls_fashion_full,
)

FINE_TUNE_FASHION = Experiment(
    name="fine-tune-fashion",
    summary="ResNet-20 knows six classes of Fashion-MNIST; its last four convolutions learn four others",
    rules=VERSIONS,
    epochs=8,
    prepare=fine_tuning_setting,
)

EXPERIMENTS: Mapping[str, Experiment] = {
    e.name: e
    for e in (FASHION_EVENTS, SOUND, TESS_EVENTS, TESS_STILL, LLS_FASHION, LLS_FASHION_FULL, FINE_TUNE_FASHION)
}


def experiment(name: str) -> Experiment:
    """The experiment of that name. Raises ValueError that lists the names there are."""
    if name not in EXPERIMENTS:
        raise ValueError(f"there is no experiment '{name}'; there are {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]
