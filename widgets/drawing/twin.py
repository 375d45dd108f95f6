"""`Twin`: a figure that answers controls on the page itself, at once; Python's answer follows and settles it.

A message to the kernel, a computation there and the arrays on their way back take some 30 ms. What a few lines compute
is therefore written a second time, in static/twins.js and static/twins_learning.js: pure functions from the values of
the controls to the values of traces. Python stays the judge: state, sentence, link and challenges come from it alone,
its arrays take the place of the twin's where they differ (static/live.js), and a test holds the two together
(tests/browser/test_twins.py).
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any, NamedTuple

import traitlets

from widgets.drawing.prediction import Predictable

_STATIC = files("widgets") / "static"


class Twin(NamedTuple):
    """The name of a function of `twin_script`, and the controls that it `follows`: others change what it is given."""

    function: str
    follows: tuple[str, ...]


class Twinned(Predictable):
    """A figure that may have a `twin`; `given` is what its function takes besides the values of the controls."""

    twin: Twin | None = None
    _twin = traitlets.Dict().tag(sync=True)
    _given = traitlets.Dict().tag(sync=True)
    _answered = traitlets.Dict().tag(sync=True)

    @property
    def given(self) -> Mapping[str, Any]:
        """Numbers, texts and lists by name, as JSON has them; what Python draws at random, say."""
        return self._given

    @given.setter
    def given(self, given: Mapping[str, Any]) -> None:
        self._given = dict(given)

    def follow(self, controls: Mapping[str, Any]) -> None:
        """Tell the page which controls the twin's values come from: all settings of a panel, by name."""
        if self.twin is None:
            return
        if unknown := set(self.twin.follows) - set(controls):
            raise ValueError(f"{self!r} follows {min(unknown)!r}, which is no control; there are {', '.join(controls)}")
        behind = {name: getattr(control, "_options_values", None) for name, control in controls.items()}
        self._twin = {
            **self.twin._asdict(),
            "controls": {name: control.model_id for name, control in controls.items()},
            "choices": {name: list(values) for name, values in behind.items() if values is not None},
        }

    def answer(self, values: Mapping[str, Any]) -> None:
        """Tell the page that the figure shows now what Python computed for these values of the controls."""
        if self.twin is not None:
            self._answered = dict(values)


def twin_script() -> str:
    """The functions as the text of a script, for a page without a kernel: `TWINS.traces(values, given)`.

    It needs neither plotly.js nor a server; each gives new values of traces by their place in the figure.

    >>> "const TWINS = {" in twin_script()
    True
    """
    return "".join((_STATIC / name).read_text("utf-8") for name in ("twins.js", "twins_learning.js"))
