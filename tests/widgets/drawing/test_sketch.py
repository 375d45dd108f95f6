"""The drawings of the notebooks: pictures that can be read, with a sentence for those who cannot see them."""

import io

import pytest
from matplotlib import rc_context, rcParams
from PIL import Image

from widgets.drawing import COLOURS, Arrow, reveal, sketch_boxes, sketch_cube, sketch_network, use_palette

LAYERS = [("events", 578), ("LIF", 3), ("readout", 10)]


def opened(picture):
    return Image.open(io.BytesIO(picture.data))


@pytest.mark.parametrize("teacher", ["", "from above", "own", "direct"])
def test_a_network_names_its_layers_and_draws_its_teacher(teacher):
    picture = sketch_network(LAYERS, teacher)
    assert picture.alt.startswith("Network: events (578) to LIF (3) to readout (10)")
    errors = sum(count for count, (red, green, blue) in opened(picture).convert("RGB").getcolors() if red > green + 90)
    assert (errors > 0) == bool(teacher)
    assert len(picture.data) < 15_000


def test_a_loop_is_drawn_and_takes_room():
    assert sketch_network(LAYERS, loops=[1]).data != sketch_network(LAYERS).data


def test_an_unknown_teacher_is_refused_by_name():
    with pytest.raises(ValueError, match="'own', 'direct', got 'nobody'"):
        sketch_network(LAYERS, "nobody")
    with pytest.raises(ValueError, match="got 1"):
        sketch_network(LAYERS[:1])


def test_boxes_tell_their_arrows():
    picture = sketch_boxes({"a": (0, 0), "b": (1, 1)}, [Arrow("a", "b", "goes"), Arrow("b", "a", error=True)])
    assert picture.alt == "Boxes: a to b goes; b to a."
    with pytest.raises(ValueError, match="got c"):
        sketch_boxes({"a": (0, 0)}, [Arrow("a", "c")])


def test_a_cube_has_three_modes_and_a_core_inside():
    sizes = {"channels": 8, "rows": 4, "columns": 4}
    assert "core of 2 channels by 1 rows" in sketch_cube(sizes, {"channels": 2, "rows": 1, "columns": 4}).alt
    with pytest.raises(ValueError, match="along rows"):
        sketch_cube(sizes, sizes | {"rows": 5})
    with pytest.raises(ValueError, match="three modes"):
        sketch_cube({"a": 1}, {"a": 1})


def test_rows_grow_by_one_step_in_each_frame_and_then_stand_still():
    picture = opened(reveal({"x": [0, 1, 0], "q": [0.0, 1.0, 0.5]}))
    inked = []
    for frame in range(picture.n_frames):
        picture.seek(frame)
        inked.append(sum(value < 250 for value in picture.convert("L").tobytes()))
    assert len(inked) == 3
    assert inked == sorted(inked)
    assert "loop" not in picture.info, "it plays once"


def test_rows_of_different_length_are_refused():
    with pytest.raises(ValueError, match="'q': 1"):
        reveal({"x": [0, 1], "q": [0]})


def test_matplotlib_draws_in_the_colours_of_the_panels():
    with rc_context():
        use_palette()
        assert rcParams["axes.prop_cycle"].by_key()["color"] == list(COLOURS)
