"""Is this rule really local? Measured on a network and a batch, and held against what the paper claims.

    in space     no layer's update depends on the weights of a layer above it        `workbench.audit.locality`
    in time      no step's update depends on the input of a later step               `workbench.audit.locality`
    in memory    what is alive at once does not grow with the number of steps        the allocator's own account
    direction    cosine of the update to the gradient of backpropagation             1: the same direction
    noise        ‖mean‖² / mean squared deviation of the updates of small batches    signal-to-noise ratio (SNR)

Any function that fills `.grad` can be audited: `audit(network, x, y, rule)`. What a paper claims of its rule, and
where, stands in the rule's file (`workbench.rule.Claim`). A rule without a claim has none to hold.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.audit.locality import StepUpdates, space_dependence, time_dependence
from workbench.audit.updates import layer_updates
from workbench.cost.counted import Measured, measure
from workbench.meters.live import peak_live_bytes
from workbench.rule import Claim, Locality, Rule

LONGER = 4  # times as many steps, to see whether memory grows
GROWTH = 1.25  # of memory at LONGER times the steps that still counts as none; keeping everything comes near to 4
SMALL_BATCHES = 8  # to see how noisy an update is


class Finding(NamedTuple):
    """What was measured. later_layers, later_steps: largest dependence, 0 for none; None where it was not measured.

    short, long: peak bytes alive at once, of the recording and of one LONGER times as long (0 without time).
    cosine, snr: of each layer; NaN where an update is zero. measured: MACs and bytes of one batch.
    """

    later_layers: float
    later_steps: float | None
    short: int
    long: int
    cosine: dict[str, float]
    snr: dict[str, float]
    measured: Measured

    @property
    def shown(self) -> Locality:
        """What the measurement says."""
        memory = self.long <= GROWTH * self.short if self.long else None
        return Locality(self.later_layers == 0, None if self.later_steps is None else self.later_steps == 0, memory)


def audit(
    network: nn.Module,
    x: Shaped[Tensor, "..."],
    y: Shaped[Tensor, "batch *target"],
    rule: Rule,
    reference: Rule | None = None,
    updates: StepUpdates | None = None,
    sequence: bool = True,
) -> Finding:
    """Audit one rule. The weights are left as they were, `.grad` is overwritten; use float64, so that 0 means 0.

    x: `(time, batch, ...)` with `sequence`, else `(batch, ...)`. reference: what the update is compared with, nothing
    when None. updates: the rule's ΔW[t] (`locality.updates_by_step`), without which time is not looked at.
    """
    batch_axis = 1 if sequence else 0
    if x.shape[batch_axis] < SMALL_BATCHES:
        raise ValueError(f"an audit needs at least {SMALL_BATCHES} samples, got {x.shape[batch_axis]}")
    space = space_dependence(network, x, y, rule)
    few = x[:, :4] if sequence else x[:4]
    time = None if updates is None else time_dependence(network, few, y[:4], updates)
    short = _peak(network, x, y, rule) if sequence else 0
    longer = x.repeat(LONGER, *[1] * (x.ndim - 1)) if sequence else x
    long = _peak(network, longer, y, rule) if sequence else 0
    mine = layer_updates(network, x, y, rule)
    theirs = {} if reference is None else layer_updates(network, x, y, reference)
    parts = zip(x.chunk(SMALL_BATCHES, batch_axis), y.chunk(SMALL_BATCHES), strict=True)
    noisy = [layer_updates(network, *part, rule) for part in parts]
    return Finding(
        space.later,
        None if time is None else time.later,
        short,
        long,
        {name: update_cosine(mine[name], theirs[name]) for name in theirs},
        {name: signal_to_noise([each[name] for each in noisy]) for name in mine},
        measure(rule, network, x, y),
    )


def _peak(network: nn.Module, x: Tensor, y: Tensor, rule: Rule) -> int:
    rule(network, x, y)  # what is made once and kept
    network.zero_grad(set_to_none=True)
    return peak_live_bytes(lambda: rule(network, x, y))


def update_cosine(a: Float[Tensor, "*shape"], b: Float[Tensor, "*shape"]) -> float:
    """Cosine of the angle between two updates; NaN when one of them is zero."""
    return float(F.cosine_similarity(a, b, dim=0)) if a.any() and b.any() else float("nan")


def signal_to_noise(updates: list[Float[Tensor, "..."]]) -> float:
    """‖ḡ‖² / (Σ ‖g_i − ḡ‖² / (n − 1)) of n updates g_i from n small batches; NaN when all are the same."""
    stacked = torch.stack(updates)
    noise = float(stacked.var(0).sum())
    return float(stacked.mean(0).square().sum()) / noise if noise else float("nan")


def verdict(finding: Finding, claim: Claim | None) -> bool | None:
    """Whether the measurement bears out the claim, wherever both say something; None where they never do."""
    if claim is None:
        return None
    pairs = zip(claim.local, finding.shown, strict=True)
    compared = [said == seen for said, seen in pairs if said is not None and seen is not None]
    return all(compared) if compared else None


def table(findings: Mapping[str, Finding], claims: Mapping[str, Claim | None]) -> str:
    """A line of text per rule: local or not in space, time and memory, what it costs, how it compares, and the verdict
    on its paper's claim. In the columns of properties, `!` marks what differs from the claim.

    >>> from workbench.audit import audit_rule, claims
    >>> print(table({"lls": audit_rule("lls")}, claims(["lls"])))
    rule  space  time  memory  bytes ...  claim
    lls   local  -     - ...  holds
    """
    head = ("rule", "space", "time", "memory", "bytes", f"{LONGER}x steps", "MACs", "cosine", "SNR", "claim")
    rows = [head] + [_row(name, finding, claims.get(name)) for name, finding in findings.items()]
    widths = [max(len(row[k]) for row in rows) for k in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(r, widths, strict=True)).rstrip() for r in rows)


def _row(name: str, finding: Finding, claim: Claim | None) -> tuple[str, ...]:
    said = Locality() if claim is None else claim.local
    words = {True: "local", False: "not local", None: "-"}
    pairs = zip(said, finding.shown, strict=True)
    marks = [words[seen] + ("!" if None not in (told, seen) and told != seen else "") for told, seen in pairs]
    growth = f"x{finding.long / finding.short:.2f}" if finding.long else "-"
    held = finding.short or finding.measured.saved_bytes
    return (
        name,
        *marks,
        f"{held / 1e6:.2f} MB",
        growth,
        f"{finding.measured.macs / 1e6:.1f} M",
        _span(finding.cosine),
        _span(finding.snr),
        {True: "holds", False: "BROKEN", None: "no claim" if claim is None else "not measured"}[
            verdict(finding, claim)
        ],
    )


def _span(values: Mapping[str, float]) -> str:
    """Lowest to highest over the layers."""
    known = [value for value in values.values() if value == value]
    return f"{min(known):.2f}..{max(known):.2f}" if known else "-"
