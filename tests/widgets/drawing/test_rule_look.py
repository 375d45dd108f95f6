"""Each rule has one look."""

import json

from widgets.drawing.rule_look import place, rule_colour, rule_filling, rule_label, rule_line, rule_marker
from widgets.drawing.theme import GREY
from workbench.rules import RULES


def test_a_rule_has_one_look_and_its_variants_have_it_too():
    assert [place(rule.name) for rule in RULES] == list(range(len(RULES)))
    looks = [json.dumps([rule_line(rule.name), rule_marker(rule.name), rule_filling(rule.name)]) for rule in RULES]
    assert len(set(looks)) == len(RULES)
    assert rule_line("stllr-last5") == rule_line("stllr") != rule_line("stllr-causal")
    assert rule_marker("lls-mxm-64") == rule_marker("lls")
    assert {rule_line("lance")["color"], rule_filling("hosvd")["color"], rule_marker("x")["color"]} == {GREY}


def test_a_rule_is_called_by_its_label():
    assert [rule_label(rule.name) for rule in RULES] == [rule.label for rule in RULES]
    assert rule_label("lls-mxm-64") == "LLS, mxm 64"
    assert rule_label("stllr-drtp") == "S-TLLR, DRTP"
    assert rule_label("gpm") == "gpm"


def test_a_rule_has_its_colour_by_name_and_by_label():
    for rule in RULES:
        assert rule_colour(rule.label) == rule_colour(rule.name) == rule_line(rule.name)["color"]
    assert rule_colour("no memory") == GREY
