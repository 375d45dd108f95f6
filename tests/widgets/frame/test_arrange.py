"""Where the pictures of a panel stand."""

import ipywidgets
import pytest

from widgets.frame.arrange import picture_boxes, put
from widgets.frame.lesson import Place


@pytest.fixture
def pictures():
    return picture_boxes([ipywidgets.HTML("one"), ipywidgets.HTML("two"), ipywidgets.HTML("three")])


def test_a_picture_may_stand_in_several_cells_and_one_that_is_not_named_is_hidden(pictures):
    put(pictures, Place(("a a", "c c"), rows=(2, 1)))
    grid = pictures.layout
    assert grid.grid_template_areas == '"a a" "c c"'
    assert grid.grid_template_rows == "minmax(0, 2fr) minmax(0, 1fr)"
    assert grid.grid_template_columns == "minmax(0, 1fr) minmax(0, 1fr)"
    assert [box.layout.display for box in pictures.children] == ["", "none", ""]
    assert [box.layout.grid_area for box in pictures.children] == ["a", "b", "c"]


def test_a_picture_that_there_is_not_is_named(pictures):
    with pytest.raises(ValueError, match="there are 3 pictures, a, b, c; got 'd', 'z'"):
        put(pictures, Place(("a d", "z z")))
