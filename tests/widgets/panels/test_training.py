"""`TrainingMonitor`: start, pause, stop and errors of two runs, and what is drawn of them."""

import threading
from collections import deque
from importlib import import_module

import pytest
import torch
from gate import PATIENCE, Door, Gate
from house import check_house_rules, drawn, look, run_code, same, wait_for_end, wait_for_rest
from tiny import TINY
from tiny_streams import SHARED

from widgets.drawing.rule_look import rule_label
from widgets.panels import training
from widgets.panels.training import TrainingMonitor
from workbench.experiments import named as experiments
from workbench.experiments.experiment import prepare, start
from workbench.experiments.flow import ENDPOINT_ERROR
from workbench.experiments.overrides import vary
from workbench.kernels import warm_up
from workbench.networks.spiking import SpikingMLP
from workbench.serving.allowance import VARIABLE, Allowance
from workbench.training.runner import RunState
from workbench.training.setting import Plan
from workbench.watch.curves import learning_curves
from workbench.watch.filming import filmed, sample_of

pytestmark = pytest.mark.usefixtures("unchecked")

seeded_module = import_module("workbench.networks.seeded")  # the face gives the function of this name


@pytest.fixture(autouse=True)
def tiny_is_known(monkeypatch):
    for place in (experiments, import_module("workbench.experiments")):  # the face may have handed its name on before
        monkeypatch.setattr(place, "EXPERIMENTS", {"tiny": TINY})


@pytest.fixture
def monitor():
    monitor = TrainingMonitor(TINY, samples=8)
    assert monitor.compiling.join(PATIENCE)
    return monitor


@pytest.fixture
def gates():
    """A gate for the two runs of a monitor."""
    gates = Gate(runs=2)
    yield gates
    gates.close()


def held_at(gate, **changes):
    """A monitor whose two runs wait at the gate before each batch."""
    rules = {name: lambda network, rule=rule: gate.before(rule(network)) for name, rule in TINY.rules.items()}
    monitor = TrainingMonitor(TINY._replace(rules=rules, **changes), samples=8)
    gate.told = lambda: monitor.text
    return monitor


def lengths(monitor):
    return [len(side.curves.loss) for side in monitor.numbers.sides]


def test_house_rules():
    check_house_rules(lambda **state: TrainingMonitor(TINY, samples=8, **state))


def test_both_rules_are_trained_and_drawn(monitor):
    assert monitor.text.startswith("Not started: Start trains S-TLLR (left) and BPTT (right)")
    monitor.controls["start"].click()
    wait_for_end(monitor)
    for k, (side, rule) in enumerate((("left", "stllr"), ("right", "bptt"))):
        expected = learning_curves(start(TINY, rule, seed=0), epochs=2)
        label = rule_label(rule)
        x, loss = drawn(monitor.learning, f"{side}: {label}")
        assert same(x, expected.epochs)
        assert same(loss, expected.loss)
        accuracy, held_out_loss, held_out = (monitor.learning.data[4 * k + n] for n in (1, 2, 3))
        assert same(accuracy.y, 100 * expected.score)
        assert same(held_out_loss.y, expected.held_out_loss)
        assert same(held_out.y, 100 * expected.held_out_score)
        assert same(held_out.x, [1.0, 2.0])
        assert same(drawn(monitor.rates, f"{side}: {label}"), [[k], list(expected.spike_rates.values())])
        assert same(monitor.bytes.data[k].y, [expected.saved_bytes, expected.state_bytes])
        assert f"{label} ({side}) finished at epoch 2.0: loss {expected.loss[-1]:.2f}" in monitor.text
        assert f"{100 * expected.held_out_score[-1]:.1f} % of held-out samples right" in monitor.text


def test_rules_go_by_the_names_people_use_and_old_links_are_understood(monitor):
    assert monitor.state["left"] == "S-TLLR"
    monitor.state = {"left": "bptt", "right": "stllr"}
    assert (monitor.state["left"], monitor.values["left"]) == ("BPTT", "bptt")
    with pytest.raises(ValueError, match="'S-TLLR'"):
        monitor.state = {"left": "stlr"}
    assert monitor.faults({"left": "stllr"}) == {}


def test_layers_are_numbered_and_the_recorded_run_is_of_this_experiment():
    assert not TrainingMonitor(TINY, samples=8).text.endswith("runs it here.")
    monitor = TrainingMonitor()
    assert monitor.text.endswith("Pale: recorded; Start runs it here.")
    monitor.state = {"view": "film"}
    assert "Pale" not in monitor.text  # nothing of it is in this view
    monitor.state = {"view": "curves"}
    ticks = monitor.rates.layout.xaxis.ticktext
    assert list(ticks) == [f"layer {k}" for k in range(1, len(ticks) + 1)] != []


def test_the_code_trains_the_same(monitor):
    monitor.state = {"left": "bptt", "right": "stllr", "epochs": 1, "seed": 3, "per_class": 5, "learning_rate": "0.01"}
    monitor.start()
    wait_for_end(monitor)
    curves = run_code(monitor)["curves"]
    for name, side in zip(("left", "right"), monitor.numbers.sides, strict=True):
        for field in ("epochs", "loss", "score", "held_out_loss", "held_out_score"):
            assert same(getattr(curves[name], field), getattr(side.curves, field)), field
        assert curves[name].saved_bytes == side.curves.saved_bytes
    assert len(monitor.numbers.sides[0].curves.loss) == 3


def test_a_run_that_starts_before_the_loops_are_compiled_takes_the_plain_ones(monkeypatch):
    pytest.importorskip("numba")
    compiled = threading.Event()
    monkeypatch.setattr(warm_up, "compile_all", lambda **_: compiled.wait(PATIENCE))
    monitor = TrainingMonitor(TINY, samples=8)
    monitor.start()
    wait_for_end(monitor)
    assert "It started before the compiled loops were ready and takes the plain ones." in monitor.text
    assert 'loops="plain"' in monitor.code()
    assert [shot.record.loops for shots in monitor.race.records for shot in shots] == ["plain"] * 16
    curves = run_code(monitor)["curves"]
    assert same(curves["left"].loss, monitor.numbers.sides[0].curves.loss)
    compiled.set()
    assert monitor.compiling.join(PATIENCE)
    monitor.start()
    wait_for_end(monitor)
    assert {shot.record.loops for shots in monitor.race.records for shot in shots} == {"compiled"}
    assert "compiled" not in monitor.text
    assert "loops" not in monitor.code()


def test_each_setting_reaches_the_run(monitor):
    losses = []
    for change in ({}, {"seed": 5}, {"learning_rate": "0.1"}, {"per_class": 4}, {"left": "bptt"}):
        monitor.state = {**monitor.defaults, "epochs": 1, **change}
        monitor.start()
        wait_for_end(monitor)
        losses.append(monitor.numbers.sides[0].curves.loss.tolist())
    assert len({tuple(loss) for loss in losses}) == len(losses)


def test_pause_holds_and_resume_goes_on(gates):
    monitor = held_at(gates, epochs=10)
    monitor.start()
    gates.pass_(2)
    look(monitor)
    assert lengths(monitor) == [2, 2]
    assert not monitor.controls["stop"].disabled
    assert monitor.controls["epochs"].disabled
    monitor.controls["pause"].click()
    assert "S-TLLR (left) paused at epoch" in monitor.text
    assert monitor.controls["pause"].description == "Resume"
    gates.let(1)
    wait_for_rest(monitor)
    assert lengths(monitor) == [3, 3]
    monitor.controls["pause"].click()
    assert monitor.controls["pause"].description == "Pause"
    gates.pass_(2)
    look(monitor)
    assert lengths(monitor) == [5, 5]
    monitor.stop()
    gates.open()
    wait_for_end(monitor)
    assert lengths(monitor) == [5, 5]


def test_stop_is_seen_at_once_and_keeps_the_curves(gates):
    monitor = held_at(gates)
    monitor.start()
    gates.pass_(1)
    look(monitor)
    monitor.controls["stop"].click()
    assert gates.standing == 2  # still in their batch, nobody waits for them
    assert [side.state for side in monitor.numbers.sides] == [RunState.STOPPED] * 2
    assert "S-TLLR (left) stopped at epoch" in monitor.text
    assert not monitor.controls["start"].disabled
    before = monitor.numbers.sides[0].curves.loss
    assert len(before) == 1
    gates.open()
    wait_for_end(monitor)
    monitor.redraw()
    assert gates.passed == 4
    assert same(monitor.numbers.sides[0].curves.loss, before)


def test_stop_before_the_first_batch(gate):
    monitor = TrainingMonitor(TINY._replace(prepare=gate.before(TINY.prepare)), samples=8)
    monitor.start()
    gate.arrive()  # one run prepares, and keeps the other one from drawing its weights
    assert "S-TLLR (left): preparing the first batch." in monitor.text
    monitor.stop()
    assert "BPTT (right): stopped before the first batch." in monitor.text
    gate.open()
    wait_for_end(monitor)
    assert lengths(monitor) == [0, 0]


def test_an_error_reaches_the_text_and_the_other_rule_goes_on():
    def diverges(network):
        def gradients(network, x, y):
            raise FloatingPointError("training diverged at step 1: the gradient of 'readout' is the first to hold NaN.")

        return gradients

    monitor = TrainingMonitor(TINY._replace(rules={**TINY.rules, "wild": diverges}), samples=8, left="wild")
    assert monitor.state["right"] == "BPTT"
    monitor.start()
    wait_for_end(monitor)
    assert "wild (left) came to an error: training diverged at step 1: the gradient of 'readout'" in monitor.text
    assert "BPTT (right) finished at epoch 2.0" in monitor.text
    assert monitor.numbers.sides[0].state is RunState.FAILED
    assert not monitor.controls["start"].disabled


def test_too_many_samples_are_told_in_words():
    monitor = TrainingMonitor(TINY, samples=12, per_class=9)
    monitor.start()
    wait_for_end(monitor)
    assert "came to an error: per_class is 9, expected 1 to 8" in monitor.text


def test_start_again_begins_anew(monitor):
    monitor.start()
    wait_for_end(monitor)
    first = monitor.numbers.sides[0].curves.loss
    monitor.state = {"seed": 1}
    assert monitor.text.endswith("The settings were changed since; Start trains with the new ones.")
    assert same(monitor.numbers.sides[0].curves.loss, first)
    monitor.start()
    wait_for_end(monitor)
    assert not same(monitor.numbers.sides[0].curves.loss, first)
    assert "changed since" not in monitor.text


def test_many_redraws_at_once_draw_one_at_a_time(monitor, gate):
    """The collecting thread, a moved slider and a click never write to a figure at the same time."""
    drawn_for, draw = deque(), monitor.draw

    def watched(numbers):
        gate.wait()
        drawn_for.append(monitor.values["epochs"])
        draw(numbers)

    monitor.draw = watched
    thread = threading.Thread(target=monitor.redraw)
    thread.start()
    gate.arrive()  # it is in the middle of its drawing
    monitor.controls["epochs"].value = 7
    monitor.redraw()
    assert gate.standing == 1
    assert not drawn_for
    gate.open()
    thread.join(PATIENCE)
    assert list(drawn_for) == [7, 7]  # the one it was in, and one more for the two that came meanwhile
    assert list(monitor.learning.layout.xaxis.range) == pytest.approx([0, 1.02 * 7])


def test_both_sides_start_from_the_same_weights(monkeypatch):
    """Two threads draw from torch's one generator; neither may draw from the other's seed."""
    door = Door(seeded_module._DRAWING)
    monkeypatch.setattr(seeded_module, "_DRAWING", door)

    def prepare(rule, seed):
        with seeded_module.seeded(seed):
            door.wait_for(2)  # the other run has come to where it would draw too
            network = SpikingMLP([12, 10], classes=3)
        return TINY.prepare(rule, seed)._replace(
            network=network, optimizer=torch.optim.SGD(network.parameters(), lr=0.1)
        )

    experiment = TINY._replace(prepare=prepare)
    monitor = TrainingMonitor(experiment, samples=8, right="stllr")
    monitor.start()
    wait_for_end(monitor)
    left, right = (side.curves.loss for side in monitor.numbers.sides)
    assert len(left) == 8
    assert same(left, right)
    assert same(left, learning_curves(start(experiment, "stllr"), epochs=2).loss)


def test_a_training_beyond_the_budget_is_not_begun(monkeypatch):
    monkeypatch.setenv(VARIABLE, '{"seconds": 60, "bytes": 5e8}')
    panel = TrainingMonitor(epochs=10)
    panel.controls["start"].click()
    assert panel.race is None
    assert "would take about 100 s" in panel.text
    assert Allowance(60, 5e8).refusal(TrainingMonitor().price()) is None


def test_a_stream_of_tasks_is_shown_like_any_experiment():
    monitor = TrainingMonitor(SHARED, samples=20, left="gpm", right="fine-tuning", epochs=1)
    monitor.start()
    wait_for_end(monitor)
    expected = learning_curves(start(vary(SHARED, per_class=20), "gpm", epochs=1), epochs=1)
    x, loss = drawn(monitor.learning, "left: gpm")
    assert same(x, expected.epochs)
    assert same(loss, expected.loss)
    assert same(monitor.learning.data[3].y, 100 * expected.held_out_score)
    assert len(expected.held_out_score) == SHARED.tasks
    assert monitor.text.startswith("gpm (left) finished at epoch 1.0")


def test_the_price_counts_what_is_trained():
    """Samples per class of ten classes, all samples of a flow, and every task of a stream."""

    def seconds(experiment):
        return TrainingMonitor(experiment, samples=8, epochs=2, per_class=8).price().seconds

    assert seconds(TINY) == pytest.approx(10 * seconds(TINY._replace(score=ENDPOINT_ERROR)))
    assert seconds(SHARED) == pytest.approx(5 * seconds(TINY))


def test_an_experiment_of_ones_own_with_few_samples():
    """The slider begins at 500 of each class; all there are is meant. The code says whose experiment it is."""
    own = TINY._replace(name="mine")
    monitor = TrainingMonitor(own, epochs=1)
    monitor.start()
    wait_for_end(monitor)
    assert [runner.error for runner in monitor.race.runners] == [None, None]
    expected = learning_curves(start(TINY, "stllr", epochs=1), epochs=1)
    assert same(drawn(monitor.learning, "left: S-TLLR")[1], expected.loss)
    assert "chosen = ...  # your own Experiment, 'mine'" in monitor.code()


def film_of(monitor, rule):
    setting = prepare(TINY, rule, seed=0)
    return [frame for shot in filmed(setting, Plan(2, 0), number=3) for frame in shot.frames]


def test_the_film_shows_the_frame_that_is_asked_for(monitor):
    monitor.state = {"view": "film", "sample": 3}
    monitor.start()
    wait_for_end(monitor)
    _, *spikes, course = monitor.film
    for share in (24, 0, 12, 13):  # of 24; frames are at every eighth of this run
        monitor.state = {"frame": share}
        for raster, rule, trace in zip(spikes, ("stllr", "bptt"), course.data[:2], strict=False):
            frames = film_of(monitor, rule)
            frame = next(frame for frame in reversed(frames) if frame.done <= share / 24)
            assert same(raster.array(), frame.spikes[0].T)
            assert (
                f"{rule_label(rule)} sends {int(frame.spikes[0].sum())} spikes and gives the right class"
                in monitor.text
            )
            assert same(trace.x, [2 * frame.done for frame in frames])
            assert same(trace.y, [frame.right for frame in frames])
        assert same(course.data[2].x, [share / 12, share / 12])
    monitor.state = {"frame": 0}
    assert monitor.text.startswith("Before learning: S-TLLR sends")


def test_before_a_run_the_film_shows_the_network_that_has_not_learned():
    monitor = TrainingMonitor(TINY, samples=8, view="film", sample=3)
    scene = sample_of(prepare(TINY, "stllr", seed=0), 3)
    assert same(monitor.film[0].array(), scene.x[:, 0].T)
    frame = film_of(monitor, "bptt")[0]
    assert [same(raster.array(), frame.spikes[0].T) for raster in monitor.film[1:3]] == [True, True]
    assert monitor.text.startswith("Before learning: S-TLLR sends")
    assert "Not started" in monitor.text


def test_a_view_shows_its_own_pictures_and_controls(monitor):
    curves, film = [monitor.learning, monitor.rates, monitor.bytes], list(monitor.film)
    for view, pictures, hidden in (("film", film, "epochs"), ("curves", curves, "frame")):
        monitor.state = {"view": view}
        assert monitor.in_view == pictures
        shown = {name for name in ("epochs", "frame", "play") if monitor.controls[name].layout.display != "none"}
        assert shown == {"epochs", "frame", "play"} - ({hidden} if view == "film" else {"frame", "play"})


def test_the_film_is_played_and_dragged_and_what_is_shown_is_no_setting_of_the_run(monitor, monkeypatch):
    monkeypatch.setattr(training, "PERIOD", 0.0)
    monitor.state = {"view": "film"}
    monitor.start()
    wait_for_end(monitor)
    places = []
    monitor.on_change(lambda: places.append(monitor.values["frame"]))
    monitor.controls["play"].click()
    monitor.player.thread.join(PATIENCE)
    assert places == list(range(25))
    monitor.film[3].dragged = {"handle": 0, "x": 0.5, "y": 0.5, "count": 1}
    assert monitor.state["frame"] == 6
    assert not monitor.controls["frame"].disabled
    assert "The settings were changed" not in monitor.text
    monitor.state = {"sample": 4}
    assert "The settings were changed" in monitor.text


def test_what_has_no_spikes_is_not_filmed_and_says_so():
    monitor = TrainingMonitor(SHARED, samples=8, view="film")
    assert monitor.text.startswith("This network has no spikes to film.")
