"""A film of learning: what a spiking network makes of one held-out sample, again and again while it is trained."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Shaped
from torch import Tensor, nn

from workbench.checks import COUNT, check_number
from workbench.meters.evaluation import evaluation
from workbench.networks.layers import SpikingLayer
from workbench.networks.spiking import Simulation, run_network, spiking_layers
from workbench.rule import Batch
from workbench.training.loop import train
from workbench.training.samples import data_of
from workbench.training.score import ACCURACY
from workbench.training.setting import Plan, Setting, Told

FRAMES = 24  # of a run, besides the one before it learns


class Frame(NamedTuple):
    """After `done` of the run (0 to 1): the spikes of each spiking layer, and the probability of the right class, NaN
    where the score is not one of classes."""

    done: float
    spikes: tuple[Bool[Tensor, "time neurons"], ...]
    right: float


class Shot(NamedTuple):
    """The record of a step, and the frames that were taken since the one before: mostly none."""

    record: Told
    frames: tuple[Frame, ...] = ()


class Scene(NamedTuple):
    """The sample that is filmed, `(time, one, features)`, and its label."""

    x: Shaped[Tensor, "time one *features"]
    label: Shaped[Tensor, "*target"]


def sample_of(setting: Any, number: int = 0) -> Scene | None:
    """A held-out sample by its number, counted round and round; None where the network has no spikes to film."""
    if not isinstance(setting, Setting) or not spiking_layers(setting.network):
        return None
    samples = data_of(setting.data).test
    x, y, _ = Batch(*samples.batch(torch.tensor([number % len(samples.labels)])))
    return Scene(x, y[0])


@torch.no_grad()
def take(setting: Setting, scene: Scene, done: float) -> Frame:
    """A frame of the network as it is now. Nothing of the run is changed by it."""
    network, spikes = setting.network, []
    simulation = Simulation(network)

    def run(layer: nn.Module, x: Shaped[Tensor, "time one ..."]) -> Shaped[Tensor, "time one ..."]:
        output = simulation.run(layer, x)
        if isinstance(layer, SpikingLayer):
            spikes.append(output[:, 0].flatten(1) > 0)
        return output

    with evaluation(network), setting.evaluating(data_of(setting.data).train):
        run_network(network, scene.x.to(next(network.parameters()).dtype), run)
        scores = setting.logits(network, scene.x)
    right = float(scores[0].softmax(0)[int(scene.label)]) if setting.score == ACCURACY else float("nan")
    return Frame(done, tuple(spikes), right)


def filmed(setting: Any, plan: Plan, number: int = 0, frames: int = FRAMES) -> Iterator[Shot]:
    """Train as `training.train` does and look at held-out sample `number` before the first step and `frames` times.

    A network without spikes, or a stream of tasks, is trained and not filmed. Raises ValueError for no frame.

    >>> from workbench.experiments import FASHION_EVENTS, prepare, vary
    >>> setting = prepare(vary(FASHION_EVENTS, per_class=10), "tess")
    >>> frames = [frame for shot in filmed(setting, Plan(epochs=2), frames=2) for frame in shot.frames]
    >>> [frame.done for frame in frames], [len(spikes) for spikes in frames[0].spikes]
    ([0.0, 0.5, 1.0], [20, 20])
    """
    check_number(frames, "frames", COUNT)
    scene = sample_of(setting, number)
    taken = () if scene is None else (take(setting, scene, 0.0),)
    for record in train(setting, plan):
        done = record.step + 1
        if scene is not None and done * frames // record.steps > record.step * frames // record.steps:
            taken = (*taken, take(setting, scene, done / record.steps))
        yield Shot(record, taken)
        taken = ()
