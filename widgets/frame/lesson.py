"""`Lesson`: what a panel is for, as data: its question, what to do and to see, presets, and challenges that check
themselves.

A panel has its lesson as the class attribute `lesson`; the lessons of the workbench's own panels lie in
`widgets/lessons/`, one file each. A panel without one is shown under its title, with all controls in view.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Challenge(NamedTuple):
    """Something to reach with the controls.

    `solved(state, numbers)` looks at the state of the panel and at what `compute` returned for it. `answer` is a part
    of a state that solves it, laid over the start (where `runs`, after a run with it); `told` says what that showed.
    """

    task: str
    solved: Callable[[Mapping[str, Any], Any], bool]
    answer: Mapping[str, Any]
    told: str
    runs: bool = False


class Place(NamedTuple):
    """Where the pictures of a panel stand on a wide page, as a CSS grid.

    `areas` are its rows, in each the letters of the pictures from left to right: "a" is the panel's first picture, "b"
    its second; a picture may stand in several cells, one that is not named is not shown. `rows` and `columns` are the
    parts of height and width that they get; equal ones when empty.
    """

    areas: tuple[str, ...]
    columns: tuple[float, ...] = ()
    rows: tuple[float, ...] = ()


class Lesson(NamedTuple):
    """The words around a picture.

    `question` is what the panel answers, `first` what to do first, `see` what to look at, `why` why it matters. `main`
    names up to three controls that stand beside the picture, besides buttons and a choice of view; the others wait
    behind "more". `presets` are parts of a state by name, laid over the start. Without a `place` the pictures stand
    below one another.
    """

    question: str
    first: str
    see: str
    why: str
    main: tuple[str, ...]
    presets: Mapping[str, Mapping[str, Any]] = {}
    challenges: tuple[Challenge, ...] = ()
    place: Place | None = None
