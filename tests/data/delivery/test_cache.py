"""The cache: made once, also by two processes, whatever happens to its file."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest
from gate import PATIENCE

from workbench.data.delivery import cache
from workbench.data.delivery.cache import cached, fingerprint
from workbench.data.senses.camera import LIKE_NMNIST

QUICK = LIKE_NMNIST._replace(bins=4, steps_per_bin=2)


def made(calls: list[int]) -> np.ndarray:
    calls.append(1)
    return np.arange(12, dtype=np.uint8).reshape(3, 4)


MAKE = """
import sys
from pathlib import Path
import numpy as np
from workbench.data.delivery import cache
locked = cache.locked
def told(path):
    print("at the lock", flush=True)
    return locked(path)
cache.locked = told
def make():
    print("made", flush=True)
    input()
    return np.zeros((2, 3), np.uint8)
cache.cached(Path(sys.argv[1]), make)
"""


def test_fingerprint_changes_with_each_part():
    array = np.arange(4)
    keys = [fingerprint(*parts) for parts in ((1, "a"), ("1a",), (LIKE_NMNIST,), (QUICK,), (array,), (array + 1,))]
    assert len(set(keys)) == len(keys)
    assert fingerprint(QUICK, array) == fingerprint(QUICK, array.copy())


def test_the_cache_makes_once(tmp_path):
    calls: list[int] = []
    path = tmp_path / "new" / "x.npz"
    for _ in range(3):
        np.testing.assert_array_equal(cached(path, lambda: made(calls)), made([]))
    assert calls == [1]


@pytest.mark.parametrize("damage", ["empty", "short", "flipped", "other", "text"])
def test_a_damaged_cache_file_is_made_again(tmp_path, damage):
    path = tmp_path / "x.npz"
    cached(path, lambda: made([]))
    whole = path.read_bytes()
    at = whole.index(made([]).tobytes())
    path.write_bytes(
        {
            "empty": b"",
            "short": whole[: len(whole) // 2],
            "flipped": whole[:at] + b"\xff" + whole[at + 1 :],
            "other": whole.replace(b"packed.npy", b"parked.npy"),
            "text": b"<html>not here</html>",
        }[damage]
    )
    calls: list[int] = []
    np.testing.assert_array_equal(cached(path, lambda: made(calls)), made([]))
    assert calls == [1]
    assert path.read_bytes() == whole


def test_no_damaged_byte_of_a_cache_file_is_an_error_or_another_array(tmp_path):
    """Two bits of each byte, one after the other: the array is read whole, or it is made again."""
    path = tmp_path / "x.npz"
    cached(path, lambda: made([]))
    whole = path.read_bytes()
    for place in range(len(whole)):
        for bit in (1, 128):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
            found = cache._read(path)
            assert found is None or np.array_equal(found, made([]))


def test_a_cache_file_that_unpacks_to_more_than_it_holds_is_made_again(tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, packed=np.zeros((1000, 1000), np.uint8))
    assert path.stat().st_size < 10_000
    np.testing.assert_array_equal(cached(path, lambda: made([])), made([]))


def test_without_a_folder_to_write_the_array_is_made_with_a_warning(tmp_path):
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match=r"x.npz could not be kept in .*WORKBENCH_DATA"):
        array = cached(tmp_path / "file" / "x.npz", lambda: made([]))
    np.testing.assert_array_equal(array, made([]))


def test_a_full_disk_loses_the_cache_but_not_the_array(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez", full)
    calls: list[int] = []
    with pytest.warns(UserWarning, match="the disk is full"):
        cached(tmp_path / "x.npz", lambda: made(calls))
    assert calls == [1]
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_an_error_while_making_is_not_taken_for_one_of_the_cache(tmp_path):
    def missing() -> np.ndarray:
        raise FileNotFoundError("a recording")

    with pytest.raises(FileNotFoundError, match="a recording"):
        cached(tmp_path / "x.npz", missing)


def test_two_processes_make_it_once(tmp_path):
    """The one that makes it is held until the other one stands at the lock too."""
    command = [sys.executable, "-c", MAKE, str(tmp_path / "x.npz")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [subprocess.Popen(command, **pipes) for _ in range(2)]
    assert [process.stdout.readline() for process in running] == ["at the lock\n"] * 2
    for process in running:
        process.stdin.write("\n")
        process.stdin.flush()
    assert sorted(process.stdout.read() for process in running) == ["", "made\n"]
    assert [process.wait(PATIENCE) for process in running] == [0, 0]
    for process in running:
        process.stdin.close()
        process.stdout.close()
