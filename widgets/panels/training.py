"""`TrainingMonitor`: two learning rules train the same network side by side while you watch."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch

from widgets.drawing.figure import Fig
from widgets.drawing.rows import bars, curve, dots, stacked_rows
from widgets.drawing.rule_look import rule_label, rule_line
from widgets.drawing.theme import line, marker
from widgets.frame.controls import button, choice, whole_slider
from widgets.frame.player import Player
from widgets.frame.race import ACTIVE, Race
from widgets.frame.race_panel import RacePanel
from widgets.lessons.training import TRAINING
from widgets.panels.training_film import (
    CURVES,
    FILM,
    PERIOD,
    PLACE,
    Projected,
    draw_film,
    film_pictures,
    told_film,
)
from workbench.experiments import named
from workbench.experiments.experiment import Experiment, prepare
from workbench.experiments.named import FASHION_EVENTS
from workbench.experiments.overrides import vary
from workbench.kernels.choice import Loops, current_loops
from workbench.kernels.warm_up import WarmUp
from workbench.language import say
from workbench.serving import Price
from workbench.training.runner import RunState
from workbench.training.score import ACCURACY, Score
from workbench.training.setting import Plan
from workbench.watch.curves import Curves, learning_curves
from workbench.watch.filming import FRAMES, Frame, Scene, Shot, filmed, sample_of, take

RATES: dict[str, float | None] = {
    "as in the experiment": None,
    "0.0001": 1e-4,
    "0.001": 1e-3,
    "0.01": 1e-2,
    "0.1": 0.1,
    "1 (too high)": 1.0,
}


SHOWN_ONLY = ("view", "frame")  # settings that a run does not depend on
CLASSES, SECONDS_A_SAMPLE, BYTES = 10, 1e-3, 200e6  # of the experiments shown here, on one busy core


class Side(NamedTuple):
    """One rule: its name, where its run stands, what went wrong (or nothing), and its curves so far."""

    rule: str
    state: RunState
    error: str
    curves: Curves


class Comparison(NamedTuple):
    """Both rules, the settings of their run (None before the first), whether it started before the compiled loops were
    ready, and the film (None where it is not in view)."""

    sides: tuple[Side, Side]
    settings: Mapping[str, Any] | None
    early: bool = False
    film: Projected | None = None


class TrainingMonitor(RacePanel):
    """Loss, accuracy, spike rates and kept bytes of two rules of an experiment, live, with start, pause and stop; and a
    film of what both networks make of one held-out sample while they learn.

    `experiment` gives data, network and rules; `samples` is how many training samples of each class there are.
    Controls: view, left, right, epochs, frame (of the film), seed, learning_rate, per_class, sample (the one that is
    filmed), and the buttons start, pause, stop and play. In the hand: the mark of the frame.
    """

    name = "training"
    title = "Training"
    lesson = TRAINING

    def __init__(self, experiment: Experiment = FASHION_EVENTS, samples: int = 500, **state: Any) -> None:
        self.experiment = experiment
        self._settings_of_race: dict[str, Any] | None = None
        self._early = False
        self.compiling = WarmUp()  # now, so that nobody waits for it who presses Start
        self.learning, self.rates, self.bytes = (
            _learning_figure(self.experiment.score),
            _rates_figure(),
            _bytes_figure(),
        )
        self.film = film_pictures()
        self._untrained: tuple[tuple, tuple[Scene, Frame] | None] = ((), None)
        controls = _controls(experiment, samples)
        self.player = Player(controls["frame"], controls["play"], lambda: PERIOD)
        super().__init__(controls, [self.learning, self.rates, self.bytes, *self.film], state)

    @property
    def as_recorded(self) -> bool:
        return self.experiment is FASHION_EVENTS

    @property
    def named_figures(self) -> dict[str, Fig]:
        """Only curves are recorded."""
        return {figure.subject: figure for figure in (self.learning, self.rates, self.bytes)}

    def remark(self) -> str:
        return super().remark() if self.values["view"] == CURVES else ""

    def price(self) -> Price:
        classes = CLASSES if self.experiment.score == ACCURACY else 1  # else `per_class` counts all samples
        samples = 2 * self.values["epochs"] * (self.experiment.tasks or 1) * classes * self.values["per_class"]
        return Price(samples * SECONDS_A_SAMPLE, BYTES)

    def start(self) -> None:
        """Train both rules anew with the present settings; a run that is still going is stopped."""
        self.stop()
        settings = self._run_settings
        rest = {name: value for name, value in settings.items() if name not in ("left", "right")}
        loops = self.compiling.loops()  # for both rules, to the end of their runs
        rest["per_class"] = self._fewer(settings["per_class"])
        makes = [partial(_begin, self.experiment, settings[side], loops, **rest) for side in ("left", "right")]
        self._early = loops is not current_loops()
        self._settings_of_race = settings
        self.race = Race(makes, self.redraw)
        self.redraw()

    @property
    def _run_settings(self) -> dict[str, Any]:
        return {name: value for name, value in self.values.items() if name not in SHOWN_ONLY}

    def _fewer(self, per_class: int) -> int | None:
        """None for all samples: an experiment of one's own may have fewer of a class than the slider says."""
        return None if per_class == self.controls["per_class"].max else per_class

    def compute(self, view: str, left: str, right: str, epochs: int, frame: int, **_: Any) -> Comparison:
        race, settings = self.race, self._settings_of_race
        film = self._projected(frame) if view == FILM else None
        if race is None or settings is None:
            empty = learning_curves([], epochs)
            sides = (Side(left, RunState.IDLE, "", empty), Side(right, RunState.IDLE, "", empty))
            return Comparison(sides, None, film=film)
        first, second = (
            Side(settings[name], state, _words(runner.error), learning_curves(_records(shots), settings["epochs"]))
            for name, state, runner, shots in zip(
                ("left", "right"), race.states, race.runners, race.records, strict=True
            )
        )
        return Comparison((first, second), settings, self._early, film)

    def _projected(self, at: int) -> Projected:
        """What the film shows; before a run, and until its first step, the network that has not learned anything."""
        settings = self._settings_of_race or self.values
        asked = settings["left"], settings["seed"], settings["sample"]
        if self._untrained[0] != asked:
            self._untrained = asked, _first_frame(self.experiment, *asked)
        first = self._untrained[1]
        if first is None:
            return Projected(None, ((), ()), at)
        taken = (
            [[]] * 2
            if self.race is None
            else [[f for shot in list(shots) for f in shot.frames] for shots in self.race.records]
        )
        left, right = (frames or [first[1]] for frames in taken)
        return Projected(first[0], (left, right), at)

    def draw(self, numbers: Comparison) -> None:
        for k, side in enumerate(numbers.sides):
            scale = self.experiment.score.scale
            _draw_side(self.learning.data[4 * k : 4 * k + 4], self.rates.data[k], self.bytes.data[k], k, side, scale)
        self.rates.layout.xaxis.update(_places(self._layers(numbers)))
        epochs = (numbers.settings or self.values)["epochs"]
        self.learning.layout.xaxis.range = [0, 1.02 * epochs]
        self._show_view(numbers.film)
        if numbers.film is not None:
            draw_film(self.film, numbers.film, _rules(numbers), epochs)
        states = {side.state for side in numbers.sides}
        settings = [name for name in self.controls if name not in ("pause", "stop", "play", *SHOWN_ONLY)]
        self.show_run(bool(states & set(ACTIVE)), RunState.PAUSED in states, settings)

    def _show_view(self, film: Projected | None) -> None:
        self.place(TRAINING.place if film is None else PLACE)  # type: ignore[arg-type]
        for name in ("frame", "play"):
            self.controls[name].layout.display = "none" if film is None else ""
        self.controls["epochs"].layout.display = "" if film is None else "none"

    def _layers(self, numbers: Comparison) -> list[str]:
        """The layers that spike, by number from the input on; before a run those of the recorded one."""
        count = len(numbers.sides[0].curves.spike_rates)
        if not count and self._recorded is not None:
            count = len(self._recorded["traces"][self.rates.subject][0]["y"])
        return [say(f"layer {k}") for k in range(1, count + 1)]

    def describe(self, numbers: Comparison) -> str:
        if numbers.film is None:
            return self._told(numbers)
        epochs = (numbers.settings or self.values)["epochs"]
        return f"{told_film(numbers.film, _rules(numbers), epochs)} {self._told(numbers)}"

    def _told(self, numbers: Comparison) -> str:
        if numbers.settings is None:
            left, right = (say(rule_label(side.rule)) for side in numbers.sides)
            told = say(
                "Not started: Start trains {left} (left) and {right} (right) from the same weights on the same "
                "batches.",
                left=left,
                right=right,
            )
            return f"{told} {say(self.experiment.summary)}."
        told = " ".join(
            _progress(side, where, self.experiment.score)
            for side, where in zip(numbers.sides, ("left", "right"), strict=True)
        )
        if numbers.early:
            told += say(" It started before the compiled loops were ready and takes the plain ones.")
        if numbers.settings != self._run_settings:
            told += say(" The settings were changed since; Start trains with the new ones.")
        return told

    def source(
        self,
        left: str,
        right: str,
        epochs: int,
        seed: int,
        learning_rate: str,
        per_class: int,
        sample: int,
        **_: Any,
    ) -> str:
        rate = RATES[learning_rate]
        plan = f"seed={seed}, epochs={epochs}" + ', loops="plain"' * self._early
        name, known = self.experiment.name, self.experiment.name in named.EXPERIMENTS
        chosen = f'experiment("{name}")' if known else f"...  # {say('your own Experiment')}, '{name}'"
        return f"""
            import torch
            from workbench.experiments import experiment, prepare, vary
            from workbench.training import Plan
            from workbench.watch import filmed, learning_curves

            torch.set_num_threads(1)
            chosen = {chosen}
            setting = vary(chosen, learning_rate={rate}, per_class={self._fewer(per_class)})
            curves, frames = {{}}, {{}}
            for side, rule in (("left", "{left}"), ("right", "{right}")):
                shots = list(filmed(prepare(setting, rule, seed={seed}), Plan({plan}), number={sample}))
                curves[side] = learning_curves([shot.record for shot in shots], epochs={epochs})
                frames[side] = [frame for shot in shots for frame in shot.frames]
                print(rule, "held-out {self.experiment.score.label} after each epoch:", curves[side].held_out_score)
        """


def _begin(
    experiment: Experiment,
    rule: str,
    loops: Loops,
    epochs: int,
    seed: int,
    learning_rate: str,
    per_class: int | None,
    sample: int,
) -> Iterator[Shot]:
    """Prepare a run in its own thread, on one core."""
    torch.set_num_threads(1)
    setting = prepare(vary(experiment, RATES[learning_rate], per_class), rule, seed)
    return filmed(setting, Plan(epochs, seed, loops), sample)


def _first_frame(experiment: Experiment, rule: str, seed: int, sample: int) -> tuple[Scene, Frame] | None:
    """The sample, and what the network makes of it before it learns: the same under every rule."""
    setting = prepare(experiment, rule, seed)
    scene = sample_of(setting, sample)
    return None if scene is None else (scene, take(setting, scene, 0.0))


def _records(shots: Sequence[Shot]) -> list[Any]:
    return [shot.record for shot in list(shots)]


def _rules(numbers: Comparison) -> tuple[str, str]:
    left, right = numbers.sides
    return left.rule, right.rule


def _controls(experiment: Experiment, samples: int) -> dict:
    rules = {rule_label(name): name for name in experiment.rules}
    first = next(iter(rules))
    last = rule_label("bptt") if "bptt" in experiment.rules else list(rules)[-1]
    step = max(samples // 10, 1)
    few = "training samples of each class; fewer train faster and worse"
    which = "samples per class"
    if experiment.score != ACCURACY:  # there are no classes
        few, which = "training samples; fewer train faster and worse", "samples"
    return {
        "view": choice(
            "view", {CURVES: CURVES, FILM: FILM}, "the curves, or a film of what both networks make of a sample"
        ),
        "left": choice("left rule", rules, "how the left network learns", first),
        "right": choice("right rule", rules, "how the right network learns", last),
        "epochs": whole_slider("epochs", experiment.epochs, 1, 10, "how often all training samples are seen"),
        "frame": whole_slider("frame", FRAMES, 0, FRAMES, "how far the film has come: 0 is before learning"),
        "seed": whole_slider("seed", 0, 0, 20, "fixes the first weights and the order of the samples"),
        "learning_rate": choice(
            "learning rate η", {label: label for label in RATES}, "how large a step the optimiser takes"
        ),
        "per_class": whole_slider(which, samples, step, samples, few, step),
        "sample": whole_slider("sample", 0, 0, 49, "which held-out sample is filmed"),
        "start": button("Start", "train both rules from new weights", "play"),
        "pause": button("Pause", "hold after this batch, or go on", "pause"),
        "stop": button("Stop", "end the run and keep its curves", "stop"),
        "play": button("Play", "show the film frame by frame, or hold", "play"),
    }


def _learning_figure(score: Score) -> Fig:
    traces = [trace for k in (0, 1) for trace in _curves_of_side(k, score)]
    label, unit = say(score.label), say(score.unit)
    layout = stacked_rows([f"{label} ({unit})", score.loss_label], [1.3, 1], "epochs")
    layout["yaxis"]["rangemode"] = layout["yaxis2"]["rangemode"] = "tozero"
    if score.limit is not None:
        layout["yaxis"]["range"] = [0, 1.01 * score.scale * score.limit]
    alt = f"Loss and {score.label} of both rules while they train, and on held-out samples after each epoch"
    return Fig(traces, {**layout, "height": 440}, alt=alt)


def _curves_of_side(k: int, score: Score) -> list[dict]:
    """Loss and score in training, then both on held-out samples: dash and marker of the side, colour of the rule."""
    large = {**marker(k), "size": 11}
    loss, judged = say("loss %{y:.3f}"), f"{say(score.label)} %{{y:.{score.digits}f}} {say(score.unit)}"
    return [
        curve("", line(k), say("{score} in training", score=loss), 1),
        curve("", line(k), say("{score} in training", score=judged), showlegend=False),
        dots("", large, say("{score} on held-out samples", score=loss), 1),
        dots("", large, say("{score} on held-out samples", score=judged), showlegend=False),
    ]


def _rates_figure() -> Fig:
    layout = {
        "height": 240,
        "yaxis": {"title": {"text": "spikes per step"}, "rangemode": "tozero"},
        "hovermode": "closest",
    }
    alt = "Mean spikes per neuron and step in each layer, for both rules"
    return Fig([_bars(k, "%{text} spikes per neuron and step") for k in (0, 1)], layout, alt=alt)


def _bytes_figure() -> Fig:
    kinds = ["kept for<br>the gradient", "carried from<br>step to step"]
    layout = {
        "height": 240,
        "xaxis": _places(kinds),
        "yaxis": {"title": {"text": "bytes"}, "rangemode": "tozero", "exponentformat": "SI"},
        "hovermode": "closest",
    }
    return Fig([_bars(k, "%{text}") for k in (0, 1)], layout, alt="Bytes that each rule keeps while it trains")


def _bars(k: int, hover: str) -> dict:
    """Bars of one side; those of the right are hatched. The colour is that of the rule."""
    style = {"color": line(k)["color"], "pattern": {"shape": ("", "/")[k]}}
    return bars("", "", hover, marker=style, width=0.8, textposition="outside", constraintext="none", cliponaxis=False)


def _places(names: Sequence[str]) -> dict:
    """An axis with a name under each pair of bars."""
    return {"tickvals": [3 * k + 0.5 for k in range(len(names))], "ticktext": list(names)}


def _draw_side(learning: Sequence[Any], rates: Any, kept: Any, k: int, side: Side, scale: float) -> None:
    where, curves = ("left", "right")[k], side.curves
    loss, score, held_out_loss, held_out_score = learning
    colour = rule_line(side.rule)["color"]
    loss.line.color = score.line.color = colour
    for trace in (held_out_loss, held_out_score, rates, kept):
        trace.marker.color = colour
    name = f"{say(where)}: {say(rule_label(side.rule))}"
    loss.update(name=name, x=curves.epochs, y=curves.loss)
    score.update(name=name, x=curves.epochs, y=scale * curves.score)
    held_out = say(f"{where}, held-out")
    held_out_loss.update(name=held_out, x=curves.held_out_epochs, y=curves.held_out_loss)
    held_out_score.update(name=held_out, x=curves.held_out_epochs, y=scale * curves.held_out_score)
    spikes = list(curves.spike_rates.values())
    rates.update(name=name, x=[3 * n + k for n in range(len(spikes))], y=spikes, text=[f"{y:.2f}" for y in spikes])
    sizes = [curves.saved_bytes, curves.state_bytes] if curves.saved_bytes else []
    kept.update(name=name, x=[k, 3 + k][: len(sizes)], y=sizes, text=[_size(size) for size in sizes])


def _progress(side: Side, where: str, score: Score) -> str:
    """Where one run stands, in words."""
    curves, label = side.curves, f"{say(rule_label(side.rule))} ({say(where)})"
    if side.error:
        return say("{name} came to an error: {error}", name=label, error=side.error)
    if not len(curves.epochs):
        stopped = side.state is RunState.STOPPED
        told = say("{name}: stopped before the first batch.") if stopped else say("{name}: preparing the first batch.")
        return told.format(name=label)
    told = say(
        "{name} {state} at epoch {epoch:.1f}: loss {loss:.2f}",
        name=label,
        state=say(side.state.value),
        epoch=curves.epochs[-1],
        loss=curves.loss[-1],
    )
    if len(curves.held_out_score):
        told += f", {say(score.told).format(score.words(curves.held_out_score[-1]))}"
    saved, carried = _size(curves.saved_bytes), _size(curves.state_bytes)
    return told + say(", {saved} kept for the gradient, {carried} carried.", saved=saved, carried=carried)


def _words(error: BaseException | None) -> str:
    return "" if error is None else str(error) or type(error).__name__


def _size(count: int) -> str:
    """Bytes as kB or MB."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"
