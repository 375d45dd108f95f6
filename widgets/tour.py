"""The tour: stations in the living app, each of which waits until the visitor has done something.

A station opens a panel, says what to do, and is done when `done(state, numbers)` is true of the panel; what there is to
see is said then. Nothing is measured by time: the visitor goes on when the visitor likes.
"""

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, NamedTuple, Protocol

import anywidget
import traitlets

from widgets.frame.panel import Panel
from widgets.page.click import read_click
from workbench.language import say, words_of

_STATIC = files("widgets") / "static"


class Station(NamedTuple):
    """One stop: the panel and the part of its state that it opens with, what to do, what that shows.

    `control` is the one to use, marked on the page. `answer` is a part of the state after which `done` is true.
    """

    panel: str
    do: str
    control: str
    done: Callable[[Mapping[str, Any], Any], bool]
    told: str
    answer: Mapping[str, Any]
    opens: Mapping[str, Any] = {}


STATIONS: tuple[Station, ...] = (
    Station(
        "lif",
        "TIME. This neuron sums its input into a membrane u and fires where u passes the threshold. Raise the "
        "threshold until it falls silent.",
        "threshold",
        lambda state, numbers: int(numbers.membrane.spikes.sum()) == 0,
        "Silent: the leak takes away as much as the input brings. Below threshold nothing leaves the neuron, and a "
        "rule that learns from spikes alone would learn nothing here.",
        {"threshold": 1.5},
    ),
    Station(
        "trace",
        "A spike is over at once. Its trace q is what the synapse still knows of it. Make it remember longer: "
        "raise λ_pre.",
        "decay_pre",
        lambda state, numbers: state["decay_pre"] >= 0.95,
        "One number per synapse, kept up at each step, stands for the whole past. That is what lets S-TLLR and "
        "TESS learn without storing time.",
        {"decay_pre": 0.97},
    ),
    Station(
        "stdp",
        "Two spikes and one weight. Move the post spike to before the pre spike, and watch the sign of the change.",
        "post_1",
        lambda state, numbers: state["post_1"] < state["pre_1"],
        "The order decides: pre before post strengthens, post before pre weakens. Two traces compute what all pairs of "
        "spikes would.",
        {"post_1": 10},
        {"pre_spikes": 1, "post_spikes": 1},
    ),
    Station(
        "eligibility",
        "The traces only propose a change. A learning signal decides when the proposal counts. Move its beginning away "
        "from the spikes.",
        "signal_at",
        lambda state, numbers: state["signal_at"] >= 40,
        "The same spikes, another moment of the signal, another change. This product of eligibility and signal is the "
        "third factor.",
        {"signal_at": 44},
    ),
    Station(
        "surrogate",
        "SPACE. A spike has no slope, so a rule puts a smooth one in its place, Ψ. Make it steeper.",
        "slope",
        lambda state, numbers: state["slope"] >= 20,
        "Steep means: only neurons very near their threshold learn.",
        {"slope": 25.0},
        {"form": "fast sigmoid"},
    ),
    Station(
        "locality",
        "Who must tell a layer that the answer was wrong? Choose another rule and see which cells empty.",
        "rule",
        lambda state, numbers: state["rule"] != "BPTT",
        "“no” is what the update does not need to know. A rule that needs nothing above and nothing later "
        "is local in space and in time.",
        {"rule": "TESS"},
        {"rule": "BPTT"},
    ),
    Station(
        "compression",
        "MEMORY. Activations are kept for the update. Keep less: lower the energy ε.",
        "energy",
        lambda state, numbers: state["energy"] <= 0.5,
        "A small core of the activations gives nearly the same direction of the update, at a fraction of the bytes.",
        {"energy": 0.45},
    ),
    Station(
        "cost",
        "And what does it cost? Let fewer steps learn: lower K until S-TLLR needs fewer multiplications than BPTT.",
        "learning_steps",
        lambda state, numbers: numbers.learning_steps < 2 * numbers.steps / 3,
        "Below two thirds of the steps S-TLLR is the cheaper one. Its memory does not grow with time at all; that of "
        "BPTT does.",
        {"learning_steps": 20},
    ),
    Station(
        "conceptors",
        "DIRECTION. The ellipse is what an old task has taken of the space. Widen it: raise the aperture α.",
        "aperture",
        lambda state, numbers: state["aperture"] >= 5,
        "A wide aperture claims more directions. What it claims, new tasks may hardly change: little forgetting, "
        "little room.",
        {"aperture": 8.0},
    ),
    Station(
        "step",
        "TOGETHER. One weight, one update, term by term. Walk to the last stage, and stop where you like.",
        "at",
        lambda state, numbers: state["at"] == 23,
        "A trace, a nearness to the threshold, a signal, and their product: that is all a local rule is. You can write "
        "one yourself.",
        {"at": 23},
        {"at": 0},
    ),
)


class Coach(anywidget.AnyWidget):
    """The line at the foot of the page that leads through the tour; what is clicked comes back as a message."""

    _esm = (_STATIC / "element.js").read_text("utf-8") + (_STATIC / "coach.js").read_text("utf-8")
    facts = traitlets.Dict().tag(sync=True)  # empty while no tour is on
    words = traitlets.Dict().tag(sync=True)

    def learn(self) -> None:
        """Take the words of the page's language."""
        self.words = words_of(self._esm)


class Stage(Protocol):
    """What the tour walks through: the app."""

    @property
    def selected(self) -> str:
        """The name of the open tab."""
        ...

    def show(self, name: str) -> None:
        """Open a tab."""

    def panel(self, name: str) -> Panel:
        """The panel of that name."""
        ...


class Tour:
    """A walk through `stations` of `app`. `at` is the number of the present one, None while no tour is on."""

    def __init__(self, app: Stage, stations: tuple[Station, ...] = STATIONS) -> None:
        self._app, self._stations = app, stations
        self.at: int | None = None
        self.done = False
        self.coach = Coach()
        self.coach.on_msg(lambda _, content, __: self._clicked(content))

    def start(self) -> None:
        """Begin at the first station."""
        self._go(0)

    def go_on(self) -> None:
        """To the next station; after the last the tour ends."""
        if self.at is not None:
            self._go(self.at + 1)

    def end(self) -> None:
        """Leave the tour; everything stays as it is."""
        self._mark(False)
        self.at, self.done, self.coach.facts = None, False, {}

    def look(self) -> None:
        """See whether the visitor has done what the station asks for."""
        if self.at is None or self.done or self._app.selected != self._station.panel:
            return
        panel = self._panel()
        if self._station.done(panel.state, panel.numbers):
            self.done = True
            self._say()

    @property
    def _station(self) -> Station:
        return self._stations[self.at or 0]

    def _panel(self) -> Panel:
        return self._app.panel(self._station.panel)

    def _go(self, at: int) -> None:
        self.end()
        if at >= len(self._stations):
            return
        self.at = at
        self._app.show(self._station.panel)
        panel = self._panel()
        panel.state = {**panel.defaults, **self._station.opens}
        self.done = False
        self._mark(True)
        self._say()

    def _mark(self, on: bool) -> None:
        if self.at is not None:
            control = self._panel().controls[self._station.control]
            (control.add_class if on else control.remove_class)("workbench-here")

    def _say(self) -> None:
        station = self._station
        self.coach.facts = {
            "number": (self.at or 0) + 1,
            "of": len(self._stations),
            "do": say(station.do),
            "told": say(station.told) if self.done else "",
        }

    def _clicked(self, content: Any) -> None:
        action, _ = read_click(content)
        if action == "on":
            self.go_on()
        elif action == "end":
            self.end()
