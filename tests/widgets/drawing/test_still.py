"""Still pictures show what the figure shows."""

from matplotlib.figure import Figure

from widgets.drawing.figure import Fig
from widgets.drawing.formula import Formula
from widgets.drawing.still import _draw_axes, _drawings, still_picture


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
    ((draw, share),) = _drawings(fig)
    assert share == 1.0
    ax = Figure().subplots()
    draw(ax)
    assert [text.get_text() for text in ax.texts] == ["nothing drawn yet"]


def test_a_heat_map_of_many_rows_gets_more_room():
    many = [[0.0]] * 20
    tall = Fig([{"type": "heatmap", "z": many, "zmin": 0, "texttemplate": "%{text}"}], {}, alt="")
    ((_, share),) = _drawings(tall)
    assert share == 2.0


def test_equations_are_written_out():
    formula = Formula(alt="An equation")
    formula.show(["[[q|<i>q</i>]] = 1", "<i>x</i><sub>j</sub>"], acting="q")
    ((draw, share),) = _drawings(formula)
    ax = Figure().subplots()
    draw(ax)
    assert [text.get_text() for text in ax.texts] == ["q = 1\nx_j"]
    assert 0 < share < 1
    assert still_picture([formula]).startswith(b"\x89PNG")


def test_what_is_there_for_the_pointer_only_is_not_drawn():
    fig = Fig([{"y": [1.0]}, {"y": [2.0], "opacity": 0.0, "showlegend": False}], {}, alt="")
    ((draw, _),) = _drawings(fig)
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
