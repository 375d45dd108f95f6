"""Local learning rules: neurons, traces, learning signals, rules, data and training."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench import (
        audit,
        checks,
        cli,
        compression,
        continual,
        cost,
        course,
        credit,
        data,
        doctor,
        experiments,
        kernels,
        meters,
        networks,
        neurons,
        rule,
        rules,
        serving,
        training,
        watch,
    )

__all__ = [
    "audit",
    "checks",
    "cli",
    "compression",
    "continual",
    "cost",
    "course",
    "credit",
    "data",
    "doctor",
    "experiments",
    "kernels",
    "meters",
    "networks",
    "neurons",
    "rule",
    "rules",
    "serving",
    "training",
    "watch",
]

lazy(__name__)
