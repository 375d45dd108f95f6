"""Still pictures show what the figure shows."""

import io

import pytest
from matplotlib.figure import Figure
from PIL import Image

from widgets.drawing.figure import Fig
from widgets.drawing.formula import Formula
from widgets.drawing.still import _draw_axes, _drawings, _line_up, still_picture


def test_the_still_picture_keeps_colours_ticks_and_round_circles():
    fig = Fig(
        [
            {"type": "heatmap", "z": [[-1.0, 3.0]], "zmid": 1.0, "colorscale": [[0, "#000000"], [1, "rgb(255,0,0)"]]},
            {"type": "bar", "x": [0, 1], "y": [2.0, 3.0], "xaxis": "x2", "yaxis": "y2"},
            {"type": "heatmap", "z": [[float("nan")]], "xaxis": "x3", "yaxis": "y3"},
        ],
        {
            "yaxis": {"scaleanchor": "x"},
            "xaxis": {"title": {"text": "two<br>cells"}, "showticklabels": False},
            "xaxis2": {"tickvals": [0, 1], "ticktext": ["one", "and<br>two"]},
            **{name: {} for name in ("yaxis2", "xaxis3", "yaxis3")},
        },
        alt="",
    )
    heat, bars, empty = Figure().subplots(3)
    for ax, name in ((heat, "x"), (bars, "x2"), (empty, "x3")):
        _draw_axes(ax, fig, name)
    assert heat.images[0].get_clim() == (-1.0, 3.0)
    assert heat.images[0].to_rgba([-1.0, 3.0]).tolist() == [[0, 0, 0, 1], [1, 0, 0, 1]]
    assert heat.get_aspect() == 1.0
    assert heat.get_xlabel() == "two cells"
    assert not heat.get_xticks().size
    assert [tick.get_text() for tick in bars.get_xticklabels()] == ["one", "and two"]
    assert [text.get_text() for text in empty.texts] == ["nothing drawn yet"]


def test_a_picture_without_anything_to_show_says_so():
    fig = Fig([{"y": [1.0], "visible": False}], {}, alt="")
    ((draw, share, *_),) = _drawings(fig)
    assert share == 1.0
    ax = Figure().subplots()
    draw(ax)
    assert [text.get_text() for text in ax.texts] == ["nothing drawn yet"]


def test_a_heat_map_of_many_rows_gets_more_room():
    many = [[0.0]] * 20
    tall = Fig([{"type": "heatmap", "z": many, "zmin": 0, "texttemplate": "%{text}"}], {}, alt="")
    ((_, share, *_),) = _drawings(tall)
    assert share == 2.0


def test_equations_are_written_out():
    formula = Formula(alt="An equation")
    formula.show(["[[q|<i>q</i>]] = 1", "<i>x</i><sub>j</sub>"], acting="q")
    ((draw, share, *_),) = _drawings(formula)
    ax = Figure().subplots()
    draw(ax)
    assert [text.get_text() for text in ax.texts] == ["q = 1\nx_j"]
    assert 0 < share < 1
    assert still_picture([formula]).startswith(b"\x89PNG")


def test_what_is_there_for_the_pointer_only_is_not_drawn():
    fig = Fig([{"y": [1.0]}, {"y": [2.0], "opacity": 0.0, "showlegend": False}], {}, alt="")
    ((draw, *_),) = _drawings(fig)
    ax = Figure().subplots()
    draw(ax)
    assert [line.get_ydata().tolist() for line in ax.lines] == [[1.0]]


def test_the_legend_names_each_curve_once_and_none_that_is_empty():
    """A recorded run stands pale behind the empty curves of the run to come, under the same names."""
    for kind in ("scatter", "bar"):
        fig = Fig([{"type": kind, "name": "left", "y": []}, {"type": kind, "name": "gone", "y": []}], {}, alt="")
        fig.pin_traces([{"type": kind, "name": name, "y": [1.0]} for name in ("left", "left")], named=True)
        ax = Figure().subplots()
        _draw_axes(ax, fig, "x")
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["left"], kind


def drawn(fig, name="x"):
    """The axes of a figure, drawn alone."""
    ax = Figure().subplots()
    _draw_axes(ax, fig, name)
    return ax


@pytest.mark.parametrize(("ends", "shown"), [({}, (-0.5, 30.0)), ({"range": [5, 25]}, (5.0, 25.0))])
def test_pictures_above_one_another_share_their_x_axis(ends, shown):
    """A spike stands over the jump that it makes, though its own row begins later."""
    rows = [{"x": [10.0, 20.0], "y": [1.0, 1.0]}, {"x": [0.0, 30.0], "y": [0.0, 1.0], "xaxis": "x2", "yaxis": "y2"}]
    drawings = _drawings(Fig(rows, {"xaxis": ends, "xaxis2": {"matches": "x"}, "yaxis2": {}}, alt=""))
    axes = Figure().subplots(2)
    for ax, drawing in zip(axes, drawings, strict=True):
        drawing.draw(ax)
        ax.margins(0)
    if not ends:
        axes[0].set_xlim(-0.5, 20)
    _line_up(axes, drawings)
    assert [ax.get_xlim() for ax in axes] == [shown, shown]


def test_axes_that_share_nothing_stay_as_they_are():
    drawings = _drawings(
        Fig([{"y": [1.0]}, {"y": [1.0], "xaxis": "x2", "yaxis": "y2"}], {"xaxis2": {}, "yaxis2": {}}, alt="")
    )
    assert len({drawing.along for drawing in drawings}) == 2


def test_the_ends_of_axes_are_those_of_the_figure():
    layout = {"xaxis": {"type": "log", "range": [0, 2]}, "yaxis": {"range": [5, -5]}}
    ax = drawn(Fig([{"x": [2.0, 3.0], "y": [1.0, 2.0]}], layout, alt=""))
    assert ax.get_xlim() == (1.0, 100.0)
    assert ax.get_ylim() == (5.0, -5.0)


def test_points_keep_their_stems_their_spread_and_each_its_own_look():
    stem = {"type": "percent", "symmetric": False, "value": 0, "valueminus": 100}
    ax = drawn(Fig([{"x": [1.0], "y": [2.0], "mode": "markers", "error_y": stem}], {}, alt=""))
    assert ax.collections[0].get_segments()[0].tolist() == [[1.0, 0.0], [1.0, 2.0]]
    looks = {"color": ["#0072B2", "#D55E00"], "symbol": ["x", "square"]}
    points = {"x": [1.0, 2.0], "y": [3.0, 4.0], "mode": "markers", "marker": looks, "name": "rules"}
    ax = drawn(Fig([{**points, "error_x": {"type": "data", "array": [0.5, 0.25]}}], {}, alt=""))
    spread = [segment.tolist() for segment in ax.collections[0].get_segments()]
    assert spread == [[[0.5, 3.0], [1.5, 3.0]], [[1.75, 4.0], [2.25, 4.0]]]
    assert [(line.get_color(), line.get_marker()) for line in ax.lines] == [("#0072B2", "x"), ("#D55E00", "s")]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["rules"]


def test_the_legend_stands_above_and_covers_nothing():
    figure = Figure(layout="constrained")
    ax = figure.subplots()
    _draw_axes(ax, Fig([{"name": f"curve number {k}", "y": [0.0, 1.0]} for k in range(6)], {}, alt=""), "x")
    figure.draw_without_rendering()
    assert ax.get_legend().get_window_extent().y0 >= ax.get_window_extent().y1


def test_a_title_that_nobody_sees_is_not_written():
    title = {"text": "claim", "font": {"color": "rgba(0, 0, 0, 0)"}}
    assert drawn(Fig([{"y": [1.0]}], {"yaxis": {"title": title}}, alt="")).get_ylabel() == ""


def test_a_small_point_keeps_its_colour():
    """A rule is known by it, and few colours are kept."""
    shades = {"type": "heatmap", "z": [[float(k + 30 * row) for k in range(30)] for row in range(30)]}
    point = {"x": [1.0], "y": [1.0], "mode": "markers", "marker": {"color": "#CC79A7"}}
    png = still_picture([Fig([shades], {}, alt=""), Fig([point], {}, alt="")])
    colours = {colour for _, colour in Image.open(io.BytesIO(png)).convert("RGB").getcolors()}
    assert min(max(abs(a - b) for a, b in zip(colour, (0xCC, 0x79, 0xA7), strict=True)) for colour in colours) < 12


def test_labels_beside_points_get_room():
    words = {"x": [1.0] * 10, "y": list(range(10)), "mode": "text", "text": ["rule"] * 10}
    ((_, share, *_),) = _drawings(Fig([words], {}, alt=""))
    assert share == 2.0


def test_large_numbers_are_written_as_the_panel_writes_them():
    layout = {"yaxis": {"exponentformat": "SI", "range": [0, 4e6]}}
    figure = Figure()
    _draw_axes(figure.subplots(), Fig([{"type": "bar", "y": [3e6]}], layout, alt=""), "x")
    figure.draw_without_rendering()
    assert "2M" in [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
