"""The panel of accuracies against the run that it shows."""

import threading

import numpy as np
import pytest
import torch
from gate import PATIENCE
from house import drawn, run_code
from matplotlib.figure import Figure
from stream_panels import ran
from tiny_streams import HEADS, SHARED, TINY_STREAMS

from widgets.drawing.still import _draw_axes
from widgets.frame.panel import with_minus
from widgets.panels import accuracy_matrix as accuracy_matrix_panel
from widgets.panels.accuracy_matrix import PALE, AccuracyMatrix, Filled
from workbench.continual.learning import accuracy_matrix
from workbench.continual.metrics import average_accuracy, backward_transfer, forward_transfer
from workbench.experiments.experiment import start
from workbench.experiments.streams import untrained
from workbench.watch.recall import examples

pytestmark = pytest.mark.usefixtures("tiny_streams_are_known")


def test_the_matrix_is_that_of_the_run():
    panel = ran(AccuracyMatrix, tasks=4, seed=2, method="CODE-CL")
    A = accuracy_matrix(start(SHARED, "code-cl", seed=2, epochs=1, tasks=4))
    assert torch.equal(panel.numbers.A, A)
    learned, ahead = (np.asarray(trace.z, dtype=float) for trace in panel.matrix.data)
    assert np.allclose(np.where(np.isnan(learned), ahead, learned), 100 * A)
    assert np.isnan(learned).tolist() == (~torch.ones(4, 4).tril().bool()).tolist() == (~np.isnan(ahead)).tolist()
    assert panel.matrix.data[1].colorscale[1][1] == PALE
    assert panel.matrix.data[0].text[3][0] == f"{100 * A[3, 0]:.1f}"
    learned, accuracies = drawn(panel.curves, "task 2")
    assert learned.tolist() == [2, 3, 4]
    assert np.allclose(accuracies, 100 * A[1:, 1])
    assert not len(drawn(panel.curves, "task 5")[0])
    b = torch.tensor(untrained(SHARED, 2, 4).accuracies)
    assert f"ACC {100 * average_accuracy(A):.1f} %" in panel.text
    assert with_minus(f"BWT {round(100 * backward_transfer(A), 1) + 0.0:+.1f} points") in panel.text
    assert with_minus(f"FWT {100 * forward_transfer(A, b):+.1f} points") in panel.text
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


def test_the_still_picture_has_the_first_task_on_top_and_counts_from_one():
    panel = ran(AccuracyMatrix, tasks=3)
    ax = Figure().subplots()
    _draw_axes(ax, panel.matrix, "x")
    assert ax.yaxis_inverted()
    assert list(ax.images[0].get_extent()) == [0.5, 3.5, 0.5, 3.5]
    assert np.allclose(
        np.ma.filled(ax.images[0].get_array(), np.nan),
        100 * panel.numbers.A.tril().where(torch.ones(3, 3).tril() > 0, torch.nan),
        equal_nan=True,
    )


def test_the_challenge_is_solved_by_a_run_that_forgets_less_than_two_points():
    kept, lost = np.full((2, 2), np.nan), np.full((2, 2), np.nan)
    kept[[0, 1, 1], [0, 0, 1]], lost[[0, 1, 1], [0, 0, 1]] = (0.9, 0.89, 0.8), (0.9, 0.87, 0.8)
    (challenge,) = AccuracyMatrix.lesson.challenges
    for A, solved in ((kept, True), (lost, False)):
        assert challenge.solved({}, Filled(torch.tensor(A), 2, None)) is solved
    assert challenge.solved({}, Filled(torch.tensor(kept), 1, None)) is False


def test_nobody_waits_for_the_clothes_of_another_seed(monkeypatch):
    panel, found = AccuracyMatrix(stream="permuted pixels"), threading.Event()
    before = panel.clothes.array().copy()

    def late(*arguments):
        assert found.wait(PATIENCE)
        return examples(*arguments)

    monkeypatch.setattr(accuracy_matrix_panel, "examples", late)
    panel.state = {"seed": 4}
    assert panel.looking.is_alive()
    assert np.array_equal(panel.clothes.array(), before)
    found.set()
    panel.looking.join(PATIENCE)
    after = panel.clothes.array().copy()
    assert not np.array_equal(after, before)
    assert np.array_equal(after, AccuracyMatrix(stream="permuted pixels", seed=4).clothes.array())
    monkeypatch.setattr(accuracy_matrix_panel, "examples", None)  # nothing is looked for twice
    panel.state = {"seed": 0, "tasks": 3}
    assert panel.numbers.images.shape[0] == 3
    panel.state = {"tasks": 5}
    assert np.array_equal(panel.clothes.array(), before)


def test_where_there_are_no_samples_the_look_ends_and_is_tried_again(monkeypatch):
    panel = AccuracyMatrix(stream="permuted pixels")

    def missing(*_):
        raise OSError("no samples here")

    monkeypatch.setattr(accuracy_matrix_panel, "examples", missing)
    panel.state = {"seed": 4}
    panel.looking.join(PATIENCE)
    assert panel.numbers.images is None
    monkeypatch.setattr(accuracy_matrix_panel, "examples", examples)
    panel.redraw()
    panel.looking.join(PATIENCE)
    assert panel.numbers.images is not None
