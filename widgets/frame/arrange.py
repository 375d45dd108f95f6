"""How a panel lies on the page: its lines, its controls beside its pictures, and what is folded away.

The boxes have class names only; where they go on a wide page, a phone or a projector is the style sheet's matter
(widgets/static/panel.css).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import ipywidgets

from widgets.frame.bar import Bar
from widgets.frame.lesson import Lesson, Place
from workbench.language import say


class Parts(NamedTuple):
    """What a panel changes while it is used: its pictures' places, its two bars, its line, the code and its switch."""

    pictures: ipywidgets.Box
    head: Bar
    line: ipywidgets.HTML
    foot: Bar
    code: ipywidgets.HTML
    show_code: ipywidgets.ToggleButton


def arrange(
    controls: Mapping[str, Any], lesson: Lesson | None, settings: Sequence[str], parts: Parts
) -> ipywidgets.VBox:
    """The box of a panel. `settings` are the names of the controls that hold a value; buttons always stay in view."""
    main = settings if lesson is None else lesson.main
    behind = [name for name in settings if name not in main]
    if len(behind) <= 1:  # one control takes no more room than the switch that would hide it
        main, behind = [*main, *behind], []
    first = [controls[name] for name in main]
    others = [control for name, control in controls.items() if name not in settings]
    buttons = [_box(others, "workbench-buttons")] if others else []
    near = _box([*first, *buttons], "workbench-controls", "workbench-main")
    far = _box([controls[name] for name in behind], "workbench-controls", "workbench-rest")
    side = [near, *_folded(far), parts.show_code]
    stage = _box([_box(side, "workbench-side"), parts.pictures], "workbench-stage")
    view = ipywidgets.VBox([parts.head, parts.line, stage, parts.foot, parts.code])
    return view.add_class("workbench-panel")


def _folded(box: ipywidgets.Box) -> list[ipywidgets.Widget]:
    """The box behind a switch that says how many settings it holds that are in use; nothing where it is empty."""
    if not box.children:
        return []
    more = ipywidgets.ToggleButton(
        tooltip=say("show the other settings"),
        layout=ipywidgets.Layout(width="auto"),
    ).add_class("workbench-more")

    def count(_: object = None) -> None:
        more.description = say("More settings ({count})", count=sum(shown(control) for control in box.children))

    for control in box.children:
        control.layout.observe(count, "display")
    count()
    box.layout.display = "none"
    more.observe(lambda change: setattr(box.layout, "display", "" if change["new"] else "none"), "value")
    return [more, box]


def shown(widget: Any) -> bool:
    """Whether a control or the box of a picture is on the screen."""
    return widget.layout.display != "none"


def picture_boxes(pictures: Sequence[Any]) -> ipywidgets.Box:
    """Each picture in a box of its own, below one another."""
    boxes = [ipywidgets.Box([picture]).add_class("workbench-picture") for picture in pictures]
    return _box(boxes, "workbench-pictures")


def letters(pictures: Sequence[Any]) -> tuple[str, ...]:
    """The letters by which a `Place` calls these pictures; as its areas they put one below the other."""
    return tuple(chr(ord("a") + k) for k in range(len(pictures)))


def put(pictures: ipywidgets.Box, place: Place) -> None:
    """Put the pictures where `place` says. Raises ValueError where it names a picture that there is not."""
    known = letters(pictures.children)
    wrong = sorted({letter for row in place.areas for letter in row.split()} - set(known))
    if wrong:
        raise ValueError(f"there are {len(known)} pictures, {', '.join(known)}; got {', '.join(map(repr, wrong))}")
    grid: Any = pictures.layout
    grid.grid_template_areas = " ".join(f'"{row}"' for row in place.areas)
    grid.grid_template_columns = _parts(place.columns, len(place.areas[0].split()))
    grid.grid_template_rows = _parts(place.rows, len(place.areas))
    for letter, box in zip(known, pictures.children, strict=True):
        box.layout.grid_area = letter
        box.layout.display = "" if any(letter in row.split() for row in place.areas) else "none"


def _parts(parts: Sequence[float], count: int) -> str:
    return " ".join(f"minmax(0, {part:g}fr)" for part in parts or (1.0,) * count)


def _box(children: Sequence[Any], *classes: str) -> ipywidgets.Box:
    box = ipywidgets.Box(list(children))
    for name in classes:
        box.add_class(name)
    return box
