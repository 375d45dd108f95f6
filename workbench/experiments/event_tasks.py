"""Simulated events as tasks: spiking networks that learn two kinds of clothes after two others, with any mix."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from workbench.continual.learning import StreamSetting, adam
from workbench.continual.method import Method
from workbench.continual.spiking_tasks import SpikingTasks
from workbench.continual.streams import Task, split_classes
from workbench.data.event_sets import EventSet
from workbench.data.sets.image_events import fashion_events
from workbench.data.split import Split
from workbench.experiments.experiment import Experiment, OpenRules
from workbench.experiments.spiking_rules import for_spiking
from workbench.mixes import Mix, learner, mix_named, of_rule
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingSequential
from workbench.neurons.lif import Neuron
from workbench.rule import LearningRule, Steps

TASKS, INPUTS, WIDTH = 5, 578, 100
STEPS = Steps(at_once=4)
MakeMethod = Callable[[SpikingTasks, Tensor], Method]


def event_task(train_per_class: int = 200, test_per_class: int = 50) -> Task:
    """Fashion-MNIST as simulated events, `(n, time, inputs)` of 20 steps, as one task."""
    return recordings("simulated events", fashion_events(train_per_class, test_per_class, pool=2))


def recordings(name: str, data: Split[EventSet]) -> Task:
    """Recordings of one length as a task: `(n, time, inputs)`."""

    def samples(rows: EventSet) -> tuple[Tensor, Tensor]:
        x, y = rows.batch(torch.arange(len(rows.labels)))[:2]
        return x.flatten(2).transpose(0, 1).contiguous(), y

    return Task(name, *samples(data.train), *samples(data.test), len(data.classes))


def event_network(tasks: int = TASKS, seed: int = 0) -> SpikingTasks:
    """578–100–100 LIF neurons with standardised weights, and a readout of two outputs for each task."""
    with seeded(seed):
        neuron = Neuron(decay=0.8, threshold=0.6)
        hidden = [SpikingLayer(nn.Linear(n, WIDTH), neuron) for n in (INPUTS, WIDTH)]
        return SpikingTasks(SpikingSequential(*hidden), [LeakyReadout(WIDTH, 2, 0.0) for _ in range(tasks)])


def with_mix(mix: Mix, classes: int = 2, steps: Steps = STEPS) -> MakeMethod:
    """What makes the method of a mix for a network with `classes` outputs and a batch of inputs."""
    return lambda network, x: learner(mix, network, [x], classes, steps)


def event_tasks_setting(method: MakeMethod, seed: int) -> StreamSetting:
    """Five tasks of two classes; Adam of 1e-3 anew for each, batches of 32."""
    stream = split_classes(event_task(), TASKS)
    network = event_network(len(stream), seed)
    example = stream[0].train_x[:64].transpose(0, 1)
    return StreamSetting(method(network, example), stream, adam(), batch_size=32)


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


def with_rule(rule: LearningRule, classes: int = 2, steps: Steps = STEPS) -> MakeMethod:
    """What makes fine-tuning with a rule of one's own."""
    for_spiking(rule)  # says what is wrong with one that its file does not make for spiking networks
    return with_mix(of_rule(rule), classes, steps)


def spiking_rules(classes: int, steps: Steps) -> OpenRules:
    """`NAMES` and any other mix, and rules of one's own; without protection S-TLLR is the one that other streams call
    fine-tuning."""
    named = {"fine-tuning": "stllr", **{name: name for name in NAMES}}
    rules = {name: with_mix(mix_named(mix), classes, steps) for name, mix in named.items()}
    more = {"classes": classes, "steps": steps}
    return OpenRules(rules, partial(with_rule, **more), partial(with_mix, **more))


EVENT_TASKS = Experiment(
    "event-tasks",
    "Fashion-MNIST as simulated events, two classes per task; a spiking network with a readout per task, any mix",
    spiking_rules(2, STEPS),
    epochs=3,
    prepare=event_tasks_setting,
    tasks=TASKS,
)
