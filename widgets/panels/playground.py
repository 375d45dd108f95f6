"""`Playground`: one answer to each of the four questions, and a small spiking network that learns with it."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
import torch

from widgets.drawing.figure import Fig
from widgets.drawing.rule_look import place, rule_label
from widgets.frame.controls import button, choice, text_field, whole_slider
from widgets.frame.race import ACTIVE, Race
from widgets.frame.race_panel import RacePanel
from widgets.lessons.playground import PLAYGROUND
from widgets.panels.playground_pictures import (
    LANES,
    NAMES,
    OF_LANE,
    answer_figure,
    curves_figure,
    film_raster,
    filmstrip,
    input_spikes,
    inputs_raster,
    lane_line,
    layer_raster,
    matrix_raster,
    shades,
    short_names,
    spikes_over_time,
    tiles_raster,
    weight_tiles,
)
from workbench.background import stand_behind, start_thread
from workbench.cost.mixes import MixCost, mix_cost
from workbench.language import say
from workbench.mixes import ALL, ANYWHERE, AXES, NAMED, Mix, mix_named, refusal
from workbench.serving import SPEED, Price
from workbench.training.runner import RunState
from workbench.watch.curves import running_mean
from workbench.watch.playground import (
    AT_ONCE,
    INPUTS,
    STEPS,
    WIDTH,
    Film,
    Moment,
    Seen,
    film,
    get_ready,
    play,
    play_network,
    play_sizes,
    see,
)

QUESTIONS = {
    "time": "what does a synapse remember?",
    "space": "who tells a layer what was wrong?",
    "memory": "what is kept until the gradient is made?",
    "direction": "where may the weights move when another task was learned before?",
}
VIEWS = {"the weights": False, "what learning changed": True}
SAMPLES, BATCHES = 400, 26  # in an epoch
OVERHEAD, BYTES = 0.03, 150e6  # seconds of a batch beside its products; the recordings and what a run holds


class Lane(NamedTuple):
    """One mix: the name of its rule, if it has one, its cost by formula, where its run stands, and its moments."""

    mix: Mix
    rule: str | None
    cost: MixCost
    state: RunState = RunState.IDLE
    error: str = ""
    moments: Sequence[Moment] = ()

    @property
    def forgotten(self) -> float:
        """Points of accuracy on task 1 that were lost since it had been learned; 0 before."""
        tested = [moment for moment in self.moments if moment.accuracies is not None]
        learned = [moment.accuracies[0] for moment in tested if moment.task == 0 and moment.accuracies]
        now = [moment.accuracies[0] for moment in tested if moment.accuracies]
        return 100 * (learned[-1] - now[-1]) if learned else 0.0


class Playing(NamedTuple):
    """What is shown: the chosen mix first, then those it runs against.

    refused: why nothing can start, or nothing. in_turn: two tasks one after the other. run: whether the lanes are those
    of a run, with these settings. first: what the network made of the film before it learned; seen: what it makes of it
    now.
    """

    lanes: tuple[Lane, ...]
    refused: str
    in_turn: bool
    run: dict[str, Any] | None
    kind: int
    film: Film
    first: Seen
    seen: Seen

    @property
    def spread(self) -> float:
        """How many points of task 1 the most forgetful mix lost beyond the least forgetful; 0 before two have ended."""
        ended = [lane.forgotten for lane in self.lanes if lane.state is RunState.FINISHED]
        return max(ended) - min(ended) if self.in_turn and len(ended) > 1 else 0.0


class Playground(RacePanel):
    """Four answers, one network: event film, spikes of each layer, answer and weights, live; up to four mixes race.

    Controls: time, space, memory, direction; race (the mixes that run against the chosen one, in words), recording,
    weights, epochs, seed; the buttons start, pause, step, stop, add and clear.
    """

    name = "playground"
    title = "Playground"
    lesson = PLAYGROUND

    def __init__(self, **state: Any) -> None:
        self.film, self.inputs, self.layers = film_raster(), inputs_raster(), [layer_raster(1), layer_raster(2)]
        self.answer, self.tiles, self.matrix, self.curves = (
            answer_figure(),
            tiles_raster(),
            matrix_raster(),
            curves_figure(),
        )
        self._settings_of_race: dict[str, Any] | None = None
        start_thread(_get_ready, lambda: None, "get ready")  # now, so that nobody waits for it who presses Start
        self._one_batch = False  # whether the next start holds after its first batch
        controls = _controls()
        for name, act in (("step", self.step), ("add", self.add), ("clear", self.clear)):
            controls[name].on_click(lambda _, act=act: act())
        pictures = [self.film, self.inputs, *self.layers, self.answer, self.tiles, self.matrix, self.curves]
        super().__init__(controls, pictures, state)

    def price(self) -> Price:
        settings = self.values
        mixes, _ = contestants(_chosen(settings), settings["race"])
        macs = sum(mix_cost(mix, play_sizes(), STEPS, at_once=AT_ONCE).cost.macs for mix in mixes)
        seconds = settings["epochs"] * (SAMPLES * 2 * macs / SPEED + BATCHES * OVERHEAD * len(mixes))
        return Price(seconds, BYTES)

    def start(self) -> None:
        """Train all mixes of the race anew from the same weights; a run that is still going is stopped."""
        settings = self.values
        mixes, refused = contestants(_chosen(settings), settings["race"])
        if refused:
            return
        self.stop()
        rest = {name: settings[name] for name in ("recording", "seed", "epochs")}
        makes = [partial(_begin, mix, _in_turn(mixes), **rest) for mix in mixes]
        self._settings_of_race = settings
        self.race = Race(makes, self.redraw, paused=self._one_batch)
        self.redraw()

    @property
    def named_figures(self) -> dict[str, Fig]:
        """Only curves are recorded and compared."""
        return {self.curves.subject: self.curves}

    def step(self) -> None:
        """One batch of every mix, and hold: from a hold the next, without a run the first of a new one."""
        if self.race is not None and any(state in ACTIVE for state in self.race.states):
            if RunState.PAUSED in self.race.states:
                self.race.step()
            else:
                self.pause()
            return
        self._one_batch = True
        try:
            self.controls["start"].click()
        finally:
            self._one_batch = False

    def add(self) -> None:
        """Let the chosen mix wait in the race while another is chosen."""
        waiting = _words(self.values["race"])
        chosen = short(_chosen(self.values))
        if chosen not in waiting and len(waiting) < LANES - 1:
            self.controls["race"].value = ", ".join([*waiting, chosen])

    def clear(self) -> None:
        """Nobody runs against the chosen mix any more."""
        self.controls["race"].value = ""

    def compute(self, race: str, recording: int, seed: int, **answers: Any) -> Playing:
        settings, running = self._settings_of_race, self.race
        mixes, refused = contestants(_chosen(answers), race)
        if running is None or settings is None:
            lanes, in_turn, kind = tuple(_lane(mix) for mix in mixes), _in_turn(mixes), recording
        else:
            ran, _ = contestants(_chosen(settings), settings["race"])
            in_turn, kind, seed = _in_turn(ran), settings["recording"], settings["seed"]
            lanes = tuple(
                _lane(mix)._replace(state=state, error=_told(runner.error), moments=list(records))
                for mix, state, runner, records in zip(
                    ran, running.states, running.runners, running.records, strict=True
                )
            )
        first = untrained(in_turn, seed, kind)
        seen = lanes[0].moments[-1].seen if lanes[0].moments else first
        return Playing(lanes, refused, in_turn, settings if running else None, kind, film(kind), first, seen)

    def draw(self, numbers: Playing) -> None:
        seen = numbers.seen
        self.film.show(filmstrip(numbers.film))
        self.inputs.show(input_spikes(numbers.film))
        for raster, spikes in zip(self.layers, seen.spikes, strict=True):
            raster.show(spikes_over_time(spikes))
        _draw_answer(self.answer, numbers)
        self._draw_weights(numbers)
        for k in range(LANES):
            lane = numbers.lanes[k] if k < len(numbers.lanes) else None
            _draw_lane(self.curves.data[OF_LANE * k : OF_LANE * (k + 1)], lane, k, numbers.in_turn)
        batches = max([moment.steps for lane in numbers.lanes for moment in lane.moments[:1]], default=100)
        for axis in (self.curves.layout.xaxis, self.curves.layout.xaxis2, self.curves.layout.xaxis3):
            axis.range = [0, batches]
        self._show_buttons(numbers)

    def _draw_weights(self, numbers: Playing) -> None:
        change = self.values["weights"]
        for draw, k, fan in ((self.tiles, 0, INPUTS), (self.matrix, 1, WIDTH)):
            weights = numbers.seen.weights[k] - numbers.first.weights[k] if change else numbers.seen.weights[k]
            scale = (1.5 if change else 3.0) / fan**0.5  # standardised weights have the deviation 1 / √fan
            draw.show(weight_tiles(weights, scale) if k == 0 else shades(weights, scale))

    def _show_buttons(self, numbers: Playing) -> None:
        states = {lane.state for lane in numbers.lanes}
        going, paused = bool(states & set(ACTIVE)), RunState.PAUSED in states
        free = ("weights", "pause", "step", "stop")
        self.show_run(going, paused, [name for name in self.controls if name not in free])
        refused, waiting = bool(numbers.refused), _words(self.values["race"])
        for name in ("start", "step"):
            self.controls[name].disabled = (going and name == "start") or (refused and not going)
        full = len(waiting) >= LANES - 1 or short(_chosen(self.values)) in waiting
        self.controls["add"].disabled = going or refused or full
        self.controls["clear"].disabled = going or not waiting

    def describe(self, numbers: Playing) -> str:
        if numbers.refused and not any(lane.state in ACTIVE for lane in numbers.lanes):
            return say("This cannot start: {reason}.", reason=numbers.refused)
        if numbers.run is None:
            return f"{_planned(numbers)} {_tasks(numbers.in_turn)}"
        told = " ".join(_progress(lane, numbers) for lane in numbers.lanes)
        relevant = {**self.values, "weights": numbers.run["weights"]}
        same = relevant == numbers.run
        changed = "" if same else say(" The choices were changed since; Start trains with the new ones.")
        return f"{told}{_verdict(numbers)}{changed}"

    def source(self, race: str, recording: int, seed: int, epochs: int, weights: bool, **answers: Any) -> str:
        mixes, refused = contestants(_chosen(answers), race)
        names = [short(mix) for mix in mixes] if not refused else [short(_chosen(answers))]
        return f"""
            import torch
            from workbench.mixes import mix_named, refusal
            from workbench.watch import play

            torch.set_num_threads(1)
            for name in {names}:
                mix = mix_named(name)
                reason = refusal(mix, "dense")
                if reason:
                    print(name, "cannot train this network:", reason)
                    continue
                moments = list(play(mix, in_turn={_in_turn(mixes)}, kind={recording}, seed={seed}, epochs={epochs}))
                print(name, "held-out accuracy of each task:", moments[-1].accuracies)
                print("bytes kept:", moments[-1].kept_bytes, "answer:", moments[-1].seen.scores)
        """


def contestants(chosen: Mix, race: str) -> tuple[list[Mix], str]:
    """The chosen mix and those it runs against, and why they cannot run; nothing where they can."""
    try:
        others = [mix_named(words) for words in _words(race)]
    except ValueError as error:
        return [chosen], say("in the race, {error}", error=error)
    mixes = [chosen, *(mix for mix in dict.fromkeys(map(str, others)) if mix != str(chosen))]
    found = [chosen, *(next(each for each in others if str(each) == name) for name in mixes[1:])]
    if len(found) > LANES:
        told = say("{most} mixes at most run side by side, and there are {count}", most=LANES, count=len(found))
        return found[:LANES], told
    for mix in found:
        reason = refusal(mix, "dense")
        if reason is not None:
            return found, say("{mix} cannot train this network: {reason}", mix=spoken(mix), reason=reason)
    return found, ""


@lru_cache(maxsize=32)
def untrained(in_turn: bool, seed: int, kind: int) -> Seen:
    """What the network makes of a recording before it has learned anything."""
    return see(play_network(in_turn, seed), film(kind).x, kind // 2 if in_turn else 0)


def short(mix: Mix) -> str:
    """The answers of a mix, without the usual ones at the end.

    >>> short(mix_named("traces+tess+all+anywhere")), short(mix_named("traces+tess+all+gpm"))
    ('traces+tess', 'traces+tess+all+gpm')
    """
    words = str(mix).split("+")
    usual = str(Mix()).split("+")
    while len(words) > 2 and words[-1] == usual[len(words) - 1]:
        words.pop()
    return "+".join(words)


def spoken(mix: Mix) -> str:
    """A mix as people say it: the rule that it is, or its time and space; then memory and direction, if not the usual.

    >>> spoken(mix_named("traces+tess+all+code-cl")), spoken(mix_named("eprop+tess"))
    ('TESS + CODE-CL', "e-prop's filtered eligibility + periodic basis (TESS)")
    """
    rule = rule_of(mix)
    first = [say(rule_label(rule))] if rule else [say(mix.time.label), say(mix.space.label)]
    more = [say(answer.label) for answer, usual in ((mix.memory, ALL), (mix.direction, ANYWHERE)) if answer != usual]
    return " + ".join([*first, *(re.sub(r".*\((.*)\).*", r"\1", label) for label in more)])


def rule_of(mix: Mix) -> str | None:
    """The name of the rule with this time and space, whose colour the mix has; None where there is none.

    >>> rule_of(mix_named("traces+tess+lance+gpm")), rule_of(mix_named("eprop+tess"))
    ('tess', None)
    """
    plain = str(mix._replace(memory=ALL, direction=ANYWHERE))
    return next((name for name, named in NAMED.items() if str(named) == plain and place(name) is not None), None)


def _lane(mix: Mix) -> Lane:
    return Lane(mix, rule_of(mix), mix_cost(mix, play_sizes(), STEPS, at_once=AT_ONCE))


def _chosen(values: dict[str, Any]) -> Mix:
    return mix_named("+".join(values[axis] for axis, _ in AXES))


def _in_turn(mixes: Sequence[Mix]) -> bool:
    """Whether tasks come one after the other: as soon as one of them has a direction."""
    return any(mix.direction != ANYWHERE for mix in mixes)


def _words(race: str) -> list[str]:
    return [words.strip() for words in race.split(",") if words.strip()]


def _get_ready() -> None:
    stand_behind()
    get_ready()


def _begin(mix: Mix, in_turn: bool, recording: int, seed: int, epochs: int) -> Iterator[Moment]:
    torch.set_num_threads(1)
    return play(mix, in_turn, recording, seed, epochs)


def _draw_answer(answer: Any, numbers: Playing) -> None:
    kinds = [0, 1, 2, 3] if not numbers.in_turn else [numbers.kind // 2 * 2, numbers.kind // 2 * 2 + 1]
    scores, names = numbers.seen.scores.tolist(), short_names(kinds)
    wrong = [0.0 if kind == numbers.kind else score for kind, score in zip(kinds, scores, strict=True)]
    right = [score if kind == numbers.kind else 0.0 for kind, score in zip(kinds, scores, strict=True)]
    for bar, values in zip(answer.data, (wrong, right), strict=True):
        bar.update(x=list(range(len(kinds))), y=values, text=[f"{value:.2f}" if value else "" for value in values])
    answer.layout.xaxis.update(tickvals=list(range(len(kinds))), ticktext=names, range=[-0.6, len(kinds) - 0.4])


def _draw_lane(traces: Sequence[Any], lane: Lane | None, k: int, in_turn: bool) -> None:
    for trace in traces:
        trace.visible = lane is not None
    if lane is None:
        return
    first, second, loss, kept = traces
    style = lane_line(lane.rule, k)
    for trace in traces:
        trace.line.update(color=style["color"], dash=style["dash"])
    moments = lane.moments
    tested = [moment for moment in moments if moment.accuracies is not None]
    later = [moment for moment in tested if len(moment.accuracies or ()) > 1]
    mix = spoken(lane.mix)
    name = say("{mix}, task 1", mix=mix) if in_turn else mix
    first.update(name=name, x=_places(tested), y=_percent(tested, 0))
    second.update(name=say("{mix}, task 2", mix=mix), x=_places(later), y=_percent(later, 1))
    loss.update(name=name, x=_places(moments), y=running_mean([moment.loss for moment in moments], 8))
    kept.update(name=name, x=_places(moments), y=np.array([moment.kept_bytes for moment in moments]))


def _places(moments: Sequence[Moment]) -> np.ndarray:
    return np.array([moment.step + 1 for moment in moments], dtype=float)


def _percent(moments: Sequence[Moment], task: int) -> np.ndarray:
    return np.array([100 * (moment.accuracies or ())[task] for moment in moments], dtype=float)


def _planned(numbers: Playing) -> str:
    chosen, *others = numbers.lanes
    mix, cost = spoken(chosen.mix), _cost(chosen.cost)
    told = say("{mix}: by formula an update of one recording takes {cost}.", mix=mix, cost=cost)
    if others:
        against = say(" and ").join(f"{spoken(lane.mix)} ({_cost(lane.cost)})" for lane in others)
        told += say(" It runs against {others}.", others=against)
    return told


def _cost(cost: MixCost) -> str:
    (macs, memory), at_most = cost
    if at_most:
        return say("{macs:.2f} million MACs and keeps at most {memory:.1f} kB", macs=macs / 1e6, memory=memory / 1e3)
    return say("{macs:.2f} million MACs and keeps {memory:.1f} kB", macs=macs / 1e6, memory=memory / 1e3)


def _tasks(in_turn: bool) -> str:
    if in_turn:
        return say("Start learns two kinds of clothes, then two others, and tells what is left of the first.")
    return say("Start learns four kinds of clothes at once; choose a direction to learn two after two others.")


def _progress(lane: Lane, numbers: Playing) -> str:
    """Where one run stands, in words."""
    if lane.error:
        return say("{name} came to an error: {error}", name=spoken(lane.mix), error=lane.error)
    if not lane.moments:
        stopped = lane.state is RunState.STOPPED
        told = say("{name}: stopped before the first batch.") if stopped else say("{name}: preparing the first batch.")
        return told.format(name=spoken(lane.mix))
    last = lane.moments[-1]
    tested = next(moment.accuracies for moment in reversed(lane.moments) if moment.accuracies is not None)
    both = say(" on tasks 1 and 2") if len(tested) > 1 else say(" on task 1") if numbers.in_turn else ""
    return say(
        "{name} {state}, batch {step} of {steps}: {right} right{tasks}, {kept:.0f} kB kept.",
        name=spoken(lane.mix),
        state=say(lane.state.value),
        step=last.step + 1,
        steps=last.steps,
        right=say(" and ").join(f"{share:.0%}" for share in tested),
        tasks=both,
        kept=last.kept_bytes / 1e3,
    )


def _verdict(numbers: Playing) -> str:
    """What is left of task 1, when all have learned task 2."""
    if not numbers.in_turn or any(lane.state is not RunState.FINISHED for lane in numbers.lanes):
        return ""
    lost = [f"{spoken(lane.mix)} {lane.forgotten:.0f}" for lane in numbers.lanes if lane.moments]
    return say(" Points of task 1 that task 2 cost: {lost}.", lost=", ".join(lost))


def _told(error: BaseException | None) -> str:
    return "" if error is None else str(error) or type(error).__name__


def _controls() -> dict[str, Any]:
    start = {"time": "S-TLLR traces", "space": "periodic basis (TESS)", "memory": "everything", "direction": "anywhere"}
    answers = {
        axis: choice(axis, {each.label: each.name for each in there}, QUESTIONS[axis], start[axis])
        for axis, there in AXES
    }
    kinds = {name: kind for kind, name in enumerate(NAMES)}
    race = "mixes that run against the chosen one: answers joined by +, with commas between"
    return {
        **answers,
        "race": text_field("race", "", race),
        "recording": choice("recording", kinds, "what the network is shown; it does not learn from this one"),
        "weights": choice("weights", VIEWS, "what the tiles of the weights show"),
        "epochs": whole_slider("epochs", 4, 1, 8, "how often all recordings are seen, of each task"),
        "seed": whole_slider("seed", 0, 0, 20, "fixes the first weights and the order of the recordings"),
        "start": button("Start", "train the chosen mix, and those of the race, from the same weights", "play"),
        "pause": button("Pause", "hold after this batch, or go on", "pause"),
        "step": button("One batch", "learn from exactly one more batch, and hold", "step-forward"),
        "stop": button("Stop", "end the run and keep what it has shown", "stop"),
        "add": button("Add to the race", "let this mix wait here, and choose another to run against it", "plus"),
        "clear": button("Clear the race", "let nobody run against the chosen mix", "times"),
    }
