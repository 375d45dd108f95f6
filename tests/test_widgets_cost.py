"""`CostExplorer` draws the formulas and says where S-TLLR costs more than BPTT."""

import numpy as np
import pytest
from house import check_house_rules, drawn, same, walk_and_compare

from widgets.cost import RULES, STEPS, CostExplorer


def test_house_rules():
    check_house_rules(CostExplorer)


def test_every_control_at_both_ends_and_its_code():
    def compare(panel, names):
        assert names["chosen"] == panel.numbers.chosen
        for rule in RULES:
            assert same(drawn(panel.macs, rule)[1], np.array(names["curves"][rule].macs) / 1e6)
            assert same(drawn(panel.memory, rule)[1], np.array(names["curves"][rule].memory) / 1e3)

    walk_and_compare(CostExplorer(), compare)


def test_the_region_is_where_stllr_lies_above_bptt():
    panel = CostExplorer(learning_steps=50)
    x, _ = drawn(panel.macs, "S-TLLR costs more than BPTT")
    bptt, ours = (drawn(panel.macs, rule)[1] for rule in ("BPTT", "S-TLLR"))
    assert set(x) == {t for t, a, b in zip(STEPS, bptt, ours, strict=True) if b > a}
    assert max(x) == 70


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "S-TLLR needs 1.35 times as many multiplications as BPTT"),
        ({"steps": 20, "learning_steps": 5}, "2.7 times fewer multiplications than BPTT"),
        ({"steps": 90}, "as soon as K is above 60"),
        ({"steps": 10, "learning_steps": 300}, "K = 10 of which learn"),
    ],
)
def test_the_text(state, words):
    assert words in CostExplorer(**state).text
