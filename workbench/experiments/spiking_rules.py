"""The rules of an experiment with spiking networks: its own settings of some, and all others as their files say."""

from collections.abc import Callable, Mapping

from jaxtyping import Shaped
from torch import Tensor, nn

from workbench.rule import Prepared, Rule, Steps
from workbench.rules import RULES

Prepare = Callable[[nn.Module, Tensor, int, Steps], Prepared]
MakeRule = Callable[[nn.Module], Rule]


def made(prepare: Prepare, example: Shaped[Tensor, "time batch ..."], classes: int, steps: Steps = Steps()) -> MakeRule:
    """What makes a rule for any network with inputs like `example` `(time, batch, ...)`."""
    return lambda network: prepare(network, example, classes, steps).gradients


def and_all_others(
    own: Mapping[str, MakeRule], example: Shaped[Tensor, "time batch ..."], classes: int, steps: Steps = Steps()
) -> dict[str, MakeRule]:
    """`own`, and after them every other rule of spiking networks, made as its file says."""
    others = {
        rule.name: made(rule.for_spiking, example, classes, steps)
        for rule in RULES
        if rule.for_spiking is not None and rule.name not in own
    }
    return {**own, **others}
