"""What every widget must hold, whatever it shows: for tests only."""

from typing import Any

import numpy as np
import pytest
import torch
from gate import PATIENCE

from widgets.drawing.figure import Fig
from widgets.frame.controls import is_setting
from widgets.frame.panel import Panel
from widgets.frame.race import ACTIVE, Race
from widgets.frame.race_panel import RacePanel
from widgets.frame.try_all import ends


def wait_for_rest(panel: RacePanel) -> None:
    """Return when every run holds at its pause and all that came before is drawn."""
    _wait(panel)
    assert all(runner.held for runner in _race(panel).runners), panel.text


def wait_for_end(panel: RacePanel) -> None:
    """Return when all runs have ended and their end is drawn."""
    _wait(panel)
    assert not any(runner.state in ACTIVE for runner in _race(panel).runners), panel.text


def _wait(panel: RacePanel) -> None:
    try:
        _race(panel).wait(PATIENCE)
    except TimeoutError as error:
        pytest.fail(f"{error}; the panel says: {panel.text}")


def _race(panel: RacePanel) -> Race:
    assert panel.race is not None, "nothing was started"
    return panel.race


def look(panel: RacePanel) -> None:
    """Draw at once what the runs gave so far, as the race does ten times a second."""
    _race(panel).collect()


def same(one: Any, other: Any) -> bool:
    """Whether two lists, arrays or tensors of numbers are equal; gaps (NaN) are equal too."""
    one, other = (np.asarray([] if each is None else each, dtype=float) for each in (one, other))
    return np.array_equal(one, other, equal_nan=True)


def run_code(panel: Panel) -> dict[str, Any]:
    """Run the cell that the panel shows and return its names."""
    names: dict[str, Any] = {}
    exec(panel.code(), names)
    return names


def drawn(fig: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """x and y of the trace of that name, as floats."""
    trace = next(trace for trace in fig.data if trace.name == name)
    x, y = (np.asarray([] if each is None else each, dtype=float) for each in (trace.x, trace.y))
    return x, y


def check_house_rules(make: Any) -> None:
    """State, names, tooltips, hovers, units and still picture of a fresh `make()`."""
    panel = make()
    assert repr(panel) == f"{type(panel).__name__}()"
    for name, control in panel.controls.items():
        assert control.description, name
        assert len(control.tooltip) > 10, name
    for picture in panel.pictures:
        assert len(picture.alt) > 20
    for picture in panel.pictures:
        if not isinstance(picture, Fig):
            continue
        assert all(trace.hovertemplate or trace.hoverinfo == "skip" for trace in picture.data)
        axes = picture.layout.to_plotly_json()
        assert all(axis["title"]["text"] for name, axis in axes.items() if name.startswith("yaxis"))
    assert panel.png().startswith(b"\x89PNG")
    check_handles_stand_where_they_are_set(panel)
    check_state_goes_through(make)


def check_handles_stand_where_they_are_set(panel: Panel) -> None:
    """A handle that is let go where it stands leaves its point there."""
    for figure in figures(panel):
        for number, handle in enumerate(figure.handles):
            x, y = _place(figure, handle)
            if np.isfinite([x, y]).all():
                figure.dragged = {"handle": number, "x": x, "y": y, "count": number}
                assert _place(figure, handle) == pytest.approx((x, y)), (figure, number)


def _place(figure: Fig, handle: Any) -> tuple[float, float]:
    trace, point = figure.data[handle.trace], handle.point or 0
    if trace.x is None or len(trace.x) <= point:
        return np.nan, np.nan
    return float(trace.x[point]), float(trace.y[point])


def figures(panel: Panel) -> list[Fig]:
    """The pictures in view that plotly draws."""
    return [picture for picture in panel.in_view if isinstance(picture, Fig)]


def check_state_goes_through(make: Any) -> None:
    """Set every control to its last value; a new panel with that state draws the same."""
    panel = make()
    panel.state = {name: ends(c)[-1] for name, c in panel.controls.items() if is_setting(c)}
    other = make(**panel.state)
    assert other.state == panel.state
    assert other.text == panel.text
    for one, two in zip(figures(panel), figures(other), strict=True):
        for first, second in zip(one.data, two.data, strict=True):
            assert first.visible == second.visible
            if first.visible is not False:
                assert same(first.x, second.x)
                assert same(first.y, second.y)


def walk_and_compare(panel: Panel, compare: Any) -> None:
    """Set each control in use to its ends and call `compare(panel, names of its code)` each time."""
    for name, control in panel.controls.items():
        if not is_setting(control) or control.disabled or control.layout.display == "none":
            continue
        before = panel.state
        for value in ends(control):
            panel.state = {name: value}
            compare(panel, run_code(panel))
        panel.state = before


def equal(one: torch.Tensor, other: Any) -> bool:
    """Whether two tensors agree to rounding."""
    return torch.allclose(one.double(), torch.as_tensor(other).double(), atol=1e-12)
