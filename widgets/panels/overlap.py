"""`SubspaceOverlap`: what every task claims of each layer's input space, how tasks overlap, and what is left."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from widgets.frame.controls import choice, slider
from widgets.frame.streams import STREAMS, StreamPanel
from widgets.lessons.overlap import OVERLAP
from widgets.panels.overlap_pictures import left_figure, shares_figure, similarity_figure
from workbench.experiments.experiment import Experiment
from workbench.language import say
from workbench.watch.claims import TaskClaim, claimed_shares, remaining, similarities, start_claims, start_lance_claims

CODE_CL, LANCE = "code-cl", "lance"
_RECORDED_LAYERS = ("layer 1", "layer 2")


class Claimed(NamedTuple):
    """By layer: shares that each task added `(layers, tasks)`, 1 − s along each direction; how alike the tasks are."""

    layers: tuple[str, ...]
    shares: Tensor
    remaining: list[Tensor]
    similarity: Tensor
    largest_overlap: float


class SubspaceOverlap(StreamPanel):
    """CODE-CL or LANCE learns a stream: claimed shares of each layer's input space, similarity of tasks, what is free.

    Controls: stream, tasks, epochs, seed, method, aperture (of CODE-CL), layer (of the similarities), and the buttons
    start, pause and stop.
    """

    name = "overlap"
    title = "Overlap"
    lesson = OVERLAP

    def __init__(self, streams: Mapping[str, Experiment] = STREAMS, **state: Any) -> None:
        self.shares, self.similarity, self.left = shares_figure(), similarity_figure(), left_figure()
        self._known: tuple[tuple, Claimed] | None = None  # claims are long in coming: compute and draw each once
        self._drawn: Claimed | None = None
        wide = "how much of the space a task claims: CODE-CL uses 4 to 8 on photographs in colour"
        methods = {"CODE-CL": CODE_CL, "LANCE": LANCE}
        controls = {
            "method": choice("method", methods, "graded claims (conceptors), or whole directions (a subspace)"),
            "aperture": slider("aperture α", 3.0, 0.5, 10.0, 0.5, wide, 1),
            "layer": choice("similarities in", {"layer 1": 0, "layer 2": 1}, "the layer whose inputs are compared"),
        }
        super().__init__(streams, controls, [self.shares, self.similarity, self.left], state)

    def records(
        self, stream: Experiment, tasks: int, epochs: int, seed: int, method: str, aperture: float, **_: Any
    ) -> Iterator[Any]:
        if method == LANCE:
            return start_lance_claims(stream, seed, epochs, tasks)
        return start_claims(stream, aperture, seed, epochs, tasks)

    def compute(self, layer: int, **_: Any) -> Claimed:
        claims = [item for item in self.run if isinstance(item, TaskClaim)]
        key = (self.race, len(claims), layer)
        if self._known is None or self._known[0] != key:
            self._known = key, _claimed(claims, layer)
        return self._known[1]

    def draw(self, numbers: Claimed) -> None:
        self.show_buttons()
        self.controls["aperture"].layout.display = "none" if self.values["method"] == LANCE else ""  # it has none
        if numbers is self._drawn:
            return
        self._drawn = numbers
        layers = numbers.layers or _RECORDED_LAYERS
        places = list(range(len(layers)))
        for t, trace in enumerate(self.shares.data):
            shares = 100 * numbers.shares[:, t].numpy() if t < numbers.shares.shape[1] else []
            trace.update(
                x=places[: len(shares)], y=shares, text=[f"{share:.1f}" for share in shares], visible=len(shares) > 0
            )
        self.shares.layout.xaxis.update(
            tickvals=places, ticktext=[say("inputs of<br>{layer}", layer=say(name)) for name in layers]
        )
        names = list(range(1, len(numbers.similarity) + 1))
        values = numbers.similarity.numpy()
        words = [[f"{value:.2f}" for value in row] for row in values]
        self.similarity.data[0].update(x=names, y=names, z=values, text=words, visible=len(names) > 0)
        self.similarity.layout.update(xaxis_tickvals=names, yaxis_tickvals=names)
        for k, trace in enumerate(self.left.data):
            left = numbers.remaining[k] if k < len(numbers.remaining) else torch.zeros(0)
            trace.update(x=100 * (torch.arange(len(left)) + 0.5).numpy() / max(len(left), 1), y=left.numpy())
            trace.update(name=say(layers[k]) if k < len(layers) else "", visible=len(left) > 0)

    def describe(self, numbers: Claimed) -> str:
        method = self.controls["method"].label
        told = self.progress(
            say(
                "learns {tasks} tasks in turn with {method} and shows what each claims",
                tasks=self.values["tasks"],
                method=method,
            )
        )
        if numbers.layers:
            n = numbers.shares.shape[1]
            claimed = zip(numbers.layers, numbers.shares.sum(1).tolist(), strict=True)
            parts = ", ".join(
                say("{share:.0f} % of {layer}", share=100 * share, layer=say(name)) for name, share in claimed
            )
            after = (
                say(" After 1 task {parts} are claimed.") if n == 1 else say(" After {n} tasks {parts} are claimed.")
            )
            told += after.format(n=n, parts=parts)
        if len(numbers.similarity) > 1:
            lance = self.settings_of_run is not None and self.settings_of_run["method"] == LANCE
            told += _held(numbers.largest_overlap) if lance else _mixed(numbers.largest_overlap)
        return told + self.changed_since("stream", "tasks", "epochs", "seed", "method", "aperture")

    def source(
        self, stream: Experiment, tasks: int, epochs: int, seed: int, method: str, aperture: float, layer: int
    ) -> str:
        name, own = ("start_lance_claims", "") if method == LANCE else ("start_claims", f"aperture={aperture}, ")
        return f"""
            import torch
            from workbench.experiments import STREAMS
            from workbench.watch import TaskClaim, claimed_shares, remaining, similarities, {name}

            torch.set_num_threads(1)
            settings = dict({own}seed={seed}, epochs={epochs}, tasks={tasks})
            run = {name}(STREAMS["{stream.name}"], **settings)
            claims = [item for item in run if isinstance(item, TaskClaim)]
            shares = claimed_shares(claims)
            layers = list(claims[-1].protected)
            similarity = similarities(claims, layers[{layer}])
            left = {{name: remaining(claims[-1], name) for name in layers}}
            print("share of the space that each task added, one row per layer:", shares)
        """


def _mixed(overlap: float) -> str:
    """What CODE-CL does about the largest overlap ρ."""
    if overlap > 0.5:
        rest = say("above 0.5, so shared directions are mixed anew")
    else:
        rest = say("at most 0.5, so nothing is mixed")
    return say(
        " The largest overlap ρ of a new task with the past was {overlap:.2f}: {rest}.", overlap=overlap, rest=rest
    )


def _held(overlap: float) -> str:
    """What LANCE's protected subspace holds of new tasks, and why there is no grading and no mixing."""
    return say(
        " LANCE has no conceptors: a direction is protected wholly or free, and nothing is mixed. Protected directions "
        "held at most {share:.0f} % of a new task's energy in a layer; there it could not learn.",
        share=100 * overlap,
    )


def _claimed(claims: list[TaskClaim], layer: int) -> Claimed:
    """What the claims so far amount to."""
    if not claims:
        return Claimed((), torch.zeros(0, 0), [], torch.zeros(0, 0), 0.0)
    names = list(claims[-1].protected)
    left = [remaining(claims[-1], name) for name in names]
    largest = max((ratio for claim in claims for ratio in claim.overlap.values()), default=0.0)
    return Claimed(_spoken(names), claimed_shares(claims), left, similarities(claims, names[layer]), largest)


def _spoken(names: list[str]) -> tuple[str, ...]:
    """Layers as people say it: by number, and a head by its name."""
    return tuple("the head" if name.startswith("heads") else f"layer {k}" for k, name in enumerate(names, 1))
