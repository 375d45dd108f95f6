"""Sequences of one's own: padded at the end, with their lengths."""

import pytest
import torch

from workbench.data.sequences import sequences


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.uint8])
@pytest.mark.parametrize("features", [(3,), (2, 4, 4)])
def test_what_went_in_comes_out_cut_to_its_length(dtype, features):
    torch.manual_seed(0)
    inputs = [torch.randint(1, 9, (steps, *features)).to(dtype) for steps in (4, 9, 1, 6)]
    some = sequences(inputs, torch.arange(4))
    rows = torch.tensor([2, 0, 3, 0])
    x, y, lengths = some.batch(rows)
    assert x.dtype == dtype
    assert x.shape == (6, 4, *features)
    assert torch.equal(y, rows)
    assert lengths.tolist() == [1, 4, 6, 4]
    for place, row in enumerate(rows.tolist()):
        assert torch.equal(x[: lengths[place], place], inputs[row])
        assert not x[lengths[place] :, place].any()


def test_targets_may_be_of_any_shape():
    flows = torch.rand(2, 2, 5)
    assert torch.equal(sequences([torch.ones(3, 4), torch.ones(1, 4)], flows).batch(torch.tensor([1]))[1], flows[1:])


def test_wrong_sequences_are_named():
    with pytest.raises(ValueError, match="got 2 sequences and 3 labels"):
        sequences([torch.ones(3, 4)] * 2, torch.arange(3))
    with pytest.raises(ValueError, match="got 0 sequences"):
        sequences([], torch.arange(0))
    with pytest.raises(ValueError, match=r"sequence 1 has shape \(3, 5\), expected \(time, \*\(4,\)\)"):
        sequences([torch.ones(3, 4), torch.ones(3, 5)], torch.arange(2))
    with pytest.raises(ValueError, match=r"sequence 1 has shape \(0, 4\).*at least one step"):
        sequences([torch.ones(3, 4), torch.ones(0, 4)], torch.arange(2))
