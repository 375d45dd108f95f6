"""One number of many cells."""

import pytest
from sweeps_cells import cell

from workbench.sweeps.values import METRICS, Asked, metric_of, signed, told, values_of

CELLS = [cell("stllr", seed, 0.8 + 0.01 * seed) for seed in (1, 0)]


def test_scores_are_in_their_unit_and_sorted_by_seed():
    found = values_of(CELLS, Asked("sound", "stllr", 3))
    assert list(found) == [0, 1]
    assert found == pytest.approx({0: 80.0, 1: 81.0})
    assert metric_of(Asked("flow", "stllr", 3)).difference == "pixels"


def test_only_what_was_asked_for_counts():
    other = cell("stllr", 2, 0.5)
    other["cell"]["per_class"] = 4
    asked = Asked("sound", "stllr", 3)
    assert set(values_of([*CELLS, other, cell("stllr", 3, 0.5, epochs=9), cell("bptt", 4, 0.5)], asked)) == {0, 1}
    assert values_of(CELLS, asked._replace(experiment="flow")) == {}


def test_a_place_in_the_curve():
    found = cell("stllr", 0, 0.9)
    found["curve"] = [{"epoch": 1, "score": 0.5}, {"epoch": 2, "score": 0.7}]
    assert values_of([found], Asked("sound", "stllr", 3, at=2)) == {0: 70.0}
    assert values_of([found], Asked("sound", "stllr", 3, at=7)) == {}


def test_bytes_and_products():
    assert values_of(CELLS[:1], Asked("sound", "stllr", 3, "kept")) == {1: pytest.approx(0.004)}
    assert values_of(CELLS[:1], Asked("sound", "stllr", 3, "macs")) == {1: pytest.approx(2.0)}
    assert values_of(CELLS[:1], Asked("sound", "stllr", 3, "bwt")) == {}  # no stream
    with pytest.raises(ValueError, match="there is no metric 'mac'; did you mean 'macs'"):
        metric_of(Asked("sound", "stllr", 3, "mac"))


def test_what_agrees_exactly_has_no_deviation():
    assert told({0: 1.5, 1: 1.5}, METRICS["kept"]) == "1.50"
    assert told({0: 1.5, 1: 2.5}, METRICS["kept"]) == "2.00 ± 0.71"
    assert told({0: 1.5, 1: 1.5}, METRICS["seconds"]) == "1.5 ± 0.0"
    assert told({0: -1.5}, METRICS["bwt"]) == "−1.5"


@pytest.mark.parametrize(("value", "text"), [(-0.001, "0.0"), (0.04, "0.0"), (0.06, "+0.1"), (-2.0, "−2.0")])
def test_signs(value, text):
    assert signed(value, 1, plus=True) == text
