"""The rules of an experiment with spiking networks: its own settings of some, and all others as their files say."""

from collections.abc import Callable, Mapping
from typing import Any

from jaxtyping import Shaped
from torch import Tensor, nn

from workbench.credit.signals import local_classifiers, make_classifiers
from workbench.experiments.experiment import OpenRules, check_alone
from workbench.mixes import Mix, prepare
from workbench.networks.spiking import spiking_layers
from workbench.neurons.traces import Factors
from workbench.rule import LearningRule, Prepared, Rule, Steps
from workbench.rules import RULES, stllr

Prepare = Callable[[nn.Module, Tensor, int, Steps], Prepared]
MakeRule = Callable[[nn.Module], Rule]
WINDOWS = {"stllr-antisymmetric": -1.0, "stllr-causal": 0.0, "stllr-symmetric": 1.0}  # α_post where α_pre = 1


def made(prepare: Prepare, example: Shaped[Tensor, "time batch ..."], classes: int, steps: Steps = Steps()) -> MakeRule:
    """What makes a rule for any network with inputs like `example` `(time, batch, ...)`."""
    return lambda network: prepare(network, example, classes, steps).gradients


def with_classifiers(factors: Factors) -> Prepare:
    """S-TLLR whose layers learn from a classifier of their own each; the network is given the classifiers."""

    def with_own(network: Any, x: Tensor, classes: int, steps: Steps) -> Prepared:
        network.classifiers = make_classifiers(network, x, classes)
        signal = local_classifiers(dict(zip(spiking_layers(network).values(), network.classifiers, strict=True)))
        return stllr.prepare(network, x, classes, steps, factors, lambda *_: signal)

    return with_own


def and_all_others(
    own: Mapping[str, MakeRule],
    example: Shaped[Tensor, "time batch ..."],
    classes: int,
    steps: Steps = Steps(),
    mixed: Callable[[Mix], MakeRule] | None = None,
) -> OpenRules:
    """`own`, and after them every other rule of spiking networks, made as its file says; one's own is, too, and a mix
    where `mixed` makes it."""
    others = {
        rule.name: made(rule.for_spiking, example, classes, steps)
        for rule in RULES
        if rule.for_spiking is not None and rule.name not in own
    }

    def take(rule: LearningRule) -> MakeRule:
        return made(for_spiking(rule), example, classes, steps)

    return OpenRules({**own, **others}, take, mixed)


def one_task(
    mix: Mix, inputs: Callable[[], Shaped[Tensor, "time batch ..."]], classes: int, steps: Steps = Steps()
) -> MakeRule:
    """What makes the rule of a mix, with bases found on `inputs()`; ValueError for a mix with a direction, which one
    task has no use for."""
    check_alone(mix)
    return lambda network: prepare(mix, network, [inputs()], classes, steps).gradients


def for_spiking(rule: LearningRule) -> Prepare:
    """How a rule is made for a spiking network; ValueError where its file does not say."""
    if rule.for_spiking is None:
        raise ValueError(f"rule '{rule.name}' does not say for_spiking, and this experiment trains a spiking network")
    return rule.for_spiking
