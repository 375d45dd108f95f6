"""A panel taken in hand: what is dragged on its figures sets its controls, as their sliders would."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from widgets.drawing.figure import Fig
from widgets.drawing.handles import pulled

if TYPE_CHECKING:
    from widgets.frame.panel import Panel


def take_in_hand(panel: "Panel") -> None:
    """Follow the handles of the panel's figures: one change of state and one redraw for each message of the page."""
    for figure in panel.pictures:
        if isinstance(figure, Fig):
            figure.observe(lambda change, figure=figure: _follow(panel, figure, change["new"]), "dragged")


def snapped(control: Any, value: float) -> float:
    """The value of a slider that is nearest to `value`: a whole number of its steps from its lower end.

    >>> from widgets.frame import slider, whole_slider
    >>> snapped(slider("a", 0.0, -1.0, 1.0, 0.05, "any"), 0.333), snapped(whole_slider("k", 0, 0, 99, "any"), 120.0)
    (0.35, 99)
    """
    step = control.step or 1
    steps = math.floor((min(max(value, control.min), control.max) - control.min) / step + 0.5)
    nearest = min(control.min + steps * step, control.max)
    return type(control.value)(float(f"{nearest:.12g}"))


def _follow(panel: "Panel", figure: Fig, message: Mapping[str, Any]) -> None:
    asked = pulled(figure.handles, message, panel.values)
    state = {name: snapped(panel.controls[name], value) for name, value in asked.items()}
    if any(panel.controls[name].value != value for name, value in state.items()):
        panel.state = state
