"""`AccuracyMatrix` and `SubspaceOverlap`: start, pause, stop and errors of a stream's run, and what is drawn of it."""

from importlib import import_module

import numpy as np
import pytest
import torch
from house import check_house_rules, drawn, look, run_code, wait_for_end, wait_for_rest
from matplotlib.figure import Figure
from tiny_streams import HEADS, SHARED, TINY_STREAMS

from widgets.drawing.still import _draw_axes
from widgets.panels.accuracy_matrix import AccuracyMatrix
from widgets.panels.overlap import SubspaceOverlap
from workbench.continual.learning import accuracy_matrix
from workbench.continual.metrics import average_accuracy, backward_transfer, forward_transfer
from workbench.experiments import named as experiments
from workbench.experiments.experiment import start
from workbench.experiments.streams import untrained
from workbench.training.runner import RunState
from workbench.watch.claims import TaskClaim, claimed_shares, remaining, similarities, start_claims, start_lance_claims

PANELS = [AccuracyMatrix, SubspaceOverlap]


@pytest.fixture(autouse=True)
def tiny_is_known(monkeypatch):
    streams = {e.name: e for e in TINY_STREAMS.values()}
    for place in (experiments, import_module("workbench.experiments")):  # the face may have handed its name on before
        monkeypatch.setattr(place, "STREAMS", streams)


def ran(make, **state):
    panel = make(TINY_STREAMS, epochs=1, **state)
    panel.start()
    wait_for_end(panel)
    return panel


@pytest.mark.parametrize("make", PANELS)
def test_house_rules(make):
    check_house_rules(lambda **state: make(TINY_STREAMS, **state))


def test_the_matrix_is_that_of_the_run():
    panel = ran(AccuracyMatrix, tasks=4, seed=2)
    A = accuracy_matrix(start(SHARED, "code-cl", seed=2, epochs=1, tasks=4))
    assert torch.equal(panel.numbers.A, A)
    assert np.allclose(np.asarray(panel.matrix.data[0].z, dtype=float), 100 * A)
    assert panel.matrix.data[0].text[3][0] == f"{100 * A[3, 0]:.1f}"
    learned, accuracies = drawn(panel.curves, "task 2")
    assert learned.tolist() == [2, 3, 4]
    assert np.allclose(accuracies, 100 * A[1:, 1])
    assert not len(drawn(panel.curves, "task 5")[0])
    b = torch.tensor(untrained(SHARED, 2, 4).accuracies)
    assert f"ACC {100 * average_accuracy(A):.1f} %" in panel.text
    assert f"BWT {round(100 * backward_transfer(A), 1) + 0.0:+.1f} points" in panel.text
    assert f"FWT {100 * forward_transfer(A, b):+.1f} points" in panel.text
    assert panel.text.startswith("Finished: task 4 of 4, epoch 1 of 1, loss ")


def test_cells_that_are_not_reached_are_empty():
    panel = AccuracyMatrix(TINY_STREAMS, tasks=2)
    assert [list(row) for row in panel.matrix.data[0].z] == [[None, None], [None, None]]
    assert [list(row) for row in panel.matrix.data[0].text] == [["", ""], ["", ""]]


def test_every_method_and_own_heads():
    for label, rule in (
        ("GPM", "gpm"),
        ("LANCE", "lance"),
        ("fine-tuning", "fine-tuning"),
        ("replay", "replay"),
        ("joint training", "joint"),
    ):
        panel = ran(AccuracyMatrix, stream="own heads", method=label, tasks=2)
        assert torch.equal(panel.numbers.A, accuracy_matrix(start(HEADS, rule, epochs=1, tasks=2)))
        assert "FWT says nothing here" in panel.text


def test_the_code_gives_the_same_matrix():
    panel = ran(AccuracyMatrix, tasks=2, method="replay", stream="own heads")
    assert torch.equal(run_code(panel)["A"], panel.numbers.A)


def test_the_overlap_is_that_of_the_run():
    panel = ran(SubspaceOverlap, tasks=3, aperture=2.0, seed=1, layer="layer 2")
    claims = [item for item in start_claims(SHARED, 2.0, 1, 1, 3) if isinstance(item, TaskClaim)]
    names = list(claims[0].own)
    shares = claimed_shares(claims)
    for t in range(3):
        assert np.allclose(drawn(panel.shares, f"task {t + 1}")[1], 100 * shares[:, t])
    assert not panel.shares.data[3].visible
    assert np.allclose(np.asarray(panel.similarity.data[0].z, dtype=float), similarities(claims, names[1]))
    assert np.allclose(drawn(panel.left, "layer 1")[1], remaining(claims[-1], names[0]))
    assert np.allclose(drawn(panel.left, "the head")[1], remaining(claims[-1], names[2]))
    assert f"{100 * shares[0].sum():.0f} % of layer 1" in panel.text
    largest = max(ratio for claim in claims for ratio in claim.overlap.values())
    assert f"overlap ρ of a new task with the past was {largest:.2f}" in panel.text
    panel.state = {"layer": "layer 1"}
    assert np.allclose(np.asarray(panel.similarity.data[0].z, dtype=float), similarities(claims, names[0]))
    assert "changed since" not in panel.text


def test_lance_claims_whole_directions_and_says_that_it_has_no_conceptors():
    panel = ran(SubspaceOverlap, tasks=3, seed=1, method="LANCE")
    claims = [item for item in start_lance_claims(SHARED, 1, 1, 3) if isinstance(item, TaskClaim)]
    shares = claimed_shares(claims)
    assert np.allclose(drawn(panel.shares, "task 2")[1], 100 * shares[:, 1])
    assert set(drawn(panel.left, "layer 1")[1]) <= {0.0, 1.0}
    assert "LANCE has no conceptors" in panel.text
    largest = max(held for claim in claims for held in claim.overlap.values())
    assert f"held at most {100 * largest:.0f} %" in panel.text
    assert panel.controls["aperture"].disabled
    panel.state = {"method": "CODE-CL"}
    assert not panel.controls["aperture"].disabled
    assert "LANCE has no conceptors" in panel.text  # the picture is still that of its run
    assert "changed since" in panel.text


@pytest.mark.parametrize("method", ["CODE-CL", "LANCE"])
def test_the_code_gives_the_same_overlap(method):
    panel = ran(SubspaceOverlap, tasks=2, stream="own heads", method=method)
    names = run_code(panel)
    assert torch.equal(names["shares"], panel.numbers.shares)
    assert torch.equal(names["similarity"], panel.numbers.similarity)
    assert all(torch.equal(a, b) for a, b in zip(names["left"].values(), panel.numbers.remaining, strict=True))


@pytest.mark.parametrize("make", PANELS)
def test_pause_holds_resume_goes_on_and_stop_keeps(make, gate):
    panel = make(TINY_STREAMS)
    records, gate.told = panel.records, lambda: panel.text
    panel.records = lambda **settings: gate.records(records(**settings))
    assert panel.text.startswith("Not started: Start learns 5 tasks in turn with CODE-CL")
    panel.controls["start"].click()
    gate.pass_(4)
    look(panel)
    assert len(panel.run) == 4
    assert not panel.controls["stop"].disabled
    assert panel.controls["tasks"].disabled
    panel.controls["pause"].click()
    gate.let(1)  # it was in its batch
    wait_for_rest(panel)
    assert panel.text.startswith("Paused: task ")
    assert panel.controls["pause"].description == "Resume"
    assert len(panel.run) == 5
    panel.controls["pause"].click()
    gate.pass_(2)  # the first time it comes from the pause
    look(panel)
    assert panel.controls["pause"].description == "Pause"
    assert len(panel.run) == 7
    panel.controls["stop"].click()
    assert panel.state_of_run is RunState.STOPPED
    assert panel.text.startswith("Stopped: task ")
    assert not panel.controls["start"].disabled
    gate.open()
    wait_for_end(panel)
    assert len(panel.run) == 7
    assert gate.passed == 8  # the batch that it was in, and no other
    panel.state = {"seed": 3}
    assert panel.text.endswith("The settings were changed since; Start uses the new ones.")


@pytest.mark.parametrize("make", PANELS)
def test_an_error_reaches_the_text(make):
    def broken(seed, tasks):
        raise ValueError("there are no clouds today")

    panel = make({"one head": SHARED._replace(prepare=broken)})
    panel.start()
    wait_for_end(panel)
    assert "came to an error: there are no clouds today" in panel.text
    assert not panel.controls["start"].disabled


def test_the_still_picture_has_the_first_task_on_top_and_counts_from_one():
    panel = ran(AccuracyMatrix, tasks=3)
    ax = Figure().subplots()
    _draw_axes(ax, panel.matrix, "x")
    assert ax.yaxis_inverted()
    assert list(ax.images[0].get_extent()) == [0.5, 3.5, 0.5, 3.5]
    assert np.allclose(ax.images[0].get_array(), 100 * panel.numbers.A)
