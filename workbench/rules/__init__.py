"""Learning rules, one file each; `RULES` describes them all.

A new rule is one file here, which ends with its `LearningRule`, and one line in `RULES`. The command line, the audit,
the tables of cost, the experiments and the panels walk over it; a rule's place in it gives its place and its colour.
"""

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from workbench import rules
from workbench.rule import LearningRule


def __getattr__(name: str) -> ModuleType:
    """The file of that name."""
    if name.startswith("_"):
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    try:
        return import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        raise AttributeError(f"there is no rule file workbench/rules/{name}.py") from error


RULES: tuple[LearningRule, ...] = (
    rules.bptt.RULE,
    rules.stllr.RULE,
    rules.stllr.CAUSAL,
    rules.ottt.RULE,
    rules.eprop.RULE,
    rules.tess.RULE,
    rules.stllr.WITH_DIRECT_FEEDBACK,
    rules.tess.RELEASED,
    rules.stdp.RULE,
    rules.backprop.RULE,
    rules.lls.RULE,
    rules.local_classifier.RULE,
    rules.feedback_alignment.RULE,
    rules.direct_feedback.RULE,
    rules.drtp.RULE,
    rules.forward_forward.RULE,
)


def rule_named(name: str, among: Sequence[LearningRule] = RULES) -> LearningRule:
    """The rule of that name, or ValueError that lists the names there are.

    >>> rule_named("stllr").label
    'S-TLLR'
    """
    for rule in among:
        if rule.name == name:
            return rule
    raise ValueError(f"there is no rule '{name}'; there are {', '.join(rule.name for rule in among)}")
