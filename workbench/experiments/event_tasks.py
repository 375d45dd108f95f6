"""Simulated events as tasks: spiking networks that learn two kinds of clothes after two others, with any mix."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from workbench.continual.learning import StreamSetting
from workbench.continual.method import Method
from workbench.continual.methods.fine_tuning import FineTuning
from workbench.continual.spiking_tasks import SpikingTasks, time_first
from workbench.continual.streams import Task, split_classes
from workbench.data.event_sets import EventSet
from workbench.data.sets.image_events import fashion_events
from workbench.experiments.experiment import Experiment, OpenRules
from workbench.experiments.spiking_rules import for_spiking
from workbench.mixes import Mix, learner, mix_named
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingSequential
from workbench.neurons.lif import Neuron
from workbench.rule import LearningRule, Steps

TASKS, INPUTS, WIDTH = 5, 578, 100
MakeMethod = Callable[[SpikingTasks, Tensor], Method]


def event_task(train_per_class: int = 200, test_per_class: int = 50) -> Task:
    """Fashion-MNIST as simulated events, `(n, time, inputs)` of 20 steps, as one task."""
    data = fashion_events(train_per_class, test_per_class, pool=2)

    def samples(rows: EventSet) -> tuple[Tensor, Tensor]:
        x, y = rows.batch(torch.arange(len(rows.labels)))[:2]
        return x.flatten(2).transpose(0, 1).contiguous(), y

    return Task("simulated events", *samples(data.train), *samples(data.test), len(data.classes))


def event_network(tasks: int = TASKS, seed: int = 0) -> SpikingTasks:
    """578–100–100 LIF neurons with standardised weights, and a readout of two outputs for each task."""
    with seeded(seed):
        neuron = Neuron(decay=0.8, threshold=0.6)
        hidden = [SpikingLayer(nn.Linear(n, WIDTH), neuron) for n in (INPUTS, WIDTH)]
        return SpikingTasks(SpikingSequential(*hidden), [LeakyReadout(WIDTH, 2, 0.0) for _ in range(tasks)])


def with_mix(mix: Mix) -> MakeMethod:
    """What makes the method of a mix for a network and a batch of inputs."""
    return lambda network, x: learner(mix, network, [x], classes=2, steps=Steps(at_once=4))


def event_tasks_setting(method: MakeMethod, seed: int) -> StreamSetting:
    """Five tasks of two classes; Adam of 1e-3 anew for each, batches of 32."""
    stream = split_classes(event_task(), TASKS)
    network = event_network(len(stream), seed)
    example = stream[0].train_x[:64].transpose(0, 1)
    return StreamSetting(method(network, example), stream, adam, batch_size=32)


def adam(parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """Adam of 1e-3."""
    return torch.optim.Adam(parameters, lr=1e-3)


NAMES = (
    "traces+backprop",
    "traces+backprop+all+gpm",
    "traces+backprop+all+code-cl",
    "traces+backprop+all+subspace",
    "traces+backprop+all+ewc",
    "traces+backprop+lance+gpm",
    "traces+tess",
    "traces+tess+all+gpm",
    "traces+tess+all+code-cl",
    "traces+tess+lance+code-cl",
    "eprop+backprop+all+gpm",
    "bptt",
    "bptt+backprop+all+gpm",
)


def with_rule(rule: LearningRule) -> MakeMethod:
    """What makes fine-tuning with a rule of one's own."""
    make = for_spiking(rule)

    def made(network: SpikingTasks, x: Tensor) -> Method:
        return FineTuning(network, time_first(make(network.seen(0), x, 2, Steps(at_once=4)).gradients))

    return made


# without protection S-TLLR is the one that other streams call fine-tuning
_RULES = {"fine-tuning": with_mix(mix_named("stllr")), **{name: with_mix(mix_named(name)) for name in NAMES}}
EVENT_RULES = OpenRules(_RULES, with_rule, with_mix)
EVENT_TASKS = Experiment(
    "event-tasks",
    "Fashion-MNIST as simulated events, two classes per task; a spiking network with a readout per task, any mix",
    EVENT_RULES,
    epochs=3,
    prepare=event_tasks_setting,
    tasks=TASKS,
)
