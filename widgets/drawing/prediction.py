"""Predict before you see: a result is hidden, a line is drawn where it is expected, then both are laid over each other.

Who predicts first learns more (Kim, Reinecke and Hullman, CHI 2017). The line is drawn by static/predict.js with mouse,
finger or arrow keys and stays in the figure, on the page and in its own kernel; nothing is sent elsewhere.
"""

import math
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import traitlets

from widgets.drawing.pinned import Pinned
from workbench.language import say, words_of

_SCRIPT = (files("widgets") / "static" / "predict.js").read_text("utf-8")
DRAWING, SHOWN = "drawing", "shown"
_ROW = {"text": "\u200b", "side": "top", "font": {"size": 18}}  # an empty row above the legend: the button's place


class Prediction(NamedTuple):
    """What is asked: the `label` of the quantity, over the places `x`, that the traces `results` show.

    `hides` are traces that would give it away besides; all of them are out of sight while the line is drawn.
    """

    results: tuple[int, ...]
    x: Sequence[float]
    label: str
    hides: tuple[int, ...] = ()


class Comparison(NamedTuple):
    """How far a predicted line is from the result: mean distance, the same as a share of the result's range, places."""

    mean: float
    share: float
    places: int


def compare(predicted: Sequence[float | None], result: Sequence[float]) -> Comparison:
    """Distance at the places where both are numbers; the range is that of the result. NaN without such a place.

    >>> compare([0.0, None, 1.5], [0.0, 1.0, 2.0])
    Comparison(mean=0.25, share=0.125, places=2)
    """
    line = np.array([math.nan if y is None else y for y in predicted], dtype=float)
    known = np.asarray(result, dtype=float)
    both = np.isfinite(line) & np.isfinite(known)
    if not both.any():
        return Comparison(math.nan, math.nan, 0)
    mean = float(np.abs(line - known)[both].mean())
    spread = float(np.nanmax(known) - np.nanmin(known)) or 1.0
    return Comparison(mean, mean / spread, int(both.sum()))


def in_words(found: Comparison, label: str) -> str:
    """One sentence about a comparison.

    >>> in_words(Comparison(0.25, 0.125, 2), "q")
    'On average your line is 0.25 away from q, 12 % of its range: close.'
    """
    if not found.places:
        return say("You have drawn nothing; try again.")
    near = say("very close") if found.share < 0.05 else say("close") if found.share < 0.15 else say("not yet close")
    return say(
        "On average your line is {mean:.2g} away from {label}, {share:.0f} % of its range: {near}.",
        mean=found.mean,
        label=say(label),
        share=100 * found.share,
        near=near,
    )


class Predictable(Pinned):
    """A figure that can ask for a prediction: set `prediction`; `predicted` is the line, `verdict` what is said of it.

    `predicting` is "" (the result is in view), "drawing" (it is hidden) or "shown" (both are in view).
    """

    predicting = traitlets.Unicode().tag(sync=True)
    predicted = traitlets.List().tag(sync=True)
    verdict = traitlets.Unicode().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)  # of the page's language
    _asked = traitlets.Dict().tag(sync=True)
    layout: Any  # plotly is typed in part only
    _prediction: Prediction | None = None
    _seen: dict[int, Any] | None = None  # the opacity of what is hidden

    @property
    def prediction(self) -> Prediction | None:
        """What the figure asks for, None for nothing."""
        return self._prediction

    @prediction.setter
    def prediction(self, asked: Prediction | None) -> None:
        self._prediction = asked
        self.layout.legend.title = _ROW if asked else {"text": ""}
        self.words = {} if asked is None else words_of(_SCRIPT)
        given = asked and {"trace": asked.results[0], "x": list(asked.x), "label": say(asked.label)}
        self._asked = given or {}

    @traitlets.observe("predicting")
    def _follow(self, change: dict) -> None:
        if self._prediction is None:
            return
        self._hide(change["new"] == DRAWING)
        self.verdict = (
            in_words(self._compared(self._prediction), self._prediction.label) if change["new"] == SHOWN else ""
        )

    def _hide(self, hidden: bool) -> None:
        if hidden == (self._seen is not None):
            return
        assert self._prediction is not None
        traces = {k: self.data[k] for k in {*self._prediction.results, *self._prediction.hides}}
        seen, self._seen = self._seen, {k: trace.opacity for k, trace in traces.items()} if hidden else None
        with self.batch_update():
            for k, trace in traces.items():
                trace.opacity = 0.0 if seen is None else seen[k]

    def _compared(self, asked: Prediction) -> Comparison:
        """Against what the result has at the places asked for, in between by a straight line."""
        pieces = [(np.asarray(self.data[k].x, float), np.asarray(self.data[k].y, float)) for k in asked.results]
        x, y = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
        line = [y if isinstance(y, int | float) and not isinstance(y, bool) else None for y in self.predicted]
        line = (line + [None] * len(asked.x))[: len(asked.x)]
        return compare(line, np.interp(np.asarray(asked.x, float), x, y).tolist())
