"""Sliders, choices, switches and buttons as every panel has them, and their values as plain data.

Each has a description (its accessible name), a tooltip, and a width that fits a phone. `read_value`, `check_value` and
`write_value` turn the value of any of them into a number, string, boolean or list and back.
"""

import math
from collections.abc import Mapping
from typing import Any

import ipywidgets
import traitlets
from ipywidgets.widgets.widget_selection import _Selection

from workbench.language import say

_SHOWN_ONLY = (ipywidgets.FloatProgress, ipywidgets.IntProgress, ipywidgets.HTML, ipywidgets.Label)
_RANGES = (ipywidgets.FloatRangeSlider, ipywidgets.IntRangeSlider)

_STYLE = {"description_width": "initial"}


def _layout(max_width: str) -> ipywidgets.Layout:
    return ipywidgets.Layout(width="100%", max_width=max_width)


class _ShortFloat(traitlets.CFloat):
    """A number of twelve digits."""

    def validate(self, obj: Any, value: Any) -> float:
        return float(f"{super().validate(obj, value):.12g}")


class _Fixed:
    """A control of which the browser sets the value and nothing else: bounds and choices are the panel's."""

    def set_state(self, sync_data: dict[str, Any]) -> None:
        known = {name: value for name, value in sync_data.items() if name in ("value", "index")}
        super().set_state(known)  # type: ignore[misc]


class _IntSlider(_Fixed, ipywidgets.IntSlider):
    pass


class _Dropdown(_Fixed, ipywidgets.Dropdown):
    """A choice that is shown in the page's language; `names` are its labels in English, as links and presets hold."""

    names: tuple[str, ...] = ()


class _Checkbox(_Fixed, ipywidgets.Checkbox):
    pass


class _Text(_Fixed, ipywidgets.Text):
    pass


class _FloatSlider(_Fixed, ipywidgets.FloatSlider):
    """A slider whose value is a short decimal number.

    The one in the browser counts steps and answers 0.9000000000000001 for 0.9 as soon as it is shown: a redraw for
    nothing, and a number that nobody wants to read in a link or in code.
    """

    value = _ShortFloat(0.0).tag(sync=True)


def slider(
    description: str, value: float, low: float, high: float, step: float, tooltip: str, digits: int = 2
) -> ipywidgets.FloatSlider:
    """A slider over real numbers from `low` to `high`; `digits` are shown after the point."""
    return _FloatSlider(
        value=value,
        min=low,
        max=high,
        step=step,
        readout_format=f".{digits}f",
        description=say(description),
        tooltip=say(tooltip),
        style=_STYLE,
        layout=_layout("400px"),
    )


def whole_slider(
    description: str, value: int, low: int, high: int, tooltip: str, step: int = 1
) -> ipywidgets.IntSlider:
    """A slider over whole numbers from `low` to `high`."""
    return _IntSlider(
        value=value,
        min=low,
        max=high,
        step=step,
        description=say(description),
        tooltip=say(tooltip),
        style=_STYLE,
        layout=_layout("400px"),
    )


def choice(description: str, options: Mapping[str, Any], tooltip: str, value: str | None = None) -> ipywidgets.Dropdown:
    """A list to choose one label from; the control's value is what stands behind the label in `options`.

    `value` is the label chosen at the start, the first one when None.
    """
    label = next(iter(options)) if value is None else value
    control = _Dropdown(
        options=[(say(name), value) for name, value in options.items()],
        description=say(description),
        tooltip=say(tooltip),
        style=_STYLE,
        layout=_layout("320px"),
    )
    control.names = tuple(options)
    check_value(description, control, label)
    write_value(control, label)
    return control


def text_field(description: str, value: str, tooltip: str) -> ipywidgets.Text:
    """A line of text, taken when Enter is pressed or the field is left."""
    return _Text(
        value=value,
        description=say(description),
        tooltip=say(tooltip),
        continuous_update=False,
        style=_STYLE,
        layout=_layout("400px"),
    )


def switch(description: str, value: bool, tooltip: str) -> ipywidgets.Checkbox:
    """A box that is ticked or not."""
    return _Checkbox(
        value=value,
        description=say(description),
        tooltip=say(tooltip),
        indent=False,
        style=_STYLE,
        layout=ipywidgets.Layout(width="auto"),
    )


def button(description: str, tooltip: str, icon: str = "") -> ipywidgets.Button:
    """A button; it holds no value and is no part of a panel's state."""
    return ipywidgets.Button(
        description=say(description), tooltip=say(tooltip), icon=icon, layout=ipywidgets.Layout(width="auto")
    )


def is_setting(control: ipywidgets.Widget) -> bool:
    """Whether `control` holds a value that a person sets; a button, a progress bar and a text line do not."""
    return control.has_trait("value") and not isinstance(control, _SHOWN_ONLY)


def read_value(control: Any) -> Any:
    """The value as JSON can hold it: a choice by its label, a range as a list."""
    if isinstance(control, _Selection):
        return None if control.index is None else labels_of(control)[control.index]
    return list(control.value) if isinstance(control.value, tuple | list) else control.value


def write_value(control: Any, value: Any) -> None:
    """Set what `read_value` gave and `check_value` let through."""
    if isinstance(control, _Selection):
        control.index = labels_of(control).index(_label(control, value))
    else:
        control.value = tuple(value) if isinstance(value, list) else value


def check_value(name: str, control: Any, value: Any, limits: tuple[float, float] | None = None) -> None:
    """Raise ValueError with `value` and what `name` takes where `control` cannot hold it; ipywidgets would clip it.

    `limits` are the ends of a slider whose own will be moved first.
    """
    if isinstance(control, _Selection):
        labels = list(labels_of(control))
        if _label(control, value) not in labels:
            one_of = ", ".join(map(repr, labels))
            raise ValueError(
                say("{name} must be one of {one_of}, got {value!r}", name=name, one_of=one_of, value=value)
            )
    elif isinstance(control.value, tuple | list):
        _check_list(name, control, value)
    elif isinstance(control.value, bool | str):
        if type(value) is not type(control.value):
            kind = say("true or false") if isinstance(control.value, bool) else say("a text")
            raise ValueError(say("{name} must be {kind}, got {value!r}", name=name, kind=kind, value=value))
    else:
        _check_number(name, control, value, isinstance(control.value, int), limits)


def labels_of(control: Any) -> tuple[str, ...]:
    """The labels of a choice in English, whatever the page shows."""
    return getattr(control, "names", ()) or control._options_labels


def _label(control: Any, value: Any) -> str:
    """The label that is meant: a text that is none may be the short name that stands behind one."""
    labels, text = labels_of(control), str(value)
    behind = [label for label, short in zip(labels, control._options_values, strict=True) if short == text]
    return text if text in labels or not behind else behind[0]


def _check_list(name: str, control: Any, values: Any) -> None:
    is_range = isinstance(control, _RANGES)
    if not isinstance(values, list | tuple) or (is_range and len(values) != 2):
        kind = say("a list of two numbers") if is_range else say("a list of numbers")
        raise ValueError(say("{name} must be {kind}, got {value!r}", name=name, kind=kind, value=values))
    for value in values:
        _check_number(name, control, value, whole=all(isinstance(old, int) for old in control.value))
    if is_range and values[0] > values[1]:
        raise ValueError(say("{name} must go from low to high, got {value!r}", name=name, value=values))


def _bounds(control: Any) -> tuple[float | None, float | None]:
    low, high = getattr(control, "min", None), getattr(control, "max", None)
    if isinstance(control, ipywidgets.FloatLogSlider):
        low, high = control.base**control.min, control.base**control.max
    return low, high


def _check_number(name: str, control: Any, value: Any, whole: bool, limits: tuple[float, float] | None = None) -> None:
    low, high = limits or _bounds(control)
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or (whole and value != int(value)):
        kind = say("a whole number") if whole else say("a number")
        raise ValueError(say("{name} must be {kind}, got {value!r}", name=name, kind=kind, value=value))
    if (low is not None and value < low) or (high is not None and value > high):
        told = say("{name} must lie from {low} to {high}, got {value!r}", name=name, low=low, high=high, value=value)
        raise ValueError(told)
