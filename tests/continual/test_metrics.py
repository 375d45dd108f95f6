"""Metrics of an accuracy matrix against loops that spell out their definitions."""

import pytest
import torch

from workbench.continual.metrics import average_accuracy, backward_transfer, forgetting, forward_transfer, gain_over


@pytest.mark.parametrize("n", [1, 2, 5])
def test_metrics_equal_their_definitions(n):
    A = torch.rand(n, n, dtype=torch.float64, generator=torch.Generator().manual_seed(n))
    b = torch.rand(n, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    kept, kept_b = A.clone(), b.clone()
    a = A.tolist()
    mean = lambda values: sum(values) / len(values) if values else 0.0  # noqa: E731
    assert average_accuracy(A) == pytest.approx(mean([a[n - 1][i] for i in range(n)]))
    assert backward_transfer(A) == pytest.approx(mean([a[n - 1][i] - a[i][i] for i in range(n - 1)]))
    assert forward_transfer(A, b) == pytest.approx(mean([a[i - 1][i] - float(b[i]) for i in range(1, n)]))
    lost = [max(a[t][i] for t in range(i, n - 1)) - a[n - 1][i] for i in range(n - 1)]
    assert forgetting(A) == pytest.approx(mean(lost))
    assert torch.equal(A, kept)
    assert torch.equal(b, kept_b)


def test_known_matrix():
    A = torch.tensor([[0.9, 0.3, 0.5], [0.8, 0.7, 0.4], [0.85, 0.6, 0.95]])
    assert average_accuracy(A) == pytest.approx(0.8)
    assert backward_transfer(A) == pytest.approx(-0.075)
    assert forgetting(A) == pytest.approx(0.075)
    assert forward_transfer(A, torch.tensor([0.5, 0.2, 0.3])) == pytest.approx(0.1)


def test_forgetting_is_against_the_best_and_not_the_first():
    A = torch.tensor([[0.5, 0.0, 0.0], [0.9, 0.5, 0.0], [0.4, 0.5, 0.5]])
    assert forgetting(A) == pytest.approx(0.25)
    assert backward_transfer(A) == pytest.approx(-0.05)


def test_tasks_that_were_not_tested_yet_may_be_unknown():
    nan = float("nan")
    A = torch.tensor([[0.9, nan], [0.7, 0.8]])
    assert (average_accuracy(A), backward_transfer(A)) == (pytest.approx(0.75), pytest.approx(-0.2))


@pytest.mark.parametrize("metric", [average_accuracy, backward_transfer, forgetting])
@pytest.mark.parametrize(
    ("A", "message"),
    [
        (torch.tensor([[90.0]]), r"lie in \[0, 1\]"),
        (torch.tensor([[-0.1]]), r"lie in \[0, 1\]"),
        (torch.tensor([[0.5, 0.5], [float("nan"), 0.5]]), "known up to the diagonal"),
        (torch.zeros(0, 0), "no tasks"),
    ],
)
def test_bad_matrices(metric, A, message):
    with pytest.raises(ValueError, match=message):
        metric(A)


def test_forward_transfer_needs_a_baseline_per_task():
    with pytest.raises(ValueError, match="2 of them, got 3"):
        forward_transfer(torch.rand(2, 2), torch.rand(3))


def test_forgetting_does_not_count_the_last_row_as_a_best():
    """A task that got better at the end was not forgotten: the number is negative, not 0."""
    A = torch.tensor([[0.5, 0.0], [0.9, 0.5]])
    assert forgetting(A) == pytest.approx(-0.4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gain_over_a_reference_is_not_forward_transfer(dtype):
    A, R = (torch.rand(4, 4, dtype=dtype, generator=torch.Generator().manual_seed(i)) for i in (1, 2))
    expected = sum(float(A[i, i] - R[i, i]) for i in range(4)) / 4
    assert gain_over(A, R) == pytest.approx(expected, abs=1e-6)
    by_definition = average_accuracy(A) - average_accuracy(R)
    by_definition -= 0.75 * (backward_transfer(A) - backward_transfer(R))
    assert gain_over(A, R) == pytest.approx(by_definition, abs=1e-6)
    assert gain_over(A, R) != pytest.approx(forward_transfer(A, torch.zeros(4)))
    with pytest.raises(ValueError, match="same stream, got 4 and 3 tasks"):
        gain_over(A, R[:3, :3])


@pytest.mark.parametrize("unknown", [float("nan"), -0.1, 1.5])
def test_what_was_known_before_a_task_must_be_an_accuracy(unknown):
    A = torch.tensor([[0.9, unknown], [0.7, 0.8]])
    assert backward_transfer(A) == pytest.approx(-0.2)  # which does not ask for it
    with pytest.raises(ValueError, match=r"accuracies lie in \[0, 1\] and are known one task ahead, got"):
        forward_transfer(A, torch.tensor([0.1, 0.1]))
