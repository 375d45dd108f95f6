"""Every rule in one list. The command line, the audit, the tables of cost, the experiments and the panels walk over it;
a rule's place in it gives its place and its colour.

A new rule is one file in this folder, which ends with its `LearningRule`, and one line in `RULES`.
"""

from collections.abc import Sequence

from workbench.rule import LearningRule
from workbench.rules import (
    backprop,
    bptt,
    direct_feedback,
    drtp,
    eprop,
    feedback_alignment,
    forward_forward,
    lls,
    local_classifier,
    ottt,
    stdp,
    stllr,
    tess,
)

RULES: tuple[LearningRule, ...] = (
    bptt.RULE,
    stllr.RULE,
    stllr.CAUSAL,
    ottt.RULE,
    eprop.RULE,
    tess.RULE,
    stllr.WITH_DIRECT_FEEDBACK,
    tess.RELEASED,
    stdp.RULE,
    backprop.RULE,
    lls.RULE,
    local_classifier.RULE,
    feedback_alignment.RULE,
    direct_feedback.RULE,
    drtp.RULE,
    forward_forward.RULE,
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
