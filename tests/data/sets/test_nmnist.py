"""N-MNIST: the 40-bit format, and the set from zip files or folders."""

import hashlib
import zipfile
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.delivery.sources import NMNIST
from workbench.data.events import bin_events
from workbench.data.sets.nmnist import DURATION_US, decode_nmnist, nmnist, read_nmnist

nmnist_module = import_module("workbench.data.sets.nmnist")  # the face gives the function of this name

EVENT = st.tuples(st.integers(0, 33), st.integers(0, 33), st.integers(0, 1), st.integers(0, 2**23 - 1))


def encode(rows: list[tuple[int, int, int, int]]) -> bytes:
    """Each event (x, y, p, t) as one number of 40 bits: x in bits 39–32, y in 31–24, p in 23, t in 22–0."""
    return b"".join((x << 32 | y << 24 | p << 23 | t).to_bytes(5, "big") for x, y, p, t in rows)


@settings(deadline=None)
@given(st.lists(EVENT))
def test_round_trip(rows):
    decoded = decode_nmnist(encode(rows))
    assert list(zip(decoded.x, decoded.y, decoded.p, decoded.t, strict=True)) == rows
    assert [column.dtype.name for column in decoded] == ["int64", "uint8", "uint8", "uint8"]


@settings(deadline=None)
@given(st.lists(EVENT), st.binary(min_size=1, max_size=4))
def test_a_file_that_breaks_off(rows, rest):
    with pytest.raises(ValueError, match=f"one.bin has {5 * len(rows) + len(rest)} bytes.*at byte {5 * len(rows)}"):
        decode_nmnist(encode(rows) + rest, "one.bin")


@settings(deadline=None)
@given(st.lists(EVENT), st.sampled_from([(34, 0), (0, 34), (255, 255), (240, 33)]))
def test_an_address_that_is_no_pixel(rows, address):
    x, y = address
    with pytest.raises(ValueError, match=f"one.bin .*x={x}, y={y} at byte {5 * len(rows)}, expected 0 to 33"):
        decode_nmnist(encode([*rows, (x, y, 0, 5), (40, 40, 0, 6)]), "one.bin")


def test_overflow_marks_move_the_clock():
    rows = [(1, 1, 0, 10), (0, 240, 0, 0), (2, 2, 1, 20), (0, 240, 0, 0), (3, 3, 1, 30)]
    decoded = decode_nmnist(encode(rows))
    assert decoded.t.tolist() == [10, 20 + 8192, 30 + 16384]
    assert decoded.x.tolist() == [1, 2, 3]


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "00001.bin"
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"00001.bin is empty.*fetch it again"):
        read_nmnist(path)
    path.write_bytes(encode([(1, 2, 1, 3)]))
    assert read_nmnist(path).y.tolist() == [2]


def contents(half: str, per_class: int) -> dict[str, bytes]:
    """Recordings of all digits; the first event of number n of digit d lies at pixel (d, n)."""
    rng = np.random.default_rng(len(half))
    files = {}
    for digit in range(10):
        for number in range(per_class):
            columns = rng.integers(0, [34, 34, 2, DURATION_US + 5000], (50, 4)).tolist()
            more = [(x, y, p, t) for x, y, p, t in columns]
            files[f"{half}/{digit}/{number:05}.bin"] = encode([(digit, number, 1, 0), *more])
    return files


@pytest.fixture
def zipped(tmp_path, monkeypatch) -> Path:
    """A folder filled by hand with two small zip files whose checksums are known."""
    remote = []
    for file, half, per_class in zip(NMNIST.files, ("Train", "Test"), (4, 3), strict=True):
        with zipfile.ZipFile(tmp_path / file.name, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{half}/README", "not a recording")
            archive.writestr(f"__MACOSX/{half}/0/._00000.bin", "not a recording")
            for name, data in contents(half, per_class).items():
                archive.writestr(name, data)
        digest = hashlib.md5((tmp_path / file.name).read_bytes()).hexdigest()
        remote.append(file._replace(md5=digest, urls=("http://nowhere.invalid/",)))
    monkeypatch.setattr(nmnist_module, "NMNIST", NMNIST._replace(files=tuple(remote)))
    return tmp_path


def test_the_whole_set_from_zip_files(zipped):
    split = nmnist(bins=5, folder=zipped)
    assert split.train.counts.shape == (5, 40, 2, 34, 34)
    assert split.test.counts.shape == (5, 30, 2, 34, 34)
    assert split.train.labels.tolist() == sorted([*range(10)] * 4)
    for row, data in enumerate(contents("Train", 4).values()):
        expected = bin_events(decode_nmnist(data), 5, DURATION_US, 34)
        np.testing.assert_array_equal(split.train.counts[:, row].numpy(), expected)


def test_part_of_the_set_is_balanced_and_pooled(zipped):
    split = nmnist(3, 2, seed=4, bins=5, pool=2, folder=zipped)
    assert split.train.counts.shape == (5, 30, 2, 17, 17)
    assert torch.equal(torch.bincount(split.train.labels), torch.full((10,), 3))
    assert torch.equal(torch.bincount(split.test.labels), torch.full((10,), 2))
    whole = nmnist(bins=5, folder=zipped).train
    pooled = whole.counts.unfold(3, 2, 2).unfold(4, 2, 2).sum((-2, -1))
    for row, label in enumerate(split.train.labels):
        candidates = pooled[:, whole.labels == label]
        assert any(torch.equal(split.train.counts[:, row], candidates[:, n]) for n in range(4))
    with pytest.raises(ValueError, match="per_class is 5, expected 1 to 4"):
        nmnist(5, 2, folder=zipped)


def test_unpacked_folders_give_the_same(zipped):
    packed = nmnist(bins=5, folder=zipped)
    for half in ("Train", "Test"):
        with zipfile.ZipFile(zipped / f"{half}.zip") as archive:
            archive.extractall(zipped)
        (zipped / f"{half}.zip").unlink()
    unpacked = nmnist(bins=5, folder=zipped)
    assert torch.equal(packed.train.counts, unpacked.train.counts)
    assert torch.equal(packed.test.labels, unpacked.test.labels)
    # Another recording in the place of one: what was kept of the old one is not used.
    changed = zipped / "Test" / "3" / "00001.bin"
    changed.write_bytes(encode([(9, 9, 0, 1)]))
    assert nmnist(bins=5, folder=zipped).test.counts[:, 10].sum() == 1
    changed.write_bytes(encode([(9, 9, 0, 1)])[:-1])
    with pytest.raises(ValueError, match=r"3/00001.bin has 4 bytes"):
        nmnist(bins=5, folder=zipped)


def test_folders_that_are_no_digits(zipped):
    (zipped / "Train.zip").unlink()
    (zipped / "Train" / "ten").mkdir(parents=True)
    with pytest.raises(ValueError, match="Train has no recording, expected"):
        nmnist(folder=zipped)
    (zipped / "Train" / "ten" / "00001.bin").write_bytes(encode([(9, 9, 0, 1)]))
    with pytest.raises(ValueError, match=r"Train has the recording ten/00001.bin, expected files such as"):
        nmnist(folder=zipped)


def test_a_wrong_zip_file_is_refused(zipped):
    with (zipped / "Test.zip").open("ab") as stream:
        stream.write(b"!")
    with pytest.raises(ValueError, match=r"Test.zip is not the file that was published.*MD5"):
        nmnist(folder=zipped)


def test_without_the_files_the_message_says_where_they_belong(tmp_path, monkeypatch):
    offline = tuple(file._replace(urls=("http://nowhere.invalid/train",)) for file in NMNIST.files)
    monkeypatch.setattr(nmnist_module, "NMNIST", NMNIST._replace(files=offline))
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    with pytest.raises(ConnectionError, match=rf"http://nowhere.invalid/train.*\n.*{tmp_path}/nmnist/Train.zip"):
        nmnist()
