"""Lines and points that differ in more than colour."""

import json

import pytest

from widgets.drawing.theme import COLOURS, DASHES, MARKERS, filling, line, marker


def test_lines_differ_in_dash_and_points_in_symbol_not_in_colour_alone():
    assert len({line(k)["dash"] for k in range(6)}) == len(DASHES) == 6
    assert len({marker(k)["symbol"] for k in range(6)}) == len(MARKERS) == 6
    assert len({line(k)["color"] for k in range(6)}) == len(COLOURS) == 6
    with pytest.raises(ValueError, match="number from 0 on, got -1"):
        line(-1)


@pytest.mark.parametrize("style", [line, marker, filling])
def test_any_number_of_styles_and_no_two_are_the_same(style):
    styles = [json.dumps(style(k)) for k in range(400)]
    assert len(set(styles)) == 400
    second = next(cue for cue in ("dash", "symbol", "pattern") if cue in style(0))
    for k in range(6, 36):  # colours come again with another second cue
        assert style(k)["color"] == style(k - 6)["color"]
        assert style(k)[second] != style(k - 6)[second]
    for k in range(100):  # and neighbours have other colours
        assert len({style(k + n)["color"] for n in range(6)}) == 6
