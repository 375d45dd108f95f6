"""What each layer's update depends on, under every rule of spiking networks, on one problem small enough to look at.

A 24–48–48–48–10 spiking network in float64, 4 samples of random spikes, 8 steps. The layers' weights and the steps'
inputs are replaced one after the other (`audit.locality`), under every rule for spiking networks that can say what each
step adds to its update.
"""

from functools import cache
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.audit.by_name import CLASSES, Problem, prepared
from workbench.audit.locality import Space, Time, space_dependence, time_dependence, updates_by_step
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron
from workbench.rule import LearningRule
from workbench.rules import RULES, rule_named

STEPS = 8
LAYERS = ("layer 1", "layer 2", "layer 3", "readout")
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
        network = SpikingMLP([24, 48, 48, 48], CLASSES, Neuron(0.7, 0.6), readout_decay=0.8).double()
    generator = torch.Generator().manual_seed(0)
    x = (torch.rand(STEPS, 4, 24, generator=generator) < 0.4).double()
    return Problem(network, x, torch.arange(4), sequence=True)


@cache
def mapped_rules() -> tuple[LearningRule, ...]:
    """The rules that the small problem's network can learn by, and that can say what each step adds."""
    problem, found = small_problem(), []
    for rule in RULES:
        if rule.for_spiking is None:
            continue
        try:
            can = prepared(rule, problem).by_step is not None
        except ValueError:  # the rule's own refusal
            continue
        found += [rule] * can
    return tuple(found)


@cache
def dependence(rule: str) -> Dependence:
    """What the updates of `rule` depend on, measured once and kept. Raises ValueError that lists the rules there are.

    >>> dependence("tess").space.later, dependence("bptt").time.later > 0
    (0.0, True)
    """
    names = [each.name for each in mapped_rules()]
    if rule not in names:
        raise ValueError(f"there is no map of rule '{rule}'; there are {', '.join(names)}")
    problem = small_problem()
    gradients, by_step = prepared(rule_named(rule), problem)
    assert by_step is not None
    space = space_dependence(problem.network, problem.x, problem.y, gradients)
    return Dependence(space, time_dependence(problem.network, problem.x, problem.y, updates_by_step(by_step)))


def shade(change: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """A place on a logarithmic colour scale: 0 for exactly zero and for nothing else, 1 for MOST and above.

    >>> shade(torch.tensor([0.0, 1e-9, 2.0]))
    tensor([0.0000, 0.1000, 1.0000])
    """
    height = torch.log(change.clamp(LEAST, MOST) / LEAST) / torch.log(torch.tensor(MOST / LEAST))
    return torch.where(change == 0, 0.0, 0.1 + 0.9 * height)
