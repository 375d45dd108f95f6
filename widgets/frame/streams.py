"""What panels share that learn a stream of tasks while you watch: its controls, and start, pause and stop."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch

from widgets.drawing.figure import Fig
from widgets.drawing.raster import Raster
from widgets.frame.controls import button, choice, whole_slider
from widgets.frame.race import ACTIVE, Race
from widgets.frame.race_panel import RacePanel
from workbench.continual.learning import StreamRecord
from workbench.experiments.experiment import Experiment
from workbench.experiments.streams import PERMUTED_FASHION, SPLIT_FASHION
from workbench.language import say
from workbench.serving import SPEED, Price
from workbench.training.runner import RunState

STREAMS: Mapping[str, Experiment] = {"pairs of clothes": SPLIT_FASHION, "permuted pixels": PERMUTED_FASHION}
MOST_TASKS = 5  # of a stream that a panel shows
_SAMPLES, _MACS = 5_000, 3 * (784 * 100 + 100 * 100 + 100 * 10)  # of a task; of a sample forwards and backwards
_BYTES = 100e6  # images of all tasks, and what the methods keep of them


class StreamPanel(RacePanel):
    """A panel with one run of a stream in a thread of its own. `run` is its records so far, `state_of_run` its state.

    `streams` are the streams to choose from, by their label.
    """

    def __init__(
        self,
        streams: Mapping[str, Experiment],
        controls: Mapping[str, Any],
        pictures: Sequence[Fig | Raster],
        state: Mapping[str, Any],
    ) -> None:
        self.settings_of_run: dict[str, Any] | None = None
        self._as_recorded = streams is STREAMS
        run = _run_controls(streams)
        buttons = {name: run.pop(name) for name in ("start", "pause", "stop")}
        super().__init__({**run, **controls, **buttons}, pictures, state)

    @property
    def as_recorded(self) -> bool:
        return self._as_recorded

    @abstractmethod
    def records(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """The generator of a run with these settings; called and run in the thread of the run."""

    def price(self) -> Price:
        samples = self.values["tasks"] * self.values["epochs"] * _SAMPLES
        return Price(samples * _MACS / SPEED, _BYTES)

    def start(self) -> None:
        """Learn the stream anew with the present settings; a run that is still going is stopped."""
        self.stop()
        self.settings_of_run = self.values
        self.race = Race([partial(self._prepared, self.settings_of_run)], self.redraw)
        self.redraw()

    @property
    def run(self) -> list[Any]:
        """What the run gave so far."""
        return [] if self.race is None else list(self.race.records[0])

    @property
    def state_of_run(self) -> RunState:
        """Where the run stands; idle before the first."""
        return RunState.IDLE if self.race is None else self.race.states[0]

    def show_buttons(self) -> None:
        """Enable what can be used in the present state."""
        settings = ("stream", "tasks", "epochs", "seed", "method", "aperture")
        state = self.state_of_run
        self.show_run(state in ACTIVE, state is RunState.PAUSED, [name for name in settings if name in self.controls])

    def progress(self, what: str) -> str:
        """Where the run stands, in words; `what` is told before the first run."""
        settings = self.settings_of_run
        if self.race is None or settings is None:
            return say("Not started: Start {what}.", what=what)
        error = self.race.runners[0].error
        if error is not None:
            return say("The run came to an error: {error}", error=error or type(error).__name__)
        steps = [item for item in self.run if isinstance(item, StreamRecord)]
        if not steps:
            stopped = self.state_of_run is RunState.STOPPED
            return say("Stopped before the first batch.") if stopped else say("Preparing the first batch.")
        return say(
            "{state}: task {task} of {tasks}, epoch {epoch} of {epochs}, loss {loss:.2f}.",
            state=say(self.state_of_run.value.capitalize()),
            task=steps[-1].task + 1,
            tasks=settings["tasks"],
            epoch=steps[-1].epoch + 1,
            epochs=settings["epochs"],
            loss=steps[-1].loss,
        )

    def changed_since(self, *names: str) -> str:
        """A sentence when one of these settings is not that of the run any more."""
        settings = self.settings_of_run
        changed = settings is not None and any(settings[name] != self.values[name] for name in names)
        return say(" The settings were changed since; Start uses the new ones.") if changed else ""

    def _prepared(self, settings: dict[str, Any]) -> Iterator[Any]:
        torch.set_num_threads(1)
        return self.records(**settings)


def _run_controls(streams: Mapping[str, Experiment]) -> dict[str, Any]:
    return {
        "stream": choice("stream", streams, "which tasks follow one another: Fashion-MNIST, cut up in two ways"),
        "tasks": whole_slider("tasks T", MOST_TASKS, 2, MOST_TASKS, "how many tasks are learned in turn"),
        "epochs": whole_slider("epochs per task", 3, 1, 10, "how often the images of each task are seen"),
        "seed": whole_slider("seed", 0, 0, 20, "fixes first weights, orders of pixels and of samples"),
        "start": button("Start", "learn the tasks in turn from new weights", "play"),
        "pause": button("Pause", "hold after this batch, or go on", "pause"),
        "stop": button("Stop", "end the run and keep what it found", "stop"),
    }
