"""Cells as rows, as text, CSV and Markdown."""

import csv
import io

import pytest
from sweeps_cells import cell

from workbench.sweeps.table import (
    as_csv,
    as_markdown,
    compared,
    device_of,
    mean_and_deviation,
    pairs_of,
    rows_of,
    settings_of,
    shown,
)

CELLS = [cell(rule, seed, base + 0.01 * seed) for seed in (1, 0) for rule, base in (("stllr", 0.8), ("bptt", 0.7))]


def test_seeds_of_one_rule_and_setting_are_one_row():
    rows = rows_of([*CELLS, cell("stllr", 0, 0.5, epochs=9)])
    assert [(row.rule, row.settings, row.runs) for row in rows] == [
        ("stllr", "3 epochs", 2),
        ("bptt", "3 epochs", 2),
        ("stllr", "9 epochs", 1),
    ]
    first = rows[0]
    assert first.values == {0: 0.8, 1: 0.81}
    assert (first.seconds, first.state_bytes, first.saved_bytes, first.macs) == (2.5, 1000, 3000, 2_000_000)
    assert mean_and_deviation(first) == "80.5 ± 0.7"
    assert mean_and_deviation(rows[2]) == "50.0"


def test_values_are_told_in_the_unit_of_their_experiment():
    (flow,) = rows_of([cell("stllr", 0, 1.234, "flow")])
    assert shown(flow, flow.mean) == "1.23"
    (gone,) = rows_of([cell("stllr", 0, 0.5, "no longer there")])
    assert shown(gone, gone.mean) == "50.0"


def test_rules_are_compared_with_the_first_or_the_named_one():
    rows = rows_of([*CELLS, cell("stllr", 0, 0.5, epochs=9)])
    (pair,) = pairs_of(rows)
    assert (pair.first.rule, pair.second.rule, pair.found.wins, pair.found.pairs) == ("bptt", "stllr", 0, 2)
    (pair,) = pairs_of(rows, "bptt")
    assert (pair.first.rule, pair.second.rule) == ("stllr", "bptt")
    assert pairs_of(rows, "eprop") == []


def test_the_text_has_rows_and_comparisons():
    lines = compared(rows_of(CELLS), "bptt").splitlines()
    assert len(lines) == 6
    assert lines[1].split()[:5] == ["sound", "stllr", "80.5", "±", "0.7"]
    assert "+10.0" in lines[-1]
    assert len(compared(rows_of(CELLS[:1])).splitlines()) == 2


def test_csv_can_be_read_again():
    (row, _) = csv.DictReader(io.StringIO(as_csv(rows_of(CELLS))))
    assert row["rule"] == "stllr"
    assert float(row["mean"]) == pytest.approx(0.805)
    assert row["values"] == "0:0.8 1:0.81"


def test_markdown_has_a_line_for_each_row():
    lines = as_markdown(rows_of(CELLS)).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2].startswith("| sound | `stllr` | 3 epochs | 80.5 ± 0.7 | 2 |")


def test_an_accelerator_is_named_before_its_processor():
    assert device_of({"device": "cpu", "processor": "P"}) == "P"
    assert device_of({"device": "GPU 1", "processor": "P"}) == "GPU 1"


def test_settings_in_words():
    asked = {"epochs": 2, "tasks": 3, "learning_rate": 0.5, "per_class": 7}
    assert settings_of(asked) == "2 epochs, 3 tasks, learning rate 0.5, 7 per class"
