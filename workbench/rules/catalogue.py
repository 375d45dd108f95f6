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
    rules.ndot.RULE,
    rules.tp.RULE,
    rules.reward.RULE,
)


def rule_named(name: str, among: Sequence[LearningRule] = RULES) -> LearningRule:
    """The rule of that name, or ValueError that lists the names there are.

    One's own rule is named `module:NAME`, where NAME is its `LearningRule` in that module.

    >>> rule_named("stllr").label, rule_named("workbench.rules.lls:RULE").label
    ('S-TLLR', 'LLS')
    """
    if ":" in name:
        return own_rule(name)
    for rule in among:
        if rule.name == name:
            return rule
    raise unknown("there is no rule", name, (rule.name for rule in among))


def rule_of_form(name: str) -> LearningRule | None:
    """The rule of that name, or the one that it is a form of with other parameters; None for names of no rule.

    >>> rule_of_form("stllr-last5").name, rule_of_form("stllr-dfa").label, rule_of_form("lance")
    ('stllr', 'S-TLLR with DFA', None)
    """
    fitting = [rule for rule in RULES if name == rule.name or name.startswith(f"{rule.name}-")]
    return max(fitting, key=lambda rule: len(rule.name), default=None)


def own_rule(name: str) -> LearningRule:
    """The `LearningRule` at `module:NAME`; or ValueError that says what is there."""
    module, _, attribute = name.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"there is no rule at '{name}': {error}; expected module:NAME, NAME a LearningRule") from None
    if not isinstance(found, LearningRule):
        raise ValueError(
            f"'{name}' is a {type(found).__name__}, expected a LearningRule; describe your rule in one, see "
            "workbench/rule.py and the end of any file in workbench/rules"
        )
    return found
