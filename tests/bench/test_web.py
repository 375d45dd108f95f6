"""The benchmark of sliders forgets no panel."""

from pathlib import Path

from widgets.app import PANELS

ROOT = Path(__file__).resolve().parents[2]
TRAINING = {"training", "overlap", "matrix", "playground"}  # their pictures move when a button is pressed, not a slider
CHOSEN = {"results"}  # it has lists to choose from and no slider


def test_each_panel_has_its_slider_or_trains(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from bench.web import SLIDERS

    assert set(SLIDERS) | TRAINING | CHOSEN == {panel.name for panel in PANELS}
    assert not set(SLIDERS) & (TRAINING | CHOSEN)
    for panel in PANELS:
        files = [path.read_text("utf-8") for path in ROOT.glob(f"widgets/panels/{panel.module}*.py")]
        label = SLIDERS.get(panel.name, "")
        assert any(f'"{label}"' in text for text in files) or panel.name in TRAINING | CHOSEN, label
