"""`ActivationCompression` draws what `compress_specimen` finds, and its code finds the same."""

import numpy as np
import pytest
from house import check_house_rules, drawn, same, walk_and_compare

from widgets.panels.compression import DIGITS, ENERGIES, ActivationCompression
from workbench.compression.calibration import Modes
from workbench.watch.microscope import compress_specimen, mosaic, specimens, tradeoff


def close(cells, numbers):
    """Whether cells are these numbers, to their last digit."""
    cells = np.array(cells, dtype=float)
    return np.allclose(cells, numbers, rtol=0, atol=0.51 * 10**-DIGITS, equal_nan=True)


def test_house_rules():
    check_house_rules(ActivationCompression)


def test_it_draws_the_finding():
    panel = ActivationCompression(layer="layer3.2.conv1", energy=0.8, image=3)
    specimen = specimens()["layer3.2.conv1"]
    finding = compress_specimen(specimen, 0.8)
    assert close(panel.maps.data[0].z, mosaic(specimen.x[3]))
    assert close(panel.maps.data[1].z, mosaic(finding.approximation[3]))
    top = float(specimen.x[:16].max())
    assert (panel.maps.data[0].zmin, panel.maps.data[0].zmax) == (-top, top)
    assert same(panel.maps.data[2].z, specimen.photographs[3, 0])
    x, y = drawn(panel.values_figure, "channels")
    singular = np.sqrt(specimen.energies[1].numpy())
    assert np.allclose(y, np.maximum(singular / singular[0], 1e-4), atol=1e-5)
    assert same(x, range(1, 65))
    assert drawn(panel.values_figure, "rank, channels")[0] == [finding.ranks[1]]
    assert not len(drawn(panel.values_figure, "rank, batch")[0])
    factors, cosines = tradeoff(specimen, ENERGIES)
    assert same(panel.cost.data[0].y, factors)
    assert same(panel.cost.data[1].y, cosines)
    assert same(panel.cost.data[3].y, [finding.cosine])
    assert f"cosine {finding.cosine:.2f} with the exact one" in panel.text
    assert f"{finding.ranks[1]} of 64 channels" in panel.text


def test_the_batch_mode_is_cut_when_asked_for():
    panel = ActivationCompression(batch=True)
    assert panel.numbers.finding.ranks[0] is not None
    assert "nothing to do with each other" in panel.text
    panel.state = {"batch": False, "space": False, "feature": False}
    assert panel.numbers.finding.ranks == (None,) * 4
    assert panel.numbers.finding.cosine == pytest.approx(1.0)
    assert panel.text.startswith("Kept: everything.")


def test_every_control_at_both_ends_and_its_code():
    def compare(panel, names):
        shown, found = panel.numbers.finding, names["finding"]
        assert (shown.ranks, shown.kept_bytes) == (found.ranks, found.kept_bytes)
        assert shown.cosine == pytest.approx(found.cosine, abs=1e-5)
        assert close(panel.maps.data[1].z, names["after"])

    walk_and_compare(ActivationCompression(), compare)
    assert Modes() == Modes(batch=False, space=True, feature=True)


def test_the_page_shows_through_where_nothing_is():
    """On a dark page a white middle would be the brightest part of the picture."""
    scale = ActivationCompression().maps.data[0].colorscale
    assert [place for place, _ in scale] == [0.0, 0.5, 0.5, 1.0]
    assert all(colour.endswith(",0)") for place, colour in scale if place == 0.5)


def test_the_marks_of_ranks_and_energy_are_in_the_hand():
    panel = ActivationCompression()
    for rank in (4, 12, 30):
        panel.values_figure.dragged = {"handle": 1, "x": rank + 0.3, "y": 1.0, "count": rank}
        assert abs(panel.numbers.finding.ranks[1] - rank) <= 1
    panel.cost.dragged = {"handle": 0, "x": 0.552, "y": 1.0, "count": 1}
    assert panel.state["energy"] == 0.55
