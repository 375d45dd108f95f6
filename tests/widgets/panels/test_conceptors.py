"""`ConceptorSubspaces`: what is drawn is what the pure functions give, and the switches show and hide."""

import numpy as np
import pytest
from house import check_house_rules, drawn, run_code, same, walk_and_compare

from widgets.panels.conceptors import LIFT, ConceptorSubspaces
from workbench.continual.clouds import Shape, looking, matrix, outline, pair, singular_values

CHANGED = {"aperture": 3.0, "spread_a": 2.0, "roundness_a": 0.5, "turn_b": 45.0, "not_a": True, "a_and_b": True}


def test_house_rules():
    check_house_rules(ConceptorSubspaces)


@pytest.mark.parametrize("space", ["2-D", "3-D"])
def test_ellipses_and_bars_are_those_of_the_conceptors(space):
    panel = ConceptorSubspaces(space=space, tilt_a=30.0, look=40.0, **CHANGED)
    d = int(space[0])
    made = pair(Shape(2.0, 0.5, 20.0, 30.0), Shape(1.2, 0.3, 45.0, 0.0), 3.0, d)
    view = looking(40.0, LIFT, d)
    for k, name in enumerate(("A", "B", "NOT A", "A AND B", "A OR B")):
        trace, edge = panel.plane.data[5 + k], outline(matrix(made.conceptors[name]), view)
        assert np.allclose([trace.x, trace.y], edge)
        assert np.allclose(panel.values_figure.data[k].y, singular_values(made.conceptors[name]))
        assert trace.visible
    assert np.allclose(drawn(panel.plane, "A"), view @ made.samples[0])
    assert np.allclose([panel.plane.data[3].x, panel.plane.data[3].y], outline(made.roots[1], view))


def test_switches_show_and_hide():
    panel = ConceptorSubspaces(a_or_b=False)
    assert [trace.visible for trace in panel.plane.data[5:10]] == [True, True, False, False, False]
    assert "OR" not in panel.text
    panel.state = {"a_and_b": True}
    assert [trace.visible for trace in panel.values_figure.data] == [True, True, False, True, False]
    assert "A AND B claims" in panel.text


def test_only_what_counts_in_the_plane_is_shown():
    panel = ConceptorSubspaces()
    assert {n for n, c in panel.controls.items() if c.layout.display == "none"} == {"tilt_a", "tilt_b", "look"}
    panel.state = {"space": "3-D"}
    assert not [n for n, c in panel.controls.items() if c.layout.display == "none"]


def test_the_text_tells_quota_and_similarity():
    same_cloud = {
        "spread_a": 1.0,
        "roundness_a": 1.0,
        "turn_a": 0.0,
        "spread_b": 1.0,
        "roundness_b": 1.0,
        "turn_b": 0.0,
    }
    panel = ConceptorSubspaces(aperture=1.0, **same_cloud)
    assert panel.text == (
        "Of the 2-dimensional space, A claims 50 %, B claims 50 % and A OR B claims 67 % (quota Θ, the mean of the "
        "bars). A and B are nearly the same (similarity 1.00)."
    )


@pytest.mark.parametrize("space", ["2-D", "3-D"])
def test_every_control_at_both_ends_and_its_code(space):
    def compare(panel, names):
        for name, edge in panel.numbers.edges.items():
            assert same(names["edges"][name], edge)
            assert same(names["values"][name], singular_values(panel.numbers.pair.conceptors[name]))

    walk_and_compare(ConceptorSubspaces(space=space), compare)


def test_the_code_runs_as_it_is_shown(capsys):
    run_code(ConceptorSubspaces())
    assert "similarity of A and B" in capsys.readouterr().out


def test_the_axes_of_both_clouds_are_in_the_hand():
    panel = ConceptorSubspaces()
    panel.plane.dragged = {"handle": 0, "x": 0.0, "y": 1.0, "count": 1}
    assert (panel.state["spread_a"], panel.state["turn_a"]) == (1.0, 90.0)
    panel.plane.dragged = {"handle": 5, "x": 0.0, "y": -0.6, "count": 2}
    assert (panel.state["roundness_b"], panel.state["turn_b"]) == (0.5, 0.0)
    x, y = (np.asarray(values) for values in (panel.plane.data[3].x, panel.plane.data[3].y))
    assert x.max() == pytest.approx(1.2, rel=1e-3)
    assert y.max() == pytest.approx(0.6, rel=1e-3)
    panel.state = {"space": "3-D"}
    assert not panel.plane.handles
