"""`AccuracyMatrix`: what is still known of each task after each task, filled while a stream is learned."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from threading import Thread
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from widgets.drawing.figure import Fig
from widgets.drawing.rows import curve, number_table, table_layout
from widgets.drawing.theme import GREY, line, marker
from widgets.frame.controls import choice
from widgets.frame.streams import MOST_TASKS, STREAMS, StreamPanel
from widgets.lessons.accuracy_matrix import ACCURACY_MATRIX
from widgets.panels.accuracy_matrix_pictures import CLASSES, SIDE, clothes, clothes_raster
from workbench.background import start_thread
from workbench.continual.learning import StreamRecord
from workbench.continual.methods.fine_tuning import FineTuning
from workbench.continual.metrics import average_accuracy, backward_transfer, forward_transfer
from workbench.experiments.experiment import Experiment, prepare, prepare_with
from workbench.experiments.streams import Untrained, untrained
from workbench.language import say
from workbench.training.setting import Plan
from workbench.watch.recall import Recall, examples, learn_and_recall

SHOWN = {
    "fine-tuning": "fine-tuning",
    "CODE-CL": "code-cl",
    "GPM": "gpm",
    "LANCE": "lance",
    "replay": "replay",
    "joint training": "joint",
}


class Filled(NamedTuple):
    """A so far, `(T, T)`, NaN in the rows of tasks that are not learned; how many are; what was known before.

    right: after each task, the share of each class that is right. images: an example of each class of each task,
    `(T, classes, rows, columns)`, none where samples are no images.
    """

    A: Tensor
    learned: int
    before: Untrained | None
    right: Sequence[Tensor] = ()
    images: Tensor | None = None


class AccuracyMatrix(StreamPanel):
    """The matrix A[t, i], accuracy on task i after task t, live, with ACC, BWT and FWT in the text; below it clothes.

    The clothes of another seed are looked for by the thread `looking`, and are drawn when they are found.

    Controls: stream, tasks, epochs, seed, method, and the buttons start, pause and stop.
    """

    name = "matrix"
    title = "Forgetting"
    lesson = ACCURACY_MATRIX

    def __init__(self, streams: Mapping[str, Experiment] = STREAMS, **state: Any) -> None:
        self.matrix, self.curves, self.clothes = _matrix_figure(), _curves_figure(), clothes_raster()
        self._known: dict[tuple, Tensor | None] = {}
        self._asked: set[tuple] = set()
        self.looking: Thread | None = None
        method = choice("method", SHOWN, "what is done against forgetting; fine-tuning does nothing")
        super().__init__(streams, {"method": method}, [self.matrix, self.curves, self.clothes], state)

    def records(self, stream: Experiment, tasks: int, epochs: int, seed: int, method: str) -> Iterator[Any]:
        before = untrained(stream, seed, tasks)
        return chain([before], learn_and_recall(prepare(stream, method, seed, tasks), Plan(epochs, seed)))

    def compute(self, stream: Experiment, tasks: int, seed: int, **_: Any) -> Filled:
        run = self.run
        if self.settings_of_run is not None:
            stream, tasks, seed = (self.settings_of_run[name] for name in ("stream", "tasks", "seed"))
        rows = [item.accuracies for item in run if isinstance(item, StreamRecord) and item.accuracies]
        A = torch.full((tasks, tasks), torch.nan, dtype=torch.float64)
        if rows:
            A[: len(rows)] = torch.tensor(rows, dtype=torch.float64)
        before = next((item for item in run if isinstance(item, Untrained)), None)
        right = [item.right for item in run if isinstance(item, Recall)]
        return Filled(A, len(rows), before, right, self._examples(stream, seed, tasks))

    def _examples(self, stream: Experiment, seed: int, tasks: int) -> Tensor | None:
        """What the classes of each task look like; None where samples are no images of Fashion-MNIST, and as long as
        they are looked for."""
        key = (stream.name, seed)
        if key not in self._asked:
            self._asked.add(key)
            if not self._known:  # the first picture has them
                self._look(stream, key)
            else:
                self.looking = start_thread(lambda: self._look_and_show(stream, key), _nothing, "find examples")
        found = self._known.get(key)
        return None if found is None else found[:tasks]

    def _look_and_show(self, stream: Experiment, key: tuple[str, int]) -> None:
        """Find them beside the panel, which goes on."""
        if self._look(stream, key):
            self.redraw()

    def _look(self, stream: Experiment, key: tuple[str, int]) -> bool:
        """Find the examples of all tasks that can be shown; False where there are none, and Start says why."""
        tasks = min(MOST_TASKS, stream.tasks or 1)
        try:
            samples = examples(prepare_with(stream, FineTuning, key[1], tasks).stream, CLASSES)
        except (ValueError, OSError):
            self._asked.discard(key)
            return False
        images = samples.shape[2:].numel() == SIDE * SIDE
        self._known[key] = samples.reshape(tasks, CLASSES, SIDE, SIDE) if images else None
        return True

    def draw(self, numbers: Filled) -> None:
        percent, names = 100 * numbers.A.numpy(), list(range(1, len(numbers.A) + 1))
        words = [["" if np.isnan(value) else f"{value:.1f}" for value in row] for row in percent]
        cells = [[None if np.isnan(value) else value for value in row] for row in percent.tolist()]  # JSON has no NaN
        ahead = [[None if i <= t else value for i, value in enumerate(row)] for t, row in enumerate(cells)]
        learned = [[value if i <= t else None for i, value in enumerate(row)] for t, row in enumerate(cells)]
        later = [["" if i <= t else word for i, word in enumerate(row)] for t, row in enumerate(words)]
        known = [[word if i <= t else "" for i, word in enumerate(row)] for t, row in enumerate(words)]
        self.matrix.data[0].update(x=names, y=names, z=learned, text=known)
        self.matrix.data[1].update(x=names, y=names, z=ahead, text=later)
        self.matrix.layout.update(xaxis_tickvals=names, yaxis_tickvals=names)
        for i, trace in enumerate(self.curves.data):
            shown = i < numbers.learned
            learned = list(range(i + 1, numbers.learned + 1)) if shown else []
            trace.update(x=learned, y=percent[i : numbers.learned, i] if shown else [])
        self.curves.layout.xaxis.update(tickvals=names, range=[0.8, len(names) + 0.2])
        if numbers.images is not None:
            self.clothes.show(clothes(numbers.images, numbers.right))
        self.show_buttons()

    def describe(self, numbers: Filled) -> str:
        what = say(
            "learns {tasks} tasks in turn with {method}",
            tasks=self.values["tasks"],
            method=self.controls["method"].label,
        )
        told = self.progress(what)
        if numbers.learned:
            told += f" {_measures(numbers)}"
        return told + self.changed_since("stream", "tasks", "epochs", "seed", "method")

    def source(self, stream: Experiment, tasks: int, epochs: int, seed: int, method: str) -> str:
        return f"""
            import torch
            from workbench.continual import accuracy_matrix, average_accuracy, backward_transfer
            from workbench.experiments import STREAMS, start

            torch.set_num_threads(1)
            stream = STREAMS["{stream.name}"]
            A = accuracy_matrix(start(stream, "{method}", seed={seed}, epochs={epochs}, tasks={tasks}))
            print(A)
            print(f"ACC {{average_accuracy(A):.3f}}, BWT {{backward_transfer(A):+.3f}}")
        """


def _nothing() -> None:
    """A look at the samples ends soon by itself."""


def _measures(numbers: Filled) -> str:
    """ACC, BWT and FWT of the tasks learned so far."""
    n, before = numbers.learned, numbers.before
    A = numbers.A[:n, :n]
    if n == 1:
        return say("After the first task: {right:.1f} % of its test images right.", right=100 * average_accuracy(A))
    points = round(100 * backward_transfer(A), 1) + 0.0
    change = say("nothing was lost") if points == 0 else say("forgotten") if points < 0 else say("gained")
    told = say(
        "After {n} tasks: ACC {acc:.1f} % (mean over them), BWT {points:+.1f} points ({change} since each was learned)",
        n=n,
        acc=100 * average_accuracy(A),
        points=points,
        change=change,
    )
    if before is None or not before.shared_head:
        return told + say("; FWT says nothing here, a head that was never trained answers at random.")
    transfer = 100 * forward_transfer(A, torch.tensor(before.accuracies[:n]))
    return told + say(", FWT {transfer:+.1f} points (known before it was learned).", transfer=transfer)


PALE = "rgba(127,127,127,0.12)"  # of tasks that are not learned yet


def _matrix_figure() -> Fig:
    hover = "A[%{y}, %{x}]: %{text} % on task %{x} after learning task %{y}"
    cells = number_table(100, "%", hover, hoverongaps=False)
    layout = table_layout("tested on task i", "after learning task t", 340)
    guess = "%{text} % on task %{x}, which is not learned yet<extra></extra>"
    pale = {"colorscale": [[0.0, PALE], [1.0, PALE]], "showscale": False, "textfont": {"color": GREY}}
    return Fig(
        [cells, {**cells, **pale, "hovertemplate": guess}],
        layout,
        alt="Accuracy on each task after learning each task, one row for each task learned",
    )


def _curves_figure() -> Fig:
    traces = [
        curve(
            f"task {i + 1}",
            line(i),
            say("task {task} after %{{x}} tasks: %{{y:.1f}} % right", task=i + 1),
            mode="lines+markers",
            marker=marker(i),
        )
        for i in range(MOST_TASKS)
    ]
    layout = {
        "xaxis": {"title": {"text": "tasks learned"}},
        "yaxis": {"title": {"text": "accuracy (%)"}, "range": [0, 102]},
        "hovermode": "closest",
        "height": 280,
    }
    return Fig(traces, layout, alt="Accuracy on each task, from the moment it was learned, while further tasks follow")
