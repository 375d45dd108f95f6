"""Walks every control of a panel to its ends, so that a notebook run without a person still tries them all."""

from typing import Any

import ipywidgets

from widgets.frame.controls import is_setting, labels_of, read_value
from widgets.frame.panel import Panel


def try_all_controls(*panels: Panel) -> str:
    """Set each control to its smallest and largest value, or to each choice, and back; an error is raised.

    Returns a line that tells how many settings were tried.
    """
    tried = 0
    for panel in panels:
        for name, control in panel.controls.items():
            if not is_setting(control):
                continue
            before = read_value(control)
            for value in ends(control):
                panel.state = {name: value}
                tried += 1
            panel.state = {name: before}
    return f"{tried} settings of {len(panels)} widgets tried"


def ends(control: Any) -> list[Any]:
    """The values to try: all choices, both states of a switch, both ends of a slider, no text and the present one."""
    if isinstance(control, ipywidgets.Checkbox | ipywidgets.ToggleButton):
        return [False, True]
    if isinstance(control, ipywidgets.Text):
        return ["", control.value]
    if hasattr(control, "options"):
        return list(labels_of(control))
    if hasattr(control, "lower"):
        return [[control.min, control.min], [control.max, control.max]]
    return [control.min, control.max]
