"""A small spiking network that learns simulated events with any mix, and is looked at after every batch.

Four kinds of clothes as event recordings of 20 steps, 81 pixels of both polarities; two layers of 40 neurons. Either
all four kinds are learned at once, or, where a direction is to be seen, two after two others: then what is still known
of the first task is told with every look.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.continual.learning import StreamSetting, accuracies
from workbench.continual.spiking_tasks import SpikingTasks
from workbench.continual.streams import Task, split_classes
from workbench.cost.formulas import layer_sizes
from workbench.data.senses.camera import LIKE_NMNIST, event_frames
from workbench.data.sets.fashion_mnist import CLASSES, fashion_mnist_small
from workbench.experiments.event_tasks import event_task
from workbench.kernels.choice import Loops, taking
from workbench.mixes import Mix, learner
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.seeded import seeded
from workbench.networks.spiking import Simulation, SpikingSequential, layers_with_memory, run_network, spiking_layers
from workbench.neurons.lif import Neuron
from workbench.rule import LayerSize, Rule, StepReport, Steps
from workbench.training.setting import Plan

KINDS = CLASSES[:4]  # of clothes
STEPS, SIDE, WIDTH = 20, 9, 40
INPUTS = 2 * SIDE**2
AT_ONCE = 4  # steps that a rule works on at a time
BATCH, EVERY = 16, 4  # samples of a batch; batches between two tests
RATE = 2e-3


class Film(NamedTuple):
    """One held-out recording: its frames as the camera sees them, and as the network does."""

    frames: Bool[Tensor, "time polarity height width"]
    x: Float[Tensor, "time one inputs"]


class Seen(NamedTuple):
    """What a network makes of one recording: spikes of each layer, the probability of each class it can answer; and the
    weights it does it with, those of the readout last."""

    spikes: tuple[Bool[Tensor, "time neurons"], ...]
    scores: Float[Tensor, " classes"]
    weights: tuple[Float[Tensor, "n_out n_in"], ...]


class Moment(NamedTuple):
    """After a batch, number `step` (from 0) of `steps`. accuracies: on held-out recordings of each task so far, None
    where they were not tested. kept_bytes: what autograd kept for the gradient, the rule from step to step, and the
    method from task to task."""

    step: int
    steps: int
    task: int
    loss: float
    accuracies: tuple[float, ...] | None
    kept_bytes: int
    seen: Seen


@lru_cache(maxsize=4)
def play_tasks(in_turn: bool, per_class: int = 100, held_out: int = 25) -> tuple[Task, ...]:
    """One task of four kinds, or two tasks of two kinds each; x `(n, time, inputs)`."""
    base = event_task(per_class, held_out)
    base = base._replace(train_x=coarse(base.train_x), test_x=coarse(base.test_x))
    if in_turn:
        return tuple(split_classes(base, 5)[:2])
    train, test = (labels < len(KINDS) for labels in (base.train_y, base.test_y))
    samples = base.train_x[train], base.train_y[train], base.test_x[test], base.test_y[test]
    return (Task("four kinds of clothes", *samples, len(KINDS)),)


def coarse(x: Float[Tensor, "*batch pixels"]) -> Float[Tensor, "*batch inputs"]:
    """Events of 17 × 17 pixels of both polarities, added up in blocks of 2 × 2: 9 × 9 of them."""
    images = x.reshape(-1, 2, 17, 17)
    blocks = 4 * F.avg_pool2d(F.pad(images, (0, 1, 0, 1)), 2)
    return blocks.reshape(*x.shape[:-1], INPUTS)


@lru_cache(maxsize=len(KINDS))
def film(kind: int) -> Film:
    """The first held-out recording of a kind of clothes."""
    images = fashion_mnist_small()
    k = int((torch.from_numpy(images.test.labels) == kind).nonzero()[0])
    number = len(images.train.labels) + k  # as `image_events` counts them: it picks the noise
    frames = torch.from_numpy(event_frames(images.test.images[k : k + 1], LIKE_NMNIST, number)[0])
    pooled = 4 * F.avg_pool2d(frames.float(), 2)
    return Film(frames, coarse(pooled.flatten(1))[:, None])


def play_network(in_turn: bool, seed: int = 0) -> SpikingTasks:
    """162–40–40 LIF neurons, and a readout for each task."""
    tasks, classes = (2, len(KINDS) // 2) if in_turn else (1, len(KINDS))
    with seeded(seed):
        neuron = Neuron(decay=0.8, threshold=0.6)
        hidden = [SpikingLayer(nn.Linear(n, WIDTH), neuron) for n in (INPUTS, WIDTH)]
        return SpikingTasks(SpikingSequential(*hidden), [LeakyReadout(WIDTH, classes, 0.0) for _ in range(tasks)])


@lru_cache(maxsize=1)
def play_sizes() -> tuple[LayerSize, ...]:
    """What formulas of cost are made of."""
    return tuple(layer_sizes(play_network(False).seen(0), torch.zeros(1, 1, INPUTS)))


@torch.no_grad()
def see(network: SpikingTasks, x: Float[Tensor, "time one inputs"], task: int = 0) -> Seen:
    """One recording through the network, with the readout of a task."""
    part, spikes = network.seen(task), []
    simulation = Simulation(part)

    def run(layer: nn.Module, now: Shaped[Tensor, "time one ..."]) -> Shaped[Tensor, "time one ..."]:
        output = simulation.run(layer, now)
        if isinstance(layer, SpikingLayer):
            spikes.append(output[:, 0] > 0)
        return output

    scores = run_network(part, x, run).mean(0)[0].softmax(0)
    weights = [layer.effective_weight() for layer in spiking_layers(part).values()]
    readout = list(layers_with_memory(part).values())[-1]
    return Seen(tuple(spikes), scores, tuple(W.clone() for W in (*weights, readout.connection.weight)))


def play(
    mix: Mix, in_turn: bool = False, kind: int = 0, seed: int = 0, epochs: int = 4, tasks: Sequence[Task] | None = None
) -> Iterator[Moment]:
    """Train with a mix, and look after every batch at the recording of `kind`. Two runs with one seed see the same
    batches from the same first weights.

    tasks: others than `play_tasks`. Raises ValueError for a mix that cannot train a dense network.
    """
    stream = play_tasks(in_turn) if tasks is None else tasks
    network = play_network(in_turn, seed)
    example = stream[0].train_x[:64].transpose(0, 1)
    method = learner(mix, network, [example], stream[0].classes, Steps(at_once=AT_ONCE), seed=seed)
    carried = Carried(method.rule)
    method.rule = carried
    setting = StreamSetting(method, stream, adam, batch_size=BATCH)
    x, tests = film(kind).x, [(task.test_x, task.test_y) for task in stream]
    task_of_kind = kind // 2 if in_turn else 0
    for record in setting.begin(Plan(epochs, seed)).records():
        last = record.step + 1 == record.steps
        told = None
        if record.step % EVERY == 0 or last or record.accuracies is not None:
            told = accuracies(network, tests[: record.task + 1])
        kept = record.saved_bytes + carried.bytes + record.state_bytes
        seen = see(network, x, task_of_kind)
        yield Moment(record.step, record.steps, record.task, record.loss, told, kept, seen)


def get_ready() -> None:
    """Do what the first batch of a first run would wait for: read the recordings, load what optimisers need."""
    play_tasks(False)
    adam([nn.Parameter(torch.zeros(1))])


class Carried:
    """A rule that notes how many bytes it carried from step to step, at most so far. It takes the plain loops: the
    layers are small, and compiled ones would have to be loaded first."""

    def __init__(self, rule: Rule):
        self.rule, self.bytes = rule, 0

    def __call__(self, network: Any, x: Tensor, y: Tensor) -> StepReport:
        with taking(Loops.PLAIN):
            report = self.rule(network, x, y)
        self.bytes = max(self.bytes, report.state_bytes)
        return report


def adam(parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """Adam of `RATE`."""
    return torch.optim.Adam(parameters, lr=RATE)
