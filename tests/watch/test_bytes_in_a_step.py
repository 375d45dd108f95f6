"""The memory of every way to take one training step."""

from workbench.experiments.new_clothes import new_clothes
from workbench.watch.bytes_in_a_step import PLACES, STEP_RULES, bytes_in_a_step


def test_every_version_comes_back_to_nothing_and_lance_keeps_least():
    task = new_clothes()
    curves = {name: bytes_in_a_step(task, rule, batch_size=16) for name, rule in STEP_RULES.items()}
    for curve in curves.values():
        assert curve.bytes[-1] == 0
        assert curve.places == sorted(curve.places)
        assert 0 <= curve.places[0] <= curve.places[-1] <= 2 * len(PLACES)
    peaks = {name: curve.peak for name, curve in curves.items()}
    assert peaks["LANCE"] < peaks["checkpointing"] < peaks["backpropagation"]
