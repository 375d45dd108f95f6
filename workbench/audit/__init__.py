"""Is a rule really local? Measured, and held against what its paper claims."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.audit.angles import Credit, angle, angle_per_layer, angle_per_step
    from workbench.audit.audit import Finding, audit, signal_to_noise, table, verdict
    from workbench.audit.by_name import (
        Problem,
        audit_rule,
        claims,
        events_problem,
        pictures_problem,
        prepared,
        problem_for,
    )
    from workbench.audit.locality import (
        Space,
        StepUpdates,
        Time,
        put_back,
        relative_change,
        replace_step,
        replace_weights,
        space_dependence,
        time_dependence,
        updates_by_step,
    )
    from workbench.audit.mixes import (
        SAID,
        Held,
        MixFinding,
        Said,
        audit_mix,
        from_same_state,
        quick_problem,
        second_step,
        sentences,
        spelled,
        step_dependence,
    )
    from workbench.audit.updates import flat_gradient, layer_updates, layers_of

__all__ = [
    "SAID",
    "Credit",
    "Finding",
    "Held",
    "MixFinding",
    "Problem",
    "Said",
    "Space",
    "StepUpdates",
    "Time",
    "angle",
    "angle_per_layer",
    "angle_per_step",
    "audit",
    "audit_mix",
    "audit_rule",
    "claims",
    "events_problem",
    "flat_gradient",
    "from_same_state",
    "layer_updates",
    "layers_of",
    "pictures_problem",
    "prepared",
    "problem_for",
    "put_back",
    "quick_problem",
    "relative_change",
    "replace_step",
    "replace_weights",
    "second_step",
    "sentences",
    "signal_to_noise",
    "space_dependence",
    "spelled",
    "step_dependence",
    "table",
    "time_dependence",
    "updates_by_step",
    "verdict",
]

lazy(__name__)
