"""The IDX format, and whole sets from its files."""

import contextlib
import gzip
import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from idx_files import encode_idx

from workbench.data.delivery.fetch import RemoteFile
from workbench.data.delivery.sources import IDX_NAMES, Source
from workbench.data.sets.idx import decode_idx, idx_split


def small_source(n_labels: int = 3) -> tuple[Source, dict[str, bytes]]:
    """A set of three training and two test images of 4×5 pixels, and the bytes of its four files."""
    rng = np.random.default_rng(0)
    contents = [
        encode_idx(rng.integers(0, 256, (3, 4, 5), np.uint8)),
        encode_idx(np.arange(n_labels, dtype=np.uint8)),
        encode_idx(rng.integers(0, 256, (2, 4, 5), np.uint8)),
        encode_idx(np.array([1, 0], np.uint8)),
    ]
    files = [
        RemoteFile(name, ("http://nowhere.invalid/" + name,), "0" * 32, 9, hashlib.md5(content).hexdigest())
        for name, content in zip(IDX_NAMES, contents, strict=True)
    ]
    return Source("tiny", "", "", "tiny", tuple(files)), dict(zip(IDX_NAMES, contents, strict=True))


@settings(deadline=None)
@given(arrays(np.uint8, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5)))
def test_idx_round_trip(array):
    np.testing.assert_array_equal(decode_idx(encode_idx(array), "x", array.ndim), array)


@settings(deadline=None)
@given(st.binary(max_size=40), st.integers(1, 3))
def test_idx_of_noise_is_refused_or_read(data, dimensions):
    with contextlib.suppress(ValueError):
        assert encode_idx(decode_idx(data, "noise", dimensions)) == data


def test_idx_messages():
    whole = encode_idx(np.zeros((2, 3, 3), np.uint8))
    with pytest.raises(ValueError, match=r"a\.gz starts with 00000803, expected 00000801"):
        decode_idx(whole, "a.gz", 1)
    with pytest.raises(ValueError, match="ends after 9 bytes, within its header of 16"):
        decode_idx(whole[:9], "a.gz", 3)
    with pytest.raises(ValueError, match=r"promises \(2, 3, 3\) values in its header but holds 17"):
        decode_idx(whole[:-1], "a.gz", 3)


def test_a_split_is_read_from_a_folder_filled_by_hand(tmp_path):
    source, contents = small_source()
    for name, content in contents.items():
        (tmp_path / name).write_bytes(gzip.compress(content))
    unpacked = tmp_path / IDX_NAMES[1].removesuffix(".gz")
    unpacked.write_bytes(contents[IDX_NAMES[1]])
    (tmp_path / IDX_NAMES[1]).unlink()
    split = idx_split(source, ("a", "b", "c"), tmp_path)
    np.testing.assert_array_equal(split.train.images, decode_idx(contents[IDX_NAMES[0]], "", 3))
    assert split.train.labels.tolist() == [0, 1, 2]
    assert split.test.labels.tolist() == [1, 0]
    with pytest.raises(ValueError, match="tiny has labels 0 to 2, expected 0 to 1"):
        idx_split(source, ("a", "b"), tmp_path)
    unpacked.write_bytes(b"other")
    with pytest.raises(ValueError, match="not the file that was published"):
        idx_split(source, ("a", "b", "c"), tmp_path)


def test_images_and_labels_of_different_sets(tmp_path):
    source, contents = small_source(n_labels=2)
    for name, content in contents.items():
        (tmp_path / name).write_bytes(gzip.compress(content))
    with pytest.raises(ValueError, match="tiny has 3 images but 2 labels"):
        idx_split(source, ("a", "b", "c"), tmp_path)
