"""`Panel`: what all widgets of the workbench have in common, so that each of them is only its own subject.

A panel holds controls and pictures that are created once. When a control changes, one pure function of `workbench`
computes numbers, the traces are set to them in one update, and a line of text says in words what the picture now shows.

    class Straight(Panel):
        '''A line through the origin.'''

        name = "straight"                  # in links; letters, digits and hyphens
        title = "A straight line"

        def __init__(self, **state):
            self.fig = Fig([{"name": "y", "line": line(0)}], alt="y over x")
            controls = {"slope": slider("slope a", 1.0, -2.0, 2.0, 0.1, "how steep the line is")}
            super().__init__(controls, [self.fig], state)

        def compute(self, slope):          # one argument per control that has a value; calls workbench only
            x = np.linspace(0.0, 1.0, 11)
            return Curve(x, slope * x)     # a NamedTuple of arrays

        def draw(self, numbers):           # inside one batch update of all figures
            self.fig.data[0].update(x=numbers.x, y=numbers.y)

        def describe(self, numbers):
            return f"The line rises to {numbers.y[-1]:.1f} at x = 1."

        def source(self, slope):           # a cell that anyone can run
            return f"x = np.linspace(0.0, 1.0, 11)\\ny = {slope} * x"

The front end of ipywidgets has at most one message per control under way and then sends the newest value, so nothing
queues up while a slider is dragged; a change that comes in the middle of a redraw leads to one more redraw, not to two
at once. `redraw` may be called from any thread.
"""

import base64
import html
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from textwrap import dedent
from typing import Any, ClassVar, final

import ipywidgets

from widgets.drawing.figure import Fig
from widgets.drawing.formula import Formula
from widgets.drawing.raster import Raster
from widgets.frame.arrange import Parts, arrange, letters, picture_boxes, put, shown
from widgets.frame.bar import Bar
from widgets.frame.controls import check_value, is_setting, read_value, write_value
from widgets.frame.hand import take_in_hand
from widgets.frame.history import History
from widgets.frame.lesson import Lesson, Place
from widgets.page.accessibility import make_page_accessible
from workbench.language import say


class Panel(ABC):
    """Base class of all widgets; a subclass fills in the six things of the module's example and overrides nothing else.

    `controls` (name to ipywidget, created once), `view` (the box that ipywidgets can nest), `text` (what the picture
    shows, in words), `numbers` (what `compute` returned last) and `solved` (the challenges of the lesson that are
    solved, by their place) are there to be read.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    lesson: ClassVar[Lesson | None] = None
    former: ClassVar[Mapping[str, tuple[str, ...]]] = {}  # controls of older links, and those that took their place

    def __init__(
        self,
        controls: Mapping[str, ipywidgets.DOMWidget],
        pictures: Sequence[Fig | Raster | Formula],
        state: Mapping[str, Any] | None = None,
    ) -> None:
        make_page_accessible()
        self.controls: dict[str, Any] = dict(controls)
        self.pictures = list(pictures)
        self.numbers: Any = None
        self.text = ""
        self.solved: set[int] = set()
        self._listeners: list[Callable[[], object]] = []
        self._challenge = 0
        self._place: Place | None = None
        self._parts = self._make_parts()
        self._line, self._code = self._parts.line, self._parts.code
        self._lock = threading.Lock()
        self._drawing = self._stale = self._held = False
        self.view = arrange(self.controls, self.lesson, list(self._settings()), self._parts)
        self.place((self.lesson and self.lesson.place) or Place(letters(self.pictures)))
        self.defaults = self.state
        self._history: History | None = None
        self._restore(state or {})
        self.on_change(self.redraw)
        take_in_hand(self)
        for figure in self._figures():
            figure.follow(self._settings())
        self.redraw()
        self._history = History(self.state)
        self._introduce()
        self._show_bars()

    # A subclass provides these four.

    @abstractmethod
    def compute(self, *args: Any, **kwargs: Any) -> Any:
        """The numbers of the picture, from the values of the controls by name. No drawing and no side effect."""

    @abstractmethod
    def draw(self, numbers: Any) -> None:
        """Set the traces to `numbers`. Runs inside one batch update of all figures."""

    @abstractmethod
    def describe(self, numbers: Any) -> str:
        """One sentence that says what the picture shows, for those who do not see it and for tests."""

    @abstractmethod
    def source(self, *args: Any, **kwargs: Any) -> str:
        """A runnable cell that computes the picture's numbers, from the values of the controls by name."""

    def remark(self) -> str:
        """What the sentence says besides, as a kind of panels needs it."""
        return ""

    def limits(self, state: Mapping[str, Any]) -> Mapping[str, tuple[float, float]]:
        """Both ends of the sliders whose ends depend on other controls, in a whole state; none unless a panel says."""
        return {}

    # Everything below is final.

    @property
    @final
    def values(self) -> dict[str, Any]:
        """The values of the controls by name, as `compute` gets them (a choice by what stands behind its label)."""
        return {name: c.value for name, c in self._settings().items()}

    @property
    def state(self) -> dict[str, Any]:
        """The values of the controls as numbers, texts, booleans and lists; assigning such a dict restores them.

        A part of the controls may be given. An unknown name or a value out of range raises ValueError, and then
        nothing has changed.
        """
        return {name: read_value(control) for name, control in self._settings().items()}

    @state.setter
    def state(self, state: Mapping[str, Any]) -> None:
        self._restore(state)
        self.redraw()

    @final
    def code(self) -> str:
        """A runnable cell that computes the numbers of the present picture."""
        return dedent(self.source(**self.values)).strip() + "\n"

    @final
    def redraw(self) -> None:
        """Compute and draw for the present values of the controls; an error is shown in the text line and raised."""
        with self._lock:
            self._stale = True
            if self._drawing or self._held:
                return  # whoever draws or holds will draw once more
            self._drawing = True
        while self._take_stale():
            try:
                self._draw_once()
            except BaseException:
                self._drawing = False
                raise

    @final
    def on_change(self, listener: Callable[[], object]) -> None:
        """Call `listener` after each change of a setting."""
        for control in self._settings().values():
            control.observe(lambda _: listener(), "value")

    @final
    def reset(self) -> None:
        """Back to the first settings."""
        self.state = self.defaults

    @final
    def undo(self) -> None:
        """Back to the settings before the last change; at the beginning nothing."""
        if self._history is not None and (before := self._history.back()) is not None:
            self.state = before

    @final
    def preset(self, name: str) -> None:
        """Set a preset of the lesson. Raises KeyError for a name that is none of its presets."""
        assert self.lesson is not None, f"{self!r} has no lesson"
        self.state = {**self.defaults, **self.lesson.presets[name]}

    @final
    def show_answer(self) -> None:
        """Set an answer of the present challenge; without a challenge nothing."""
        if self.lesson is not None and self.lesson.challenges:
            self.state = {**self.defaults, **self.lesson.challenges[self._challenge].answer}

    @final
    def next_challenge(self) -> None:
        """Go on to the next challenge of the lesson, after the last to the first."""
        if self.lesson is not None and self.lesson.challenges:
            self._challenge = (self._challenge + 1) % len(self.lesson.challenges)
            self._show_bars()

    @property
    @final
    def in_view(self) -> list[Fig | Raster | Formula]:
        """The pictures that have a place at present."""
        boxes = self._parts.pictures.children
        return [picture for picture, box in zip(self.pictures, boxes, strict=True) if shown(box)]

    @property
    def pinned(self) -> bool:
        """Whether the visitor has pinned curves."""
        return any(figure.pinned for figure in self._figures())

    @final
    def toggle_pin(self) -> None:
        """Keep a pale copy of the present curves to compare with, or take it away."""
        pinned = self.pinned
        for figure in self._figures():
            figure.unpin() if pinned else figure.pin()
        self._show_bars()

    @final
    def place(self, place: Place) -> None:
        """Put the pictures elsewhere, or show others of them."""
        if place != self._place:
            put(self._parts.pictures, place)
            self._place = place

    @final
    def lead_to(self, name: str, title: str) -> None:
        """Show the way to the panel that comes next."""
        self._parts.foot.show(next={"name": name, "title": say(title)})

    @final
    def faults(self, state: Mapping[str, Any]) -> dict[str, str]:
        """What is wrong with a state, by name of the control; empty where it can be set as it is."""
        controls, found, limited = self._settings(), {}, self.limits(self.state)
        for name, value in state.items():
            try:
                for now in self.former.get(name, (name,)):
                    if now not in controls:
                        there_are = ", ".join(controls)
                        told = "{panel!r} has no control {name!r}; it has {there_are}"
                        raise ValueError(say(told, panel=self, name=name, there_are=there_are))
                    if now not in limited:
                        check_value(now, controls[now], value)
            except (ValueError, OverflowError) as error:
                found[name] = str(error)
        right = {name: value for name, value in state.items() if name not in found}
        for name, ends in self.limits({**self.state, **right}).items():
            try:
                if name in right:
                    check_value(name, controls[name], right[name], ends)
            except (ValueError, OverflowError) as error:
                found[name] = str(error)
        return found

    @final
    def on_redraw(self, listener: Callable[[], object]) -> None:
        """Call `listener` after each redraw that went well."""
        self._listeners.append(listener)

    @final
    def png(self) -> bytes:
        """The present picture as a small still image."""
        from widgets.drawing.still import still_picture

        return still_picture(self.in_view)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """A live view where widgets can be shown, a still picture elsewhere, the same text in every run."""
        widget = self.view._repr_mimebundle_() or {}
        return {**widget, "text/plain": repr(self), "image/png": base64.b64encode(self.png()).decode("ascii")}

    def _settings(self) -> dict[str, Any]:
        return {name: control for name, control in self.controls.items() if is_setting(control)}

    def _make_parts(self) -> Parts:
        show_code = ipywidgets.ToggleButton(
            description=say("Show the code"),
            tooltip=say("a cell that computes this picture"),
            layout=ipywidgets.Layout(width="auto"),
        ).add_class("workbench-show-code")
        show_code.observe(lambda change: self._show_code(change["new"]), "value")
        line = ipywidgets.HTML().add_class("workbench-status")
        code = ipywidgets.HTML(layout=ipywidgets.Layout(display="none"))
        boxes = picture_boxes(self.pictures)
        return Parts(boxes, Bar("head", self._clicked), line, Bar("foot", self._clicked), code, show_code)

    def _clicked(self, action: str, which: str) -> None:
        """What a button of the two bars does; anything else that a page sends does nothing."""
        if action == "preset" and self.lesson is not None and which in self.lesson.presets:
            self.preset(which)
            return
        doing = {
            "pin": self.toggle_pin,
            "undo": self.undo,
            "reset": self.reset,
            "answer": self.show_answer,
            "challenge": self.next_challenge,
        }.get(action)
        if doing is not None:
            doing()

    def _look_back(self) -> None:
        """After a redraw: remember the state, and see whether it solves the challenge."""
        if self._history is None:
            return
        state = self.state
        self._history.note(state)
        challenges = self.lesson.challenges if self.lesson is not None else ()
        if challenges and challenges[self._challenge].solved(state, self.numbers):
            self.solved.add(self._challenge)
        self._show_bars()
        for listener in self._listeners:
            listener()

    def _introduce(self) -> None:
        """Tell the two bars what stays as it is while the panel is used."""
        lesson = self.lesson
        self._parts.head.show(
            question=say(lesson.question if lesson else self.title),
            title=self.title,
            presets=list(lesson.presets) if lesson else [],
            pin=any(figure.can_pin for figure in self._figures()),
        )
        if lesson is not None:
            self._parts.head.learn(*lesson.presets)
            self._parts.foot.show(first=say(lesson.first), see=say(lesson.see), why=say(lesson.why))

    def _show_bars(self) -> None:
        self._parts.head.show(undo=bool(self._history), pinned=self.pinned)
        if self.lesson is not None:
            self._parts.foot.show(challenge=self._challenge_facts())

    def _challenge_facts(self) -> dict[str, Any] | None:
        if self.lesson is None or not self.lesson.challenges:
            return None
        challenge = self.lesson.challenges[self._challenge]
        return {
            "number": self._challenge + 1,
            "of": len(self.lesson.challenges),
            "task": say(challenge.task),
            "told": say(challenge.told),
            "solved": self._challenge in self.solved,
        }

    def _figures(self) -> list[Fig]:
        return [picture for picture in self.pictures if isinstance(picture, Fig)]

    def _restore(self, state: Mapping[str, Any]) -> None:
        if wrong := self.faults(state):
            raise ValueError("; ".join(wrong.values()))
        controls = self._settings()
        state = {now: value for name, value in state.items() for now in self.former.get(name, (name,))}
        self._held = True  # one redraw by the caller instead of one for each value
        try:
            self._set_limits({**self.state, **state})
            for name, value in state.items():
                write_value(controls[name], value)
        finally:
            self._held = False

    def _set_limits(self, state: Mapping[str, Any]) -> None:
        """Move the ends of sliders; a value beyond its new end goes there."""
        for name, (low, high) in self.limits(state).items():
            control = self.controls[name]
            if (control.min, control.max) != (low, high):
                control.min, control.max = low, high

    def _take_stale(self) -> bool:
        with self._lock:
            stale, self._stale = self._stale, False
            self._drawing = stale
            return stale

    def _draw_once(self) -> None:
        try:
            self._set_limits(self.state)
            values = self.values
            self.numbers = self.compute(**values)
            with ExitStack() as batch:
                for figure in self._figures():
                    batch.enter_context(figure.own_traces())
                    batch.enter_context(figure.batch_update())
                self.draw(self.numbers)
            for figure in self._figures():
                figure.answer(values)
            self._say(self.describe(self.numbers) + self.remark())
        except Exception as error:
            told = say("These values cannot be drawn, the picture is the one before: {reason}", reason=reason(error))
            self._say(told, wrong=True)
            raise
        if self._code.layout.display != "none":
            self._show_code(True)
        self._look_back()

    def _say(self, text: str, wrong: bool = False) -> None:
        self.text = with_minus(text)
        self._line.value = html.escape(self.text)
        (self._line.add_class if wrong else self._line.remove_class)("workbench-wrong")

    def _show_code(self, shown: bool) -> None:
        if shown:
            code = html.escape(self.code())
            self._code.value = f'<pre class="workbench-code" tabindex="0">{code}</pre>'
        self._code.layout.display = "" if shown else "none"


def with_minus(text: str) -> str:
    """A text with a minus sign before numbers, where Python writes a hyphen.

    >>> with_minus("from -0.5 to 1e-05, e-3-D")
    'from −0.5 to 1e-05, e-3-D'
    """
    return re.sub(r"(?<![\w.)-])-(?=\.?\d)", "−", text)


def reason(error: Exception) -> str:
    """What an error says, in words also where it says nothing."""
    if isinstance(error, MemoryError):
        return say("they need more memory than this computation has")
    return str(error) or type(error).__name__
