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
    from workbench.audit.updates import flat_gradient, layer_updates, layers_of

__all__ = [
    "Credit",
    "Finding",
    "Problem",
    "Space",
    "StepUpdates",
    "Time",
    "angle",
    "angle_per_layer",
    "angle_per_step",
    "audit",
    "audit_rule",
    "claims",
    "events_problem",
    "flat_gradient",
    "layer_updates",
    "layers_of",
    "pictures_problem",
    "prepared",
    "problem_for",
    "put_back",
    "relative_change",
    "replace_step",
    "replace_weights",
    "signal_to_noise",
    "space_dependence",
    "table",
    "time_dependence",
    "updates_by_step",
    "verdict",
]

lazy(__name__)
