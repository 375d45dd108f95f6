"""Fetch one file of a data set: checked, never half written, and with one clear message if it fails.

The download itself is pooch's. A file placed by hand is as good as a downloaded one if its checksum fits.
"""

import errno
import gzip
import hashlib
import os
import shutil
import sys
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from workbench.data.delivery.storage import FULL, VARIABLE, locked, reason, written_whole

TIMEOUT_S = 30  # without a byte
SLOWEST = 1000  # bytes per second, as a mean after the first PATIENCE_S
PATIENCE_S = 60
BLOCK = 2**18


class RemoteFile(NamedTuple):
    """A file that is downloaded or placed by hand.

    `md5` is the checksum of the file as it is published. A `.gz` file also has `content_md5`, the checksum
    of its uncompressed bytes, because distributions compress such files anew and people unpack them. `unpacked` is the
    folder in an archive, where it has another name than the archive.
    """

    name: str
    urls: tuple[str, ...]
    md5: str
    size: int
    content_md5: str | None = None
    unpacked: str | None = None


def find(file: RemoteFile, *folders: Path) -> Path | None:
    """The path of `file` in the first folder that has it, as published or unpacked; None if none has.

    Unpacked means: a `.gz` file without that ending, a file or folder named like a `.zip` file without that ending, or
    the folder `file.unpacked`.
    """
    for folder in folders:
        candidates = (folder / file.name, folder / file.name.removesuffix(".gz"))
        path = next((path for path in candidates if os.path.isfile(path)), None)
        unpacked = folder / (file.unpacked or file.name.removesuffix(".zip"))
        if path or os.path.exists(unpacked):
            return path or unpacked
    return None


def check(file: RemoteFile, path: Path) -> None:
    """Raise ValueError, with both checksums, unless `path` has the bytes that `file` promises.

    What was unpacked from a `.zip` file has no published checksum: it is trusted, and the reader of the data set checks
    what it reads.
    """
    if path.is_dir() or path.name == file.name.removesuffix(".zip") != file.name:
        return
    found = _checksum(path)
    if found == file.md5 or (file.content_md5 and _content_checksum(path) == file.content_md5):
        return
    raise ValueError(
        f"{path} is not the file that was published: its MD5 is {found} ({path.stat().st_size} bytes), "
        f"expected {file.md5} (about {file.size} bytes). Delete it and fetch it again.\n"
        f"{_by_hand(file, path.with_name(file.name))}"
    )


def fetch(file: RemoteFile, folder: Path, *also: Path, progress: bool = False) -> Path:
    """The checked path of `file` in `folder` or in one of `also`; downloaded into `folder` if it is in none.

    Two processes may ask for the same file: one downloads, the other waits. Raises ValueError for a wrong
    checksum, ConnectionError if no link could be read to its end, and PermissionError or OSError if the
    folder cannot be written or the disk is full. Each message says what to do.
    """
    path = find(file, folder, *also)
    if path is None:
        path = folder / file.name
        try:
            with locked(path):
                if not path.exists():
                    _download(file, path, progress)
        except OSError as error:
            raise _explained(error, file, path) from None
    check(file, path)
    return path


def _download(file: RemoteFile, path: Path, progress: bool) -> None:
    """Try the links in order until one gives the promised bytes."""
    failures: list[Exception] = []
    for url in file.urls:
        try:
            with written_whole(path) as part:
                _read_link(url, part, file.size, progress)
                found = _checksum(part)
                if found == file.md5:
                    return
                raise ValueError(_wrong_download(found, part.stat().st_size, file))
        except (ValueError, ConnectionError) as error:
            failures.append(error)
    reasons = "".join(f"\n  {url}: {error}" for url, error in zip(file.urls, failures, strict=True))
    kind = ValueError if all(isinstance(error, ValueError) for error in failures) else ConnectionError
    raise kind(f"{file.name} could not be downloaded.{reasons}\n{_by_hand(file, path)}")


class Watch:
    """What pooch takes for a progress bar: it shows one to people, and ends a download that is too large or too slow.

    size: about how many bytes there should be. Raises ConnectionError.
    """

    def __init__(self, part: Path, size: int, shown: bool):
        from tqdm import tqdm

        self._part, self._size, self._started = part, size, time.monotonic()
        self._bar = tqdm(total=size, unit="B", unit_scale=True, disable=not shown, file=sys.stderr)
        self.total = size

    def update(self, count: int) -> None:
        """Look at what is there; pooch calls it after each block, with a number that may be too large."""
        got = self._part.stat().st_size
        self._bar.update(got - self._bar.n)
        seconds = time.monotonic() - self._started
        if got > 1.2 * self._size + BLOCK:
            raise ConnectionError(f"the server sent more than the {_megabytes(self._size)} of this file")
        if seconds > PATIENCE_S and got < SLOWEST * seconds:
            raise ConnectionError(f"the server sent {got} bytes in {seconds:.0f} s, which is too slow to wait for")

    def reset(self) -> None:
        """Pooch fills the bar at the end, which this one is by itself."""

    def close(self) -> None:
        """The end of the bar."""
        self._bar.close()


def _read_link(url: str, part: Path, size: int, progress: bool) -> None:
    """Write the body of `url` to `part`; a failure of the network becomes a ConnectionError of one line."""
    import pooch
    from requests import exceptions as failed

    # The bytes as they are published: a server that compresses on the way would change the checksum.
    plain = {"Accept-Encoding": "identity"}
    bar: Any = Watch(part, size, progress)
    answers: list[Any] = []  # to be closed: pooch leaves that to chance where reading ends early
    note = {"response": lambda answer, **_: answers.append(answer)}
    read = pooch.HTTPDownloader(progressbar=bar, chunk_size=BLOCK, timeout=TIMEOUT_S, headers=plain, hooks=note)
    try:
        read(url, str(part), None)
    except failed.HTTPError as error:
        answer = str(error).partition(" for url")[0]
        raise ConnectionError(f"the server answered {answer}") from None
    except failed.RequestException as error:
        got = part.stat().st_size if part.exists() else 0
        if got:
            raise ConnectionError(f"the connection broke after {got} bytes") from None
        host, kind = urlsplit(url).netloc, type(error).__name__
        raise ConnectionError(f"no answer from {host} ({kind}); is this machine online?") from None
    finally:
        bar.close()
        for answer in answers:
            answer.close()


def _wrong_download(found: str, size: int, file: RemoteFile) -> str:
    return f"the link gave {size} bytes with MD5 {found}, expected about {file.size} bytes with MD5 {file.md5}"


def _explained(error: OSError, file: RemoteFile, path: Path) -> OSError:
    """The same failure, said in words that help: what happened, to which folder, and what to do."""
    if isinstance(error, ConnectionError):
        return error
    elsewhere = f"or set {VARIABLE} to a folder on another disk."
    if error.errno in FULL:
        free = shutil.disk_usage(next(folder for folder in path.parents if folder.exists())).free
        return OSError(
            f"The disk is full: {file.name} needs {_megabytes(file.size)} in {path.parent}, "
            f"{_megabytes(free)} are free. Nothing was kept. Free some space {elsewhere}"
        )
    kind = PermissionError if isinstance(error, PermissionError) or error.errno == errno.EROFS else OSError
    return kind(
        f"{file.name} cannot be written into {path.parent}: {reason(error)}. Make that folder writable, {elsewhere}\n"
        f"{_by_hand(file, path)}"
    )


def _by_hand(file: RemoteFile, path: Path) -> str:
    return (
        f"To place it by hand: open {file.urls[0]} in a browser and save it, unchanged, "
        f"as {path} ({_megabytes(file.size)}, MD5 {file.md5})."
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _checksum(path: Path) -> str:
    with path.open("rb") as stream:
        return _md5(stream.read)


def _content_checksum(path: Path) -> str | None:
    """MD5 of the uncompressed bytes, or None if the gzip stream is damaged."""
    if path.suffix != ".gz":
        return _checksum(path)
    try:
        with gzip.open(path) as stream:
            return _md5(stream.read)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return None


def _md5(read: Callable[[int], bytes]) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for block in iter(partial(read, BLOCK), b""):
        digest.update(block)
    return digest.hexdigest()
