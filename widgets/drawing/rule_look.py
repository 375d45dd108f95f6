"""One rule, one look in every picture: its place in `workbench.rules.RULES` gives colour, dash, marker and hatching.

What goes by a name that begins with a rule's, such as `stllr-last5`, is that rule with other parameters and looks like
it. Names of no rule are grey.
"""

from widgets.drawing.theme import GREY, filling, line, marker
from workbench.rules import RULES


def place(name: str) -> int | None:
    """The number of the rule in `RULES`, or of the rule that it is a form of; None for names of no rule.

    >>> place("bptt"), place("stllr-last5") == place("stllr"), place("lance")
    (0, True, None)
    """
    fitting = [k for k, rule in enumerate(RULES) if name == rule.name or name.startswith(f"{rule.name}-")]
    return max(fitting, key=lambda k: len(RULES[k].name), default=None)


def rule_line(name: str) -> dict:
    """The style of a rule's line."""
    k = place(name)
    return {**line(0), "color": GREY} if k is None else line(k)


def rule_marker(name: str) -> dict:
    """The style of a rule's points."""
    k = place(name)
    return {**marker(0), "color": GREY} if k is None else marker(k)


def rule_filling(name: str) -> dict:
    """The colour and hatching of a rule's bar."""
    k = place(name)
    return {**filling(0), "color": GREY} if k is None else filling(k)
