"""What every rule costs on one network: by formula for those that have one, counted for those that are run.

The formulas stand in the rules' files, in these symbols: N_l neurons and M_l multiply-accumulate operations (MACs) of
layer l for one step, T steps, K of which learn, C classes. For one sample, memory in values and MACs:

    BPTT  T Σ N_l,  2 T Σ M_l       S-TLLR  2 Σ N_l,  3 K Σ M_l       e-prop  Σ N_l + Σ M_l,  (T + 2 K) Σ M_l
    OTTT  Σ N_l,  2 K Σ M_l         TESS  2 Σ N_l,  2 K Σ M_l + 2 K C Σ N_l
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from jaxtyping import Shaped
from torch import Tensor, nn

from workbench.checks import COUNT, check_number
from workbench.cost.counted import Measured, measure
from workbench.cost.formulas import layer_sizes
from workbench.rule import Cost, LayerSize, Rule
from workbench.rules import RULES

COSTED = tuple(rule for rule in RULES if rule.cost is not None)  # the rules that state a formula


class CostRow(NamedTuple):
    """One rule on one network: MACs and bytes of one sample by formula (None where there is none), and measured for
    the whole batch, per sample."""

    rule: str
    formula: Cost | None
    measured: Measured


class CostCurve(NamedTuple):
    """Costs of one rule for several numbers of steps."""

    steps: list[int]
    macs: list[int]
    memory: list[int]


def dense_sizes(inputs: int, width: int, depth: int, classes: int) -> list[LayerSize]:
    """The input, `depth` dense layers of `width` neurons, and the readout, without making them.

    >>> [size.macs for size in dense_sizes(10, 4, 2, 3)]
    [0, 40, 16, 12]
    """
    if not all(map(COUNT.holds, (inputs, width, depth, classes))):
        raise ValueError(f"inputs, width, depth and classes must be positive, got {inputs, width, depth, classes}")
    neurons = [inputs, *[width] * depth, classes]
    hidden = [LayerSize(f"layer {k}", neurons[k], neurons[k] * neurons[k - 1]) for k in range(1, len(neurons))]
    return [LayerSize("input", inputs, 0), *hidden]


def rule_costs(sizes: Sequence[LayerSize], steps: int, learning_steps: int) -> dict[str, Cost]:
    """By formula, for every rule that has one, under its label. Raises ValueError unless 1 ≤ K ≤ T."""
    check_number(steps, "steps", COUNT)
    if not (COUNT.holds(learning_steps) and learning_steps <= steps):
        raise ValueError(f"learning_steps must lie in 1..{steps}, got {learning_steps!r}")
    return {rule.label: rule.cost(sizes, steps, learning_steps) for rule in COSTED if rule.cost is not None}


def cost_curves(sizes: Sequence[LayerSize], steps: Iterable[int], learning_steps: int) -> dict[str, CostCurve]:
    """`rule_costs` for several numbers of steps T; K is `learning_steps`, or T where that is smaller."""
    chosen = list(steps)
    found = [rule_costs(sizes, t, min(learning_steps, t)) for t in chosen]
    return {
        rule: CostCurve(chosen, [costs[rule].macs for costs in found], [costs[rule].memory for costs in found])
        for rule in found[0]
    }


def break_even(steps: int, non_causal: bool = True) -> int:
    """The most last steps K that S-TLLR can learn in without more MACs than BPTT: two thirds of T, rounded down.

    >>> break_even(90)
    60
    """
    check_number(steps, "steps", COUNT)
    return 2 * int(steps) // 3 if non_causal else int(steps)


def cost_table(
    network: nn.Module,
    x: Shaped[Tensor, "time batch *features"],
    y: Shaped[Tensor, "batch *target"],
    rules: Mapping[str, Rule],
    learning_steps: int | None = None,
) -> list[CostRow]:
    """One row per rule: formula (by its name in `rule_costs`) and measurement of one batch of x, per sample.

    learning_steps: K that the rules were made with, None for all. `.grad` is left as the last rule filled it.
    """
    steps, batch = x.shape[:2]
    formulas = rule_costs(layer_sizes(network, x), steps, learning_steps or steps)
    rows = []
    for name, rule in rules.items():
        rows.append(CostRow(name, formulas.get(name), measure(rule, network, x, y).per_sample(batch)))
    return rows


def written(rows: Sequence[CostRow]) -> str:
    """The table as text: MACs in millions, bytes in thousands, per sample."""
    lines = [
        f"{'rule':16} {'MACs, formula':>14} {'MACs, made':>11} {'kB, formula':>12} {'kB, kept':>9} {'kB, state':>10}"
    ]
    for rule, formula, made in rows:
        macs, memory = (f"{formula.macs / 1e6:.2f} M", f"{formula.memory / 1e3:.1f}") if formula else ("–", "–")
        kept, state = (f"{number / 1e3:.1f}" for number in (made.saved_bytes, made.state_bytes))
        lines.append(f"{rule:16} {macs:>14} {made.macs / 1e6:>9.2f} M {memory:>12} {kept:>9} {state:>10}")
    return "\n".join(lines)
