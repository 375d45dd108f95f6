"""Audits of the rules of `workbench.rules`, by name, on a problem that fits each rule."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.audit.audit import Finding, audit
from workbench.audit.locality import updates_by_step
from workbench.data.sets.fashion_mnist import fashion_mnist_small
from workbench.data.sets.image_events import fashion_events
from workbench.experiments.lls import fashion_pictures, two_dense
from workbench.networks.block_networks import mini_conv
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron
from workbench.rule import Claim, ForBlocks, LearningRule, Prepared, Steps
from workbench.rules import RULES, backprop, bptt, rule_named

SAMPLES, CLASSES = 16, 10
STEPS = Steps(at_once=4)  # small chunks beside 20 steps, so that keeping a chunk is not taken for keeping all


class Problem(NamedTuple):
    """A network in float64 and a batch for it; `sequence` if the batch has steps."""

    network: Any
    x: Float[Tensor, "..."]
    y: Int[Tensor, "batch"]
    sequence: bool


def events_problem() -> Problem:
    """16 simulated recordings of clothes, 20 steps, and a 578–128–128–10 network."""
    x, y = fashion_events(train_per_class=2, test_per_class=1).train.batch(torch.arange(SAMPLES))
    with seeded(0):
        network = SpikingMLP([578, 128, 128], CLASSES, Neuron(0.8, 0.6), readout_decay=0.9).double()
    return Problem(network, x.flatten(2).double(), y, sequence=True)


def pictures_problem(form: ForBlocks) -> Problem:
    """16 photographs of clothes and a small network of blocks: convolutions, or dense ones that are not normalised."""
    x, y = fashion_pictures(fashion_mnist_small()).train.batch(torch.arange(SAMPLES))
    make = mini_conv if form.normalized else two_dense
    return Problem(make(CLASSES, 1, form.head(CLASSES)).double(), x.double(), y, sequence=False)


def problem_for(rule: LearningRule) -> Problem:
    """Events for a rule of spiking networks, else pictures."""
    if rule.for_spiking is not None:
        return events_problem()
    if rule.for_blocks is not None:
        return pictures_problem(rule.for_blocks)
    raise ValueError(f"rule '{rule.name}' says neither for_spiking nor for_blocks; it can train nothing")


def prepared(rule: LearningRule, problem: Problem, steps: Steps = STEPS) -> Prepared:
    """The rule for the problem's network."""
    if problem.sequence and rule.for_spiking is not None:
        return rule.for_spiking(problem.network, problem.x, CLASSES, steps)
    if not problem.sequence and rule.for_blocks is not None:
        return Prepared(rule.for_blocks.prepare(problem.network, problem.x.shape[1:], 0))
    raise ValueError(f"rule '{rule.name}' is not for this problem: sequence={problem.sequence}")


def audit_rule(name: str, among: Sequence[LearningRule] = RULES) -> Finding:
    """Audit a rule by its name. Raises ValueError that lists the names there are."""
    rule = rule_named(name, among)
    problem = problem_for(rule)
    gradients, by_step = prepared(rule, problem)
    updates = None if by_step is None else updates_by_step(by_step)
    reference = bptt.gradients if problem.sequence else backprop.gradients
    return audit(problem.network, problem.x, problem.y, gradients, reference, updates, problem.sequence)


def claims(names: Sequence[str] = tuple(rule.name for rule in RULES)) -> dict[str, Claim | None]:
    """What the papers claim of these rules, None where they say nothing. Raises ValueError for an unknown name."""
    return {name: rule_named(name).claim for name in names}
