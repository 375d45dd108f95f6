"""What every widget must hold, whatever it shows: for tests only."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from widgets.frame.controls import is_setting
from widgets.frame.panel import Panel
from widgets.frame.race import ACTIVE, PERIOD
from widgets.frame.race_panel import RacePanel
from widgets.frame.try_all import ends


def wait_for(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    """Return when `condition()` holds; fail when it does not within `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def wait_for_rest(panel: RacePanel) -> None:
    """Return when every paused run has reached its pause and all that came before is drawn."""
    race = panel.race
    assert race is not None
    wait_for(lambda: all(runner.held and not runner._records for runner in race.runners))
    time.sleep(3 * PERIOD)  # what was fetched last is on its way to the pictures
    wait_for(lambda: not panel._drawing)


def wait_for_end(panel: RacePanel) -> None:
    """Return when all runs have ended, their threads too, and their end is drawn."""
    race = panel.race
    assert race is not None
    wait_for(lambda: not any(state in ACTIVE for state in race.states))
    wait_for(lambda: not any(runner._thread is not None and runner._thread.is_alive() for runner in race.runners))
    race._collector.join(60)  # it draws the last record before it ends
    wait_for(lambda: not panel._drawing)


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
        assert all(trace.hovertemplate for trace in picture.data)
        axes = picture.layout.to_plotly_json()
        assert all(axis["title"]["text"] for name, axis in axes.items() if name.startswith("yaxis"))
    assert panel.png().startswith(b"\x89PNG")
    check_state_goes_through(make)


def check_state_goes_through(make: Any) -> None:
    """Set every control to its last value; a new panel with that state draws the same."""
    panel = make()
    panel.state = {name: ends(c)[-1] for name, c in panel.controls.items() if is_setting(c)}
    other = make(**panel.state)
    assert other.state == panel.state
    assert other.text == panel.text
    for one, two in zip(panel.pictures, other.pictures, strict=True):
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
