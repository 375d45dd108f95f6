"""Equations in which one term is lit up."""

import pytest

from widgets.drawing.formula import Formula, lit, plain

LINE = "[[Δw|Δ<i>w</i>]] = − [[δ|<i>δ<sub>i</sub></i>]] · [[p − y|(<i>p</i> − <i>y</i>)]] <i>x</i><sup>T</sup>"


def test_one_term_is_marked_and_the_others_are_not():
    assert lit(LINE, "δ").count("<mark>") == 1
    assert "<mark><i>δ<sub>i</sub></i></mark>" in lit(LINE, "δ")
    assert "<mark>(<i>p</i> − <i>y</i>)</mark>" in lit(LINE, "p − y")


@pytest.mark.parametrize("term", [None, "q", "δ_i", ""])
def test_nothing_is_marked_where_nothing_acts(term):
    assert "<mark>" not in lit(LINE, term)
    assert "[[" not in lit(LINE, term)


def test_as_text():
    assert plain(LINE) == "Δw = − δ_i · (p − y) xᵀ"
    assert plain("<i>C</i><sup>−1</sup> &lt; 2") == "C^(−1) < 2"


def test_it_shows_what_it_is_given():
    formula = Formula(alt="An equation of a rule")
    formula.show([LINE, "<i>q</i>"], acting="Δw")
    assert formula.lines[0].startswith("<mark>Δ<i>w</i></mark> = −")
    assert formula.plain == ["Δw = − δ_i · (p − y) xᵀ", "q"]
    formula.show([LINE])
    assert "<mark>" not in "".join(formula.lines)
    assert repr(formula) == "Formula('An equation of a rule')"
