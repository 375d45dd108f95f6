"""How a panel lies on the page: its lines, its controls beside its pictures, and what is folded away.

The boxes have class names only; where they go on a wide page, a phone or a projector is the style sheet's matter
(widgets/static/panel.css).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import ipywidgets

from widgets.frame.bar import Bar
from widgets.frame.lesson import Lesson


class Parts(NamedTuple):
    """What a panel changes while it is used: its two bars, its line, the code and the switch that shows it."""

    head: Bar
    line: ipywidgets.HTML
    foot: Bar
    code: ipywidgets.HTML
    show_code: ipywidgets.ToggleButton


def arrange(
    controls: Mapping[str, Any], pictures: Sequence[Any], lesson: Lesson | None, settings: Sequence[str], parts: Parts
) -> ipywidgets.VBox:
    """The box of a panel. `settings` are the names of the controls that hold a value; buttons always stay in view."""
    main = settings if lesson is None else lesson.main
    behind = [name for name in settings if name not in main]
    if len(behind) <= 1:  # one control takes no more room than the switch that would hide it
        main, behind = [*main, *behind], []
    first = [controls[name] for name in main]
    others = [control for name, control in controls.items() if name not in settings]
    near = _box([*first, *others], "workbench-controls", "workbench-main")
    far = _box([controls[name] for name in behind], "workbench-controls", "workbench-rest")
    side = [near, *_folded(far, len(behind)), parts.show_code]
    stage = _box([_box(side, "workbench-side"), _pictures(pictures, lesson)], "workbench-stage")
    view = ipywidgets.VBox([parts.head, parts.line, stage, parts.foot, parts.code])
    return view.add_class("workbench-panel")


def _folded(box: ipywidgets.Box, count: int) -> list[ipywidgets.Widget]:
    """The box behind a switch that says how much it holds; nothing where it holds nothing."""
    if not count:
        return []
    more = ipywidgets.ToggleButton(
        description=f"More settings ({count})",
        tooltip="show the other settings",
        layout=ipywidgets.Layout(width="auto"),
    ).add_class("workbench-more")
    box.layout.display = "none"
    more.observe(lambda change: setattr(box.layout, "display", "" if change["new"] else "none"), "value")
    return [more, box]


def _pictures(pictures: Sequence[Any], lesson: Lesson | None) -> ipywidgets.Box:
    shares = (lesson.shares if lesson else ()) or (1.0,) * len(pictures)
    if len(shares) != len(pictures):
        raise ValueError(f"a lesson gives each picture a share: there are {len(pictures)} pictures, got {shares!r}")
    boxes = [
        ipywidgets.Box([picture], layout=ipywidgets.Layout(flex=f"{share:g} 1 0")).add_class("workbench-picture")
        for picture, share in zip(pictures, shares, strict=True)
    ]
    beside = ["workbench-beside"] if lesson and lesson.beside else []
    return _box(boxes, "workbench-pictures", *beside)


def _box(children: Sequence[Any], *classes: str) -> ipywidgets.Box:
    box = ipywidgets.Box(list(children))
    for name in classes:
        box.add_class(name)
    return box
