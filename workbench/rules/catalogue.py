"""Every rule in one list. The command line, the audit, the tables of cost, the experiments and the panels walk over it;
a rule's place in it gives its place and its colour.

A new rule is one file in this folder, which ends with its `LearningRule`, and one line in `RULES`.
"""

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from workbench.names import unknown
from workbench.rule import LearningRule


class _Folder:
    """The files of this folder as attributes, so that a line below is all that makes one known."""

    def __getattr__(self, file: str) -> ModuleType:
        if file.startswith("_"):  # tools that look at modules ask for such names
            raise AttributeError(f"workbench/rules has no public file {file}.py")
        return import_module(f"workbench.rules.{file}")


rules = _Folder()
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
    raise unknown("there is no rule", name, (rule.name for rule in among))
