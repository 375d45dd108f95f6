"""One number of many cells: a metric of an experiment under a rule, by seed, and how it is told.

score        the experiment's own, final; with `at`, after so many epochs of a longer run
bwt, forgetting, acc    of streams, in points
kept         bytes of state between steps and bytes that autograd kept at the worst moment, together
macs         per sample and update;  seconds: of training
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from workbench.experiments.named import EXPERIMENTS
from workbench.names import unknown
from workbench.sweeps.statistics import summary
from workbench.training.score import ACCURACY, Score

Cells = Iterable[Mapping[str, Any]]


class Asked(NamedTuple):
    """Which cells: an experiment under a rule, for so many epochs; tasks, learning rate and samples are its own."""

    experiment: str
    rule: str
    epochs: int
    metric: str = "score"
    at: int | None = None


class Metric(NamedTuple):
    """How a number of a cell is read and told: `scale` to be in `unit`, so many `digits` after the point.

    exact: seeds usually agree, and a deviation is told only where it shows.
    """

    read: Callable[[Mapping[str, Any]], float | None]
    unit: str
    difference: str
    scale: float = 1.0
    digits: int = 1
    exact: bool = False


def _total(name: str) -> Callable[[Mapping[str, Any]], float | None]:
    return lambda cell: cell["totals"].get(name)


METRICS: Mapping[str, Metric] = {
    "bwt": Metric(_total("bwt"), "points", "points", 100.0),
    "forgetting": Metric(_total("forgetting"), "points", "points", 100.0),
    "acc": Metric(_total("acc"), "%", "points", 100.0),
    "kept": Metric(
        lambda cell: cell["totals"]["peak_state_bytes"] + cell["totals"]["saved_bytes"], "MB", "MB", 1e-6, 2, True
    ),
    "macs": Metric(lambda cell: cell["macs"], "million", "million", 1e-6, 2, True),
    "seconds": Metric(_total("seconds"), "s", "s"),
}


def metric_of(asked: Asked) -> Metric:
    """The metric that was asked for; ValueError that lists what there is."""
    if asked.metric == "score":
        score = EXPERIMENTS[asked.experiment].score if asked.experiment in EXPERIMENTS else ACCURACY
        return _of_score(score, asked.at)
    if asked.metric not in METRICS:
        raise unknown("there is no metric", asked.metric, ["score", *METRICS])
    return METRICS[asked.metric]


def _of_score(score: Score, at: int | None) -> Metric:
    def read(cell: Mapping[str, Any]) -> float | None:
        if at is None:
            return cell["score"]["value"]
        return next((point["score"] for point in cell["curve"] if point["epoch"] == at), None)

    return Metric(read, score.unit, "points" if score.unit == "%" else score.unit, score.scale, score.digits)


def values_of(cells: Cells, asked: Asked) -> dict[int, float]:
    """The metric by seed, in its unit; empty where nothing was run."""
    metric, found = metric_of(asked), {}
    for cell in cells:
        own = cell["cell"]
        same = (own["experiment"], own["rule"], own["epochs"]) == asked[:3]
        if same and (own["tasks"], own["learning_rate"], own["per_class"]) == (None, None, None):
            value = metric.read(cell)
            if value is not None:
                found[own["seed"]] = metric.scale * value
    return dict(sorted(found.items()))


def told(values: Mapping[int, float], metric: Metric) -> str:
    """Mean ± deviation without the unit; a dash for nothing.

    >>> told({0: 80.0, 1: 82.0}, METRICS["seconds"]), told({}, METRICS["seconds"])
    ('81.0 ± 1.4', '–')
    """
    if not values:
        return "–"
    mean, deviation, _ = summary(list(values.values()))
    spread = None if deviation is None else f"{deviation:.{metric.digits}f}"
    tail = "" if spread is None or (metric.exact and float(spread) == 0.0) else f" ± {spread}"
    return f"{signed(mean, metric.digits)}{tail}"


def signed(value: float, digits: int, plus: bool = False) -> str:
    """A number with a true minus sign, and no minus before zero.

    >>> signed(-0.04, 1), signed(-1.25, 2), signed(2.0, 1, plus=True)
    ('0.0', '−1.25', '+2.0')
    """
    text = f"{value:.{digits}f}"
    if float(text) == 0.0:
        return text.lstrip("-")
    return text.replace("-", "−") if value < 0 else ("+" if plus else "") + text
