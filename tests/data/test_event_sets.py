"""Event sets: packing, pooling, balance and batches."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.event_sets import EventSet, balanced_rows, pack_frames, padded_lengths, unpack_counts


@pytest.mark.parametrize("pool", [1, 2, 3, 6])
def test_packing_and_pooling(pool):
    frames = np.random.default_rng(0).random((70, 5, 2, 6, 6)) < 0.3
    counts = unpack_counts(pack_frames(frames), 5, 6, pool)
    assert counts.dtype == torch.uint8
    assert counts.is_contiguous()
    for bin_, row, p, y, x in [(0, 0, 0, 0, 0), (4, 69, 1, 6 // pool - 1, 0), (2, 64, 0, 0, 6 // pool - 1)]:
        block = frames[row, bin_, p, y * pool : (y + 1) * pool, x * pool : (x + 1) * pool]
        assert counts[bin_, row, p, y, x] == block.sum()
    assert counts.sum() == frames.sum()


def test_pooling_refuses_what_does_not_fit():
    packed = pack_frames(np.zeros((1, 1, 2, 34, 34), bool))
    for pool in (0, 3, 35):
        with pytest.raises(ValueError, match=rf"pool is {pool}, .* one of \[1, 2, 17, 34\]"):
            unpack_counts(packed, 1, 34, pool)
    with pytest.raises(ValueError, match="must fit into one byte"):
        unpack_counts(packed, 1, 34, 17)


@settings(deadline=None)
@given(st.integers(0, 99), st.integers(1, 4))
def test_balanced_rows(seed, per_class):
    labels = np.random.default_rng(3).permutation(np.repeat([0, 4, 9], [4, 5, 7]))
    rows = balanced_rows(labels, per_class, seed)
    assert len(set(rows)) == 3 * per_class
    assert sorted(labels[rows]) == [0] * per_class + [4] * per_class + [9] * per_class
    np.testing.assert_array_equal(rows, balanced_rows(labels, per_class, seed))


def test_balanced_rows_differ_by_seed_and_say_what_there_is():
    labels = np.repeat([0, 1], [40, 30])
    assert sorted(balanced_rows(labels, 20, 0)) != sorted(balanced_rows(labels, 20, 1))
    for per_class in (0, 31):
        with pytest.raises(ValueError, match=f"per_class is {per_class}, expected 1 to 30"):
            balanced_rows(labels, per_class)
    with pytest.raises(ValueError, match="no labels"):
        balanced_rows(np.zeros(0, np.int64), 1)


def test_batch_is_time_first_float_and_in_the_order_asked():
    counts = torch.randint(0, 5, (3, 6, 2, 4, 4), dtype=torch.uint8)
    whole = EventSet(counts, torch.arange(6))
    rows = torch.tensor([4, 0, 4])
    x, y = whole.batch(rows)
    assert x.dtype == torch.float32
    assert x.is_contiguous()
    assert torch.equal(x, torch.stack([counts[:, row].float() for row in rows], 1))
    assert torch.equal(y, rows)
    flat, _ = whole.flatten().batch(rows)
    assert torch.equal(flat, x.flatten(2))
    assert torch.equal(whole.subset(rows).batch(torch.arange(3))[0], x)
    assert whole.flatten().counts.data_ptr() == counts.data_ptr()


def test_lengths_go_with_their_recordings():
    counts = torch.randint(0, 5, (7, 4, 2, 3, 3), dtype=torch.uint8)
    whole = EventSet(counts, torch.arange(4), torch.tensor([3, 7, 5, 1]))
    rows = torch.tensor([2, 0, 2])
    for each in (whole.batch(rows), whole.subset(rows).batch(torch.arange(3)), whole.flatten().batch(rows)):
        x, y, lengths = each
        assert lengths.tolist() == [5, 3, 5]
        assert torch.equal(y, rows)
        assert torch.equal(x.flatten(2), counts[:5, rows].flatten(2).float())  # cut to the longest of them
    x, y = whole.without_lengths().batch(rows)
    assert len(x) == 7


@pytest.mark.parametrize(("filled", "lengths"), [([3, 0, 9], [3, 1, 5]), ([5, 9, 5], None)])
def test_lengths_lie_between_one_step_and_all(filled, lengths):
    found = padded_lengths(torch.tensor(filled), 5)
    assert (None if found is None else found.tolist()) == lengths


def test_packed_frames_of_another_size_are_refused():
    packed = pack_frames(np.zeros((3, 5, 2, 6, 6), bool))
    with pytest.raises(ValueError, match=r"shape \(3, 45\), expected \(recordings, 54\) for 6 bins of 6 × 6 pixels"):
        unpack_counts(packed, 6, 6)
