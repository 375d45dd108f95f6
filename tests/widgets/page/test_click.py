"""What comes from a page is a click of two texts, or none."""

import pytest

from widgets.page.click import read_click


def test_a_click_names_what_and_which():
    assert read_click({"action": "preset", "which": "fast"}) == ("preset", "fast")
    assert read_click({"action": "undo", "more": 3}) == ("undo", "")


@pytest.mark.parametrize("content", [None, 3, [], "undo", {}, {"action": 3}, {"action": "undo", "which": {}}])
def test_anything_else_is_no_click(content):
    assert read_click(content) == ("", "")
