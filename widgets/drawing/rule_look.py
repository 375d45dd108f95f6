"""One rule, one look in every picture: its place in `workbench.rules.RULES` gives colour, dash, marker and hatching.

What goes by a name that begins with a rule's, such as `stllr-last5`, is that rule with other parameters and looks like
it. Names of no rule are grey.
"""

from widgets.drawing.theme import GREY, filling, line, marker
from workbench.rules import RULES, rule_of_form


def place(name: str) -> int | None:
    """The number of the rule in `RULES`, or of the rule that it is a form of; None for names of no rule.

    >>> place("bptt"), place("stllr-last5") == place("stllr"), place("lance")
    (0, True, None)
    """
    rule = rule_of_form(name)
    return None if rule is None else RULES.index(rule)


def rule_label(name: str) -> str:
    """What people call a rule, or a form of one; a name of no rule as it is.

    >>> rule_label("stllr"), rule_label("stllr-last5"), rule_label("fine-tuning")
    ('S-TLLR', 'S-TLLR, last5', 'fine-tuning')
    """
    k = place(name)
    if k is None:
        return name
    labels = {rule.name: rule.label for rule in RULES}
    rest = " ".join(labels.get(part, part) for part in name.removeprefix(RULES[k].name).split("-") if part)
    return f"{RULES[k].label}, {rest}" if rest else RULES[k].label


def rule_colour(name: str) -> str:
    """The colour of a rule, by its name or by what people call it; grey for names of no rule.

    >>> rule_colour("S-TLLR") == rule_colour("stllr-last5") == rule_line("stllr")["color"], rule_colour("zero flow")
    (True, '#7F7F7F')
    """
    return rule_line({rule.label: rule.name for rule in RULES}.get(name, name))["color"]


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
