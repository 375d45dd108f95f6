"""Which steps are a sample's own, and which learn, against counting one by one."""

import numpy as np
import pytest
import torch

from workbench.networks.spans import Spans, check_lengths, keep, learning_steps, mean_over_steps, steps_done

LENGTHS = torch.tensor([3, 7, 5, 7])


@pytest.mark.parametrize("last_steps", [None, 1, 3])
def test_every_step_of_every_sample_by_hand(last_steps):
    x = torch.zeros(9, 4, 2)
    run, start, spans = learning_steps(x, last_steps, LENGTHS)
    assert run.shape == (7, 4, 2)
    assert run.data_ptr() == x.data_ptr()
    assert start == (0 if last_steps is None else 3 - last_steps)
    for part in (slice(0, 4), slice(4, 5), slice(5, 7)):
        own, learning = spans.own(part), spans.learning(part)
        for t in range(part.start, part.stop):
            for b, end in enumerate(LENGTHS.tolist()):
                first = 0 if last_steps is None else end - last_steps
                assert (own is None or bool(own[t - part.start, b])) == (t < end)
                assert (learning is None or bool(learning[t - part.start, b])) == (first <= t < end)


def test_a_piece_in_which_all_take_part_needs_no_mask():
    spans = Spans(LENGTHS - 2, LENGTHS)
    assert spans.own(slice(0, 3)) is None
    assert spans.own(slice(0, 4)) is not None
    assert Spans(torch.tensor([1, 2]), torch.tensor([4, 5])).learning(slice(2, 4)) is None


@pytest.mark.parametrize("lengths", [None, torch.full((4,), 9)])
def test_samples_that_are_equally_long_need_no_spans(lengths):
    run, start, spans = learning_steps(torch.zeros(9, 4, 2), 3, lengths)
    assert (len(run), start, spans) == (9, 6, None)
    run, start, spans = learning_steps(torch.zeros(12, 4, 2), 3, torch.full((4,), 9))
    assert (len(run), start, spans) == (9, 6, None)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.uint8])
def test_what_is_not_kept_is_zero_whatever_it_was(dtype):
    x, own = torch.ones(2, 3, 4, 5, dtype=dtype), torch.tensor([[True, False, True], [False, False, True]])
    x[1, 0] = 200
    if dtype.is_floating_point:
        x[0, 1], x[1, 1] = torch.inf, torch.nan
    kept = keep(x, own)
    assert kept.dtype == dtype
    assert kept.sum((2, 3)).tolist() == [[20, 0, 20], [0, 0, 20]]
    assert keep(x, None) is x


def test_means_are_over_the_steps_so_far():
    spans, sums = Spans(LENGTHS, LENGTHS), torch.arange(8.0).view(4, 2)
    assert steps_done(spans, 5).tolist() == [3, 5, 5, 5]
    assert torch.equal(mean_over_steps(sums, steps_done(spans, 5)), sums / torch.tensor([[3], [5], [5], [5]]))
    assert torch.equal(mean_over_steps(sums, steps_done(None, 5)), sums / 5)


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        (LENGTHS.float(), r"whole numbers of shape \(4,\), got torch.float32 of shape \(4,\)"),
        (LENGTHS > 4, r"whole numbers of shape \(4,\), got torch.bool"),
        (LENGTHS[:3], r"whole numbers of shape \(4,\), got torch.int64 of shape \(3,\)"),
        (LENGTHS.tolist(), r"lengths must be a tensor or a NumPy array.*got a list; write torch.tensor"),
        (LENGTHS[:, None], r"got torch.int64 of shape \(4, 1\)"),
        (LENGTHS - 3, r"must lie in 1\.\.9, .*got 0\.\.4"),
        (LENGTHS + 3, r"must lie in 1\.\.9, .*time comes first.*got 6\.\.10"),
    ],
)
def test_lengths_that_do_not_fit_are_quoted(lengths, words):
    with pytest.raises(ValueError, match=words):
        check_lengths(torch.zeros(9, 4, 2), lengths)


@pytest.mark.parametrize("lengths", [LENGTHS.to(torch.uint8), LENGTHS.int(), LENGTHS.numpy().astype(np.uint16)])
def test_whole_numbers_of_any_kind_are_taken(lengths):
    assert torch.equal(check_lengths(torch.zeros(9, 4, 2), lengths), LENGTHS)


def test_more_learning_steps_than_the_shortest_has_are_quoted():
    with pytest.raises(ValueError, match=r"last_steps must lie in 1\.\.3.*got 4"):
        learning_steps(torch.zeros(9, 4, 2), 4, LENGTHS)
