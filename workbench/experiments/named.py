"""The named experiments, shared by the command line, the app, the notebooks and the tests."""

from collections.abc import Mapping

from workbench.experiments.ablations import ABLATIONS
from workbench.experiments.event_tasks import EVENT_TASKS
from workbench.experiments.events import FASHION_RULES, fashion_events_setting
from workbench.experiments.experiment import Experiment
from workbench.experiments.flow import ENDPOINT_ERROR, FLOW_RULES, flow_setting
from workbench.experiments.lls import BLOCK_RULES, lls_fashion, lls_fashion_full
from workbench.experiments.new_clothes import FINE_TUNING_RULES, fine_tuning_setting
from workbench.experiments.published import PUBLISHED
from workbench.experiments.sound import SOUND_RULES, sound_setting
from workbench.experiments.streams import (
    PERMUTED_FASHION,
    PERMUTED_FASHION_20,
    PERMUTED_MNIST,
    SPLIT_CIFAR100,
    SPLIT_FASHION,
)
from workbench.experiments.tess import TESS_RULES, tess_events, tess_still
from workbench.experiments.tess_integer import INTEGER_RULES, integer_events, integer_gesture
from workbench.experiments.voice_tasks import VOICE_TASKS
from workbench.names import unknown

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

TESS_INTEGER = Experiment(
    name="tess-integer",
    summary="TESS with weights of 8, 10 or 12 bits and membranes of 16, on simulated events, three small convolutions",
    rules=INTEGER_RULES,
    epochs=3,
    prepare=integer_events,
)

TESS_INTEGER_GESTURE = Experiment(
    name="tess-integer-gesture",
    summary="the same on DVS128 Gesture, from the folder dvs_gesture of the data folder",
    rules=INTEGER_RULES,
    epochs=100,
    prepare=integer_gesture,
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
    for e in (
        FASHION_EVENTS,
        SOUND,
        FLOW,
        TESS_EVENTS,
        TESS_STILL,
        TESS_INTEGER,
        TESS_INTEGER_GESTURE,
        LLS_FASHION,
        LLS_FASHION_FULL,
        FINE_TUNE_FASHION,
        PERMUTED_FASHION,
        PERMUTED_FASHION_20,
        PERMUTED_MNIST,
        SPLIT_FASHION,
        SPLIT_CIFAR100,
        EVENT_TASKS,
        VOICE_TASKS,
        *ABLATIONS,
        *PUBLISHED,
    )
}
STREAMS: Mapping[str, Experiment] = {name: e for name, e in EXPERIMENTS.items() if e.tasks is not None}


def experiment(name: str) -> Experiment:
    """The experiment of that name. Raises ValueError that lists the names there are."""
    if name not in EXPERIMENTS:
        raise unknown("there is no experiment", name, EXPERIMENTS)
    return EXPERIMENTS[name]
