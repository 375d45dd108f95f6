"""Named settings, shared by the command line, the app, the notebooks and the tests.

An experiment says which data, which network and which rules; `start` begins one run of it as a generator of records.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from workbench.experiments.events import FASHION_RULES, fashion_events_setting
from workbench.experiments.flow import ENDPOINT_ERROR, FLOW_RULES, flow_setting
from workbench.experiments.lls import BLOCK_RULES, lls_fashion, lls_fashion_full
from workbench.experiments.new_clothes import FINE_TUNING_RULES, fine_tuning_setting
from workbench.experiments.sound import SOUND_RULES, sound_setting
from workbench.experiments.tess import TESS_RULES, tess_events, tess_still
from workbench.networks.seeded import seeded
from workbench.training.loop import train
from workbench.training.score import ACCURACY, Score
from workbench.training.setting import Plan, Record, Setting


class Experiment(NamedTuple):
    """A named experiment: rules by their short name, a number of epochs, and `prepare(rule, seed)`, which makes a run.

    What stands in `rules` is up to `prepare`: a rule, or what makes one for a network, or what else the network needs.
    score: how its outputs are judged, known before anything is prepared.
    """

    name: str
    summary: str
    rules: Mapping[str, Any]
    epochs: int
    prepare: Callable[[Any, int], Setting]
    score: Score = ACCURACY


def start(
    experiment: Experiment,
    rule: str,
    seed: int = 0,
    epochs: int | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    loops: str | None = None,
) -> Iterator[Record]:
    """Begin a run: the generator of `loop.train`. Raises ValueError for an unknown rule or no epoch."""
    epochs = experiment.epochs if epochs is None else epochs
    if rule not in experiment.rules:
        raise ValueError(f"{experiment.name} has no rule '{rule}'; it has {', '.join(experiment.rules)}")
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, got {epochs}")
    with seeded(seed):  # whatever an experiment draws, it leaves torch's generator and other threads alone
        setting = experiment.prepare(experiment.rules[rule], seed)
    label = f"{experiment.name}, rule {rule}, seed {seed}, {epochs} epochs"
    return train(setting, Plan(epochs, seed, loops), checkpoint, resume, label=label)


FASHION_EVENTS = Experiment(
    name="fashion-events",
    summary="Fashion-MNIST seen by a simulated event camera, dense spiking network",
    rules=FASHION_RULES,
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
    rules=TESS_RULES,
    epochs=3,
    prepare=tess_events,
)

TESS_STILL = Experiment(
    name="tess-still",
    summary="TESS on Fashion-MNIST images shown for six steps, two wide spiking layers",
    rules=TESS_RULES,
    epochs=3,
    prepare=tess_still,
)

LLS_FASHION = Experiment(
    name="lls-fashion",
    summary="Fashion-MNIST (embedded 5,000 images), a small convolutional network trained block by block",
    rules=BLOCK_RULES,
    epochs=5,
    prepare=lls_fashion,
)

LLS_FASHION_FULL = Experiment(
    name="lls-fashion-full",
    summary="Fashion-MNIST (all 60,000 images), SmallConv with the settings of the LLS paper",
    rules=BLOCK_RULES,
    epochs=100,
    prepare=lls_fashion_full,
)

FINE_TUNE_FASHION = Experiment(
    name="fine-tune-fashion",
    summary="ResNet-20 knows six classes of Fashion-MNIST; its last four convolutions learn four others",
    rules=FINE_TUNING_RULES,
    epochs=8,
    prepare=fine_tuning_setting,
)

FLOW = Experiment(
    name="flow",
    summary="which way does it move? optical flow from simulated events, spiking U-Net",
    rules=FLOW_RULES,
    epochs=6,
    prepare=flow_setting,
    score=ENDPOINT_ERROR,
)

EXPERIMENTS: Mapping[str, Experiment] = {
    e.name: e
    for e in (FASHION_EVENTS, SOUND, FLOW, TESS_EVENTS, TESS_STILL, LLS_FASHION, LLS_FASHION_FULL, FINE_TUNE_FASHION)
}


def experiment(name: str) -> Experiment:
    """The experiment of that name. Raises ValueError that lists the names there are."""
    if name not in EXPERIMENTS:
        raise ValueError(f"there is no experiment '{name}'; there are {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]
