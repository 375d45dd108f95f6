"""`SynchronizationBasis`: the waves of LLS, one per class, and how the blocks of a network fall in step with them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from widgets.drawing.figure import Fig
from widgets.drawing.twin import Twin
from widgets.frame.race import ACTIVE, Race
from widgets.frame.race_panel import RacePanel
from widgets.lessons.basis import BASIS
from widgets.panels.basis_pictures import (
    BLOCKS,
    COLUMNS,
    IDLE,
    PLACES,
    SAMPLE_VIEW,
    TRAINING_VIEW,
    WAVES,
    WAVES_VIEW,
    basis_controls,
    blocks_figure,
    cosines_figure,
    course_figure,
    rows_figure,
    sample_figure,
    waves_figure,
)
from workbench.credit import bases
from workbench.experiments.lls import BLOCK_RULES, BlockRule, lls_fashion
from workbench.language import language, say
from workbench.rules.lls import local_head
from workbench.serving import Price
from workbench.training.runner import RunState
from workbench.training.setting import Setting
from workbench.watch.synchronization import Examined, Look, Taught, judge_basis, leads, teach, watch

MOVING = ("waveform", "classes", "phase", "label", "share")  # what the browser follows by itself with one sample
MAKING = ("waveform", "classes", "latents", "phase", "label", "share")  # and with the waves
HELD = ("waveform", "phase", "epochs", "seed")  # the settings that a training run has


IMAGES, SECONDS_AN_IMAGE, BYTES = 5_000, 1e-3, 200e6  # of the small network that is trained, on one busy core


class Sight(NamedTuple):
    """View, basis, its aliased frequencies, one sample with its share (None without rows), the training run so far."""

    view: str
    basis: Examined
    frequencies: Tensor
    label: int
    share: float
    lesson: Taught | None
    looks: Sequence[Look]
    state: RunState
    error: str


class SynchronizationBasis(RacePanel):
    """Three views: the rows of a basis with their cosines and frequencies, what one sample learns, and training.

    `prepare` makes the network to train for a rule and a seed. Controls: view, waveform, classes, latents, phase,
    label, share, epochs, seed, and the buttons start, pause and stop.
    """

    name = "basis"
    title = "Basis"
    lesson = BASIS

    def __init__(self, prepare: Callable[[BlockRule, int], Setting] = lls_fashion, **state: Any) -> None:
        self.prepare = prepare
        self._of_race: dict[str, Any] = {}
        self._drawn: Examined | None = None
        self.waves, self.rows, self.cosines = waves_figure(), rows_figure(), cosines_figure()
        self.sample, self.blocks, self.course = sample_figure(), blocks_figure(), course_figure()
        self.sample.twin = Twin("basisSample", MOVING)
        for figure, function in ((self.waves, "basisWaves"), (self.rows, "basisRows"), (self.cosines, "basisCosines")):
            figure.twin = Twin(function, MAKING)
        controls = basis_controls()
        pictures = [self.waves, self.rows, self.cosines, self.sample, self.blocks, self.course]
        super().__init__(controls, pictures, state)

    def price(self) -> Price:
        return Price(self.values["epochs"] * IMAGES * SECONDS_AN_IMAGE, BYTES)

    def start(self) -> None:
        """Train a small network anew with the present waveform and phase, in view; a run still going is stopped."""
        self.stop()
        self.controls["view"].value = TRAINING_VIEW
        self._of_race = {name: self.values[name] for name in HELD}
        self.race = Race([partial(_begin, self.prepare, **self._of_race)], self.redraw)
        self.redraw()

    @property
    def as_recorded(self) -> bool:
        return self.prepare is lls_fashion

    @property
    def named_figures(self) -> dict[str, Fig]:
        """Those that a run fills."""
        return {figure.subject: figure for figure in (self.blocks, self.course)}

    def limits(self, state: Mapping[str, Any]) -> Mapping[str, tuple[float, float]]:
        return {"label": (0, int(state["classes"]) - 1)}

    def remark(self) -> str:
        return super().remark() if self.values["view"] == TRAINING_VIEW else ""

    def compute(
        self, view: str, waveform: str, classes: int, latents: int, phase: float, label: int, share: float, **_: Any
    ) -> Sight:
        basis = _examined(waveform, classes, latents, phase, language())
        lesson = teach(basis.rows, label, share) if len(basis.rows) else None
        frequencies = _frequencies(waveform, classes, latents) if lesson else torch.zeros(0)
        race = self.race
        if race is None:
            return Sight(view, basis, frequencies, label, share, lesson, [], RunState.IDLE, "")
        error = "" if race.runners[0].error is None else str(race.runners[0].error)
        return Sight(view, basis, frequencies, label, share, lesson, list(race.records[0]), race.states[0], error)

    def draw(self, numbers: Sight) -> None:
        self.place(PLACES[numbers.view])
        for name, control in self.controls.items():
            control.layout.display = "none" if name in IDLE[numbers.view] else ""
        if numbers.view == WAVES_VIEW:
            self._draw_waves(numbers)
        elif numbers.view == SAMPLE_VIEW:
            self._draw_sample(numbers)
        self._draw_training(numbers)

    def describe(self, numbers: Sight) -> str:
        if numbers.view != TRAINING_VIEW:
            return _told_basis(numbers) if numbers.view == WAVES_VIEW else _told_sample(numbers)
        told = _told_training(numbers)
        if numbers.state is not RunState.IDLE and self._of_race != {name: self.values[name] for name in HELD}:
            told += say(" The settings were changed since; Start trains with the new ones.")
        return told

    def source(
        self,
        view: str,
        waveform: str,
        classes: int,
        latents: int,
        phase: float,
        label: int,
        share: float,
        epochs: int,
        seed: int,
    ) -> str:
        wave = f"bases.{WAVES[waveform]}" + ("" if waveform == "DCT" else f", phase={phase}")
        frequencies = "dct_frequencies(classes, latents)" if waveform == "DCT" else "released_frequencies(classes)"
        trains = say("{code} trains the network: how far each block is in step", code="leads(list(training()))[-1]")
        return f"""
            from functools import partial
            from workbench.credit import bases
            from workbench.experiments import BLOCK_RULES, lls_fashion
            from workbench.rules import local_head
            from workbench.watch import judge_basis, leads, teach, watch

            classes, latents = {classes}, {latents}
            wave = partial({wave})
            basis = judge_basis(wave, classes, latents)
            print("closest rows:", basis.closest, basis.words)
            if len(basis.rows):
                frequencies = bases.aliased(bases.{frequencies})
                lesson = teach(basis.rows, label={label}, share={share})
                print("probability of the sample's class:", lesson.probability)

            def training():
                rule = BLOCK_RULES["lls"]._replace(head=partial(local_head, basis=wave))
                return watch(lls_fashion(rule, seed={seed}), epochs={epochs}, seed={seed})

            # {trains}
        """

    def _draw_waves(self, numbers: Sight) -> None:
        basis = numbers.basis
        shown = [numbers.label, basis.closest.first, basis.closest.second]
        for trace, row, axis in zip(self.waves.data, shown, ("yaxis", "yaxis2", "yaxis3"), strict=True):
            trace.y = basis.rows[row].numpy() if len(basis.rows) else []
            self.waves.layout[axis].title.text = say("class {number}", number=row)
        if basis is not self._drawn:
            self._draw_basis(basis, numbers.frequencies)
            self._drawn = basis

    def _draw_basis(self, basis: Examined, frequencies: Tensor) -> None:
        _show_heat(self.rows.data[0], basis.rows[:, :COLUMNS])
        cosines, _, points, closest = self.cosines.data
        _show_heat(cosines, basis.cosines)
        points.update(**_on_circle(frequencies), customdata=np.stack([np.arange(len(frequencies)), frequencies], 1))
        pair = [basis.closest.first, basis.closest.second] if len(frequencies) else []
        closest.update(**_on_circle(frequencies[pair]), customdata=np.array(pair))

    def _draw_sample(self, numbers: Sight) -> None:
        self.sample.given = {"noise": _noise(numbers.basis.rows.shape[1])}
        direction, push, row = self.sample.data
        if numbers.lesson is None:
            for trace in self.sample.data:
                trace.y = []
            return
        direction.y = numbers.lesson.direction.numpy()
        push.y = numbers.lesson.push.numpy()
        row.y = torch.nn.functional.normalize(numbers.basis.rows[numbers.label], dim=0).numpy()

    def _draw_training(self, numbers: Sight) -> None:
        steps = [look.record.step + 1 for look in numbers.looks]
        heights = leads(numbers.looks).T.numpy() if steps else np.zeros((BLOCKS, 0))
        for k, (trace, picture) in enumerate(zip(self.course.data, self.blocks.data, strict=True)):
            trace.update(x=steps, y=heights[k], visible=bool(steps))
            _show_heat(picture, numbers.looks[-1].synchrony[k] if steps else torch.zeros(0))
        self.show_run(numbers.state in ACTIVE, numbers.state is RunState.PAUSED, HELD)


def _wave(waveform: str, phase: float) -> bases.Basis:
    waves = {"square": bases.square, "sine": bases.sine, "cosine": bases.cosine}
    return bases.dct if waveform == "DCT" else partial(waves[waveform], phase=phase)


@lru_cache(maxsize=4)
def _examined(waveform: str, classes: int, latents: int, phase: float, lang: str) -> Examined:
    """Kept, because a training run redraws with the same basis again and again; its words are in a language."""
    return judge_basis(_wave(waveform, phase), classes, latents)


@lru_cache(maxsize=4)
def _noise(latents: int) -> list[float]:
    """The rest of the sample, of norm 1: what is left of it where it is not in step at all."""
    return teach(torch.ones(1, latents).double(), label=0, share=0.0).direction.tolist()


def _frequencies(waveform: str, classes: int, latents: int) -> Tensor:
    if waveform == "DCT":
        return bases.aliased(bases.dct_frequencies(classes, latents))
    return bases.aliased(bases.released_frequencies(classes))


def _begin(
    prepare: Callable[[BlockRule, int], Setting], waveform: str, phase: float, epochs: int, seed: int
) -> Iterator[Look]:
    """Prepare a run in its own thread, on one core."""
    torch.set_num_threads(1)
    rule = BLOCK_RULES["lls"]._replace(head=partial(local_head, basis=_wave(waveform, phase)))
    return watch(prepare(rule, seed), epochs, seed)


def _show_heat(trace: Any, values: Tensor) -> None:
    trace.update(visible=bool(len(values)), **({"z": values.float().numpy()} if len(values) else {}))


def _on_circle(frequencies: Tensor) -> dict:
    return {"x": frequencies.cos().numpy(), "y": frequencies.sin().numpy()}


def _told_basis(numbers: Sight) -> str:
    basis = numbers.basis
    if not len(basis.rows):
        return say("There is no such basis: {reason}.", reason=basis.words)
    value, first, second = basis.closest
    told = say(
        "The closest of {count} rows are those of classes {first} and {second}: |cosine| {value:.3f}.",
        count=len(basis.rows),
        first=first,
        second=second,
        value=value,
    )
    if not basis.words:
        return f"{told} {say('The classes can be told apart.')}"
    return f"{told} {say('LLS refuses this basis') if basis.refused else say('LLS warns')}: {basis.words}."


def _told_sample(numbers: Sight) -> str:
    if numbers.lesson is None:
        return _told_basis(numbers)
    share, probability = numbers.share, numbers.lesson.probability
    dead = int((numbers.basis.rows.abs().amax(0) < 1e-9).sum())
    silent = say(" {dead} of the latents can tell no class from another: its column is 0.", dead=dead) if dead else ""
    push = float(numbers.lesson.push.abs().max())
    if probability > 0.99:
        what = say("nothing is left to learn")
    else:
        what = say("each latent is pushed by up to {push:.2g}", push=push)
    told = say(
        "The sample of class {label}, in step with its wave by {share:.2f}, is taken for its class with probability "
        "{probability:.2f}: {what}.",
        label=numbers.label,
        share=share,
        probability=probability,
        what=what,
    )
    return f"{told}{silent}"


def _told_training(numbers: Sight) -> str:
    if numbers.error:
        return say("Training came to an error: {error}", error=numbers.error)
    if numbers.state is RunState.IDLE:
        return say("Not trained: Start trains four blocks on Fashion-MNIST.")
    if not numbers.looks:
        stopped = numbers.state is RunState.STOPPED
        return (
            say("Training was stopped before the first batch.")
            if stopped
            else say("Training prepares the first batch.")
        )
    record = numbers.looks[-1].record
    values = ", ".join(f"{value:.2f}" for value in leads(numbers.looks[-1:])[0].tolist())
    held_out = [look.record.held_out_score for look in numbers.looks if look.record.held_out_score is not None]
    told = say(
        "Training {state} at step {step} of {steps}: blocks 1 to 4 are closer to the wave of their own class by "
        "{values}.",
        state=say(numbers.state.value),
        step=record.step + 1,
        steps=record.steps,
        values=values,
    )
    return told + (say(" {share:.1f} % of held-out images right.", share=100 * held_out[-1]) if held_out else "")
