"""`TrainingMonitor`: start, pause, stop and errors of two runs, and what is drawn of them."""

import threading
import time

import numpy as np
import pytest
import torch
from house import check_house_rules, drawn, run_code, same, wait_for, wait_for_end, wait_for_rest
from tiny import TINY

from widgets.frame.race import ACTIVE, Race
from widgets.panels.training import TrainingMonitor
from workbench.experiments import named as experiments
from workbench.experiments.named import start
from workbench.networks.spiking import SpikingMLP
from workbench.training.runner import RunState
from workbench.watch.curves import learning_curves


@pytest.fixture(autouse=True)
def tiny_is_known(monkeypatch):
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"tiny": TINY})


@pytest.fixture
def monitor():
    monitor = TrainingMonitor(TINY, samples=8)
    yield monitor
    monitor.stop()
    wait_for(lambda: monitor.race is None or not any(thread_is_busy(runner) for runner in monitor.race.runners))


def thread_is_busy(runner):
    return runner._thread is not None and runner._thread.is_alive()


def finish(monitor):
    """Wait until both runs have ended and their end is drawn."""
    wait_for(lambda: all(side.state not in ACTIVE for side in monitor.numbers.sides) and not monitor._drawing)


def slowed(rule, seconds=0.05):
    """A rule that takes its time, so that there is something to pause and to stop."""

    def gradients(network, x, y):
        time.sleep(seconds)
        return rule(network)(network, x, y)

    return lambda network: gradients


SLOW = TINY._replace(rules={name: slowed(rule) for name, rule in TINY.rules.items()}, epochs=10)


def test_house_rules():
    check_house_rules(lambda **state: TrainingMonitor(TINY, samples=8, **state))


def test_both_rules_are_trained_and_drawn(monitor):
    assert monitor.text.startswith("Not started: Start trains stllr (left) and bptt (right)")
    monitor.controls["start"].click()
    finish(monitor)
    for k, (side, rule) in enumerate((("left", "stllr"), ("right", "bptt"))):
        expected = learning_curves(start(TINY, rule, seed=0), epochs=2)
        x, loss = drawn(monitor.learning, f"{side}: {rule}")
        assert same(x, expected.epochs)
        assert same(loss, expected.loss)
        accuracy, held_out_loss, held_out = (monitor.learning.data[4 * k + n] for n in (1, 2, 3))
        assert same(accuracy.y, 100 * expected.accuracy)
        assert same(held_out_loss.y, expected.held_out_loss)
        assert same(held_out.y, 100 * expected.held_out_accuracy)
        assert same(held_out.x, [1.0, 2.0])
        assert same(drawn(monitor.rates, f"{side}: {rule}"), [[k], list(expected.spike_rates.values())])
        assert same(monitor.bytes.data[k].y, [expected.saved_bytes, expected.state_bytes])
        assert f"{rule} ({side}) finished at epoch 2.0: loss {expected.loss[-1]:.2f}" in monitor.text
        assert f"{100 * expected.held_out_accuracy[-1]:.1f} % of held-out samples right" in monitor.text


def test_the_code_trains_the_same(monitor):
    monitor.state = {"left": "bptt", "right": "stllr", "epochs": 1, "seed": 3, "per_class": 5, "learning_rate": "0.01"}
    monitor.start()
    finish(monitor)
    curves = run_code(monitor)["curves"]
    for name, side in zip(("left", "right"), monitor.numbers.sides, strict=True):
        for field in ("epochs", "loss", "accuracy", "held_out_loss", "held_out_accuracy"):
            assert same(getattr(curves[name], field), getattr(side.curves, field)), field
        assert curves[name].saved_bytes == side.curves.saved_bytes
    assert len(monitor.numbers.sides[0].curves.loss) == 3


def test_each_setting_reaches_the_run(monitor):
    losses = []
    for change in ({}, {"seed": 5}, {"learning_rate": "0.1"}, {"per_class": 4}, {"left": "bptt"}):
        monitor.state = {**monitor.defaults, "epochs": 1, **change}
        monitor.start()
        finish(monitor)
        losses.append(monitor.numbers.sides[0].curves.loss.tolist())
    assert len({tuple(loss) for loss in losses}) == len(losses)


def test_pause_holds_and_resume_goes_on():
    slow = {name: slowed(rule, 0.4) for name, rule in TINY.rules.items()}
    monitor = TrainingMonitor(TINY._replace(rules=slow, epochs=10), samples=8)
    monitor.start()
    wait_for(lambda: min(len(side.curves.loss) for side in monitor.numbers.sides) > 1)
    assert not monitor.controls["stop"].disabled
    assert monitor.controls["epochs"].disabled
    monitor.controls["pause"].click()
    wait_for(lambda: "stllr (left) paused at epoch" in monitor.text)
    assert monitor.controls["pause"].description == "Resume"
    wait_for_rest(monitor)
    held = [len(side.curves.loss) for side in monitor.numbers.sides]
    time.sleep(0.3)
    assert [len(side.curves.loss) for side in monitor.numbers.sides] == held
    monitor.controls["pause"].click()
    wait_for(lambda: monitor.controls["pause"].description == "Pause")
    wait_for(lambda: min(len(side.curves.loss) for side in monitor.numbers.sides) > max(held))
    monitor.stop()
    wait_for_end(monitor)


def test_stop_is_seen_at_once_and_keeps_the_curves():
    very_slow = {name: slowed(rule, 0.5) for name, rule in TINY.rules.items()}
    monitor = TrainingMonitor(TINY._replace(rules=very_slow), samples=8)
    monitor.start()
    wait_for(lambda: min(len(side.curves.loss) for side in monitor.numbers.sides) == 1)
    monitor.controls["stop"].click()
    finish(monitor)
    assert [side.state for side in monitor.numbers.sides] == [RunState.STOPPED] * 2
    assert any(thread_is_busy(runner) for runner in monitor.race.runners)  # still in its batch, nobody waits for it
    assert "stllr (left) stopped at epoch" in monitor.text
    assert not monitor.controls["start"].disabled
    before = monitor.numbers.sides[0].curves.loss
    wait_for(lambda: not any(thread_is_busy(runner) for runner in monitor.race.runners))
    monitor.redraw()
    assert same(monitor.numbers.sides[0].curves.loss, before)


def test_stop_before_the_first_batch():
    gate = threading.Event()

    def prepare(rule, seed):
        gate.wait(20)
        return TINY.prepare(rule, seed)

    monitor = TrainingMonitor(TINY._replace(prepare=prepare), samples=8)
    monitor.start()
    assert "stllr (left): preparing the first batch." in monitor.text
    monitor.stop()
    assert "bptt (right): stopped before the first batch." in monitor.text
    gate.set()
    wait_for(lambda: not any(thread_is_busy(runner) for runner in monitor.race.runners))


def test_an_error_reaches_the_text_and_the_other_rule_goes_on():
    def diverges(network):
        def gradients(network, x, y):
            raise FloatingPointError("training diverged at step 1: the gradient of 'readout' is the first to hold NaN.")

        return gradients

    monitor = TrainingMonitor(TINY._replace(rules={**TINY.rules, "wild": diverges}), samples=8, left="wild")
    assert monitor.state["right"] == "bptt"
    monitor.start()
    finish(monitor)
    assert "wild (left) came to an error: training diverged at step 1: the gradient of 'readout'" in monitor.text
    assert "bptt (right) finished at epoch 2.0" in monitor.text
    assert monitor.numbers.sides[0].state is RunState.FAILED
    assert not monitor.controls["start"].disabled


def test_too_many_samples_are_told_in_words():
    monitor = TrainingMonitor(TINY, samples=9)
    monitor.start()
    finish(monitor)
    assert "came to an error: per_class is 9, expected 1 to 8" in monitor.text


def test_start_again_begins_anew(monitor):
    monitor.start()
    finish(monitor)
    first = monitor.numbers.sides[0].curves.loss
    monitor.state = {"seed": 1}
    assert monitor.text.endswith("The settings were changed since; Start trains with the new ones.")
    assert same(monitor.numbers.sides[0].curves.loss, first)
    monitor.start()
    finish(monitor)
    assert not same(monitor.numbers.sides[0].curves.loss, first)
    assert "changed since" not in monitor.text


def test_at_most_ten_looks_a_second_and_no_record_is_lost():
    looks = []

    def records():
        for step in range(3000):
            time.sleep(0.0002)
            yield step

    race = Race([records, records], lambda: looks.append(time.monotonic()))
    wait_for(lambda: all(state is RunState.FINISHED for state in race.states))
    wait_for(lambda: [len(each) for each in race.records] == [3000, 3000])
    assert race.records[0] == list(range(3000))
    assert min(np.diff(looks), default=1.0) > 0.09


def test_many_redraws_at_once_draw_one_at_a_time():
    """The collecting thread, a moved slider and a click never write to a figure at the same time."""
    monitor = TrainingMonitor(SLOW._replace(epochs=1), samples=8)
    writers, most = [], []
    draw = monitor.draw

    def watched(numbers):
        writers.append(threading.current_thread())
        most.append(len(writers))
        time.sleep(0.005)
        draw(numbers)
        writers.pop()

    monitor.draw = watched
    monitor.start()
    while any(state is RunState.RUNNING for state in monitor.race.states):
        monitor.redraw()
    finish(monitor)
    assert max(most) == 1


def test_both_sides_start_from_the_same_weights():
    """Two threads seed torch's one generator; neither may draw from the other's seed."""

    def prepare(rule, seed):
        torch.manual_seed(seed)
        time.sleep(0.05)
        torch.rand(1)
        time.sleep(0.05)
        network = SpikingMLP([12, 10], classes=3)
        return TINY.prepare(rule, seed)._replace(
            network=network, optimizer=torch.optim.SGD(network.parameters(), lr=0.1)
        )

    experiment = TINY._replace(prepare=prepare)
    monitor = TrainingMonitor(experiment, samples=8, right="stllr")
    monitor.start()
    finish(monitor)
    left, right = (side.curves.loss for side in monitor.numbers.sides)
    assert same(left, right)
    assert same(left, learning_curves(start(experiment, "stllr"), epochs=2).loss)
