"""What each layer's update depends on, under every rule of spiking networks, on one problem small enough to look at.

A 24–48–48–48–10 spiking network in float64, 4 samples of random spikes, 8 steps. The layers' weights and the steps'
inputs are replaced one after the other (`audit.locality`); the rules are those of the audit.
"""

from functools import cache
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.audit.locality import Space, Time, space_dependence, time_dependence
from workbench.audit.subjects import SUBJECTS, Problem, events_problem, subject_of
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron

STEPS = 8
LAYERS = ("layer 1", "layer 2", "layer 3", "readout")
RULES = tuple(name for name, subject in SUBJECTS.items() if subject.problem is events_problem)
LEAST, MOST = 0.01, 2.0  # the ends of the colour scale: a change by 1/100 of the update, and by twice of it


class Dependence(NamedTuple):
    """space: D[l, k] of every pair of layers. time: D[t, s] of every pair of steps, for the update of each layer."""

    space: Space
    time: Time

    def of_layers(self, layer: int) -> Float[Tensor, "layers"]:
        """How much the update of a layer changes when the weights of each layer are replaced."""
        return self.space.change[layer]

    def of_steps(self, layer: int) -> Float[Tensor, "steps steps"]:
        """D[t, s] of a layer's update."""
        return self.time.change[self.space.layers[layer]]


def small_problem() -> Problem:
    """The network, the spikes and the labels; so many inputs fire that every layer does from the first step on."""
    with seeded(0):
        network = SpikingMLP([24, 48, 48, 48], 10, Neuron(0.7, 0.6), readout_decay=0.8).double()
    generator = torch.Generator().manual_seed(0)
    x = (torch.rand(STEPS, 4, 24, generator=generator) < 0.4).double()
    return Problem(network, x, torch.arange(4), sequence=True)


@cache
def dependence(rule: str) -> Dependence:
    """What the updates of `rule` depend on, measured once and kept. Raises ValueError that lists the rules there are.

    >>> dependence("tess").space.later, dependence("bptt").time.later > 0
    (0.0, True)
    """
    if rule not in RULES:
        raise ValueError(f"there is no map of rule '{rule}'; there are {', '.join(RULES)}")
    problem = small_problem()
    prepared = subject_of(rule).prepare(problem)
    assert prepared.updates is not None
    space = space_dependence(problem.network, problem.x, problem.y, prepared.rule)
    return Dependence(space, time_dependence(problem.network, problem.x, problem.y, prepared.updates))


def shade(change: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """A place on a logarithmic colour scale: 0 for exactly zero and for nothing else, 1 for MOST and above.

    >>> shade(torch.tensor([0.0, 1e-9, 2.0]))
    tensor([0.0000, 0.1000, 1.0000])
    """
    height = torch.log(change.clamp(LEAST, MOST) / LEAST) / torch.log(torch.tensor(MOST / LEAST))
    return torch.where(change == 0, 0.0, 0.1 + 0.9 * height)
