"""Where data files lie, and how they are written so that nobody ever reads half a file."""

import errno
import hashlib
import itertools
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

CHECKOUT = Path(__file__).resolve().parents[3]
VARIABLE = "WORKBENCH_DATA"
FULL = (errno.ENOSPC, errno.EDQUOT)  # what systems say of a disk without room
_NUMBERS = itertools.count()  # of the files that this process is writing


def data_folder(folder: str | Path | None = None) -> Path:
    """The folder for downloads and caches; it need not exist yet.

    The first of: the argument, the environment variable `WORKBENCH_DATA`, `data_cache/` of a source
    checkout, the user's cache folder. Each data set has a folder of its own in it.

    >>> data_folder("shared/sets").as_posix()
    'shared/sets'
    """
    chosen = folder or os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    if (CHECKOUT / "data_cache" / "LICENSES.md").is_file():
        return CHECKOUT / "data_cache"
    import pooch

    return pooch.os_cache("local-learning-workbench")


def embedded_file(name: str, sha256: str) -> Path:
    """The path of a file that ships with the project, in an installed package or in a checkout.

    Raises FileNotFoundError if it is missing and ValueError if its SHA-256 is another one.
    """
    places = (Path(__file__).parents[1] / "embedded" / name, CHECKOUT / "data_cache" / name)
    path = next((place for place in places if place.is_file()), None)
    repair = "Install the project again, or restore the file from its repository."
    if path is None:
        looked = " and ".join(str(place) for place in places)
        raise FileNotFoundError(f"The embedded data file {name} is missing (looked for {looked}). {repair}")
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        raise ValueError(f"{path} is damaged: its SHA-256 is {found}, expected {sha256}. {repair}")
    return path


def whole_file(path: Path) -> bytes:
    """The bytes of a file of a data set; ValueError, with the path, where there are none."""
    data = path.read_bytes()
    if not data:
        raise ValueError(f"{path} is empty: it was not unpacked or copied to its end. Delete it and fetch it again.")
    return data


def visible(path: Path, folder: Path) -> bool:
    """Whether neither the file nor a folder between it and `folder` is hidden: systems keep their own things there."""
    return not any(part.startswith(".") for part in path.relative_to(folder).parts)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block ends well, else remove it.

    The temporary name is fixed, so that the rest of a killed run is overwritten by the next one.
    Two processes must not write the same path at once: hold `locked(path)`.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def written_unlocked(path: Path) -> Iterator[Path]:
    """As `written_whole`, where nobody holds a lock: the last of two processes that write the same path wins.

    The temporary name tells machine and process. What a killed process of this machine left beside `path` is removed.
    """
    stem = _stem(path)
    for rest in path.parent.glob(f"{_plain(stem)}*.part"):
        if not _is_running(rest.name.removeprefix(stem).partition(".")[0]):
            with suppress(OSError):
                rest.unlink()
    part = _own_part(path)
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def try_to_write(path: Path) -> None:
    """Raise OSError, saying what to do, unless a file can be written at `path`; makes its folder, leaves no file."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file, such as {path / 'run.safetensors'}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = _own_part(path)
        try:
            part.write_bytes(b"")
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from None


def unwritable(path: Path, error: OSError) -> OSError:
    """The same failure to write `path`, of the same kind, in words that say what to do."""
    why, remedy = reason(error), "name a file in a folder that you can write"
    if error.errno in FULL:
        remedy = "free some space, or name a file on another disk"
    elif error.errno == errno.EFBIG:
        why, remedy = "a file may not be as large here (see `ulimit -f`)", "name a file on another disk"
    return type(error)(f"{path} cannot be written: {why}. Nothing was changed; {remedy}.")


def reason(error: OSError) -> str:
    """Why a file cannot be written, in words."""
    return "the disk is full" if error.errno in FULL else error.strerror or str(error)


def _stem(path: Path) -> str:
    """How the temporary names of `path` begin on this machine; the number of the process follows."""
    return f".{path.name}.{platform.node()}."


def _own_part(path: Path) -> Path:
    """A temporary name beside `path` that nobody else has."""
    return path.with_name(f"{_stem(path)}{os.getpid()}.{next(_NUMBERS)}.part")


def _plain(name: str) -> str:
    """A name for `glob` in which nothing is a wildcard."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _is_running(number: str) -> bool:
    """Whether a process of this machine has this number; True where that cannot be told."""
    if os.name != "posix" or not number.isdigit():
        return True
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time work on `path`; makes its folder. The system frees the lock of a dead one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        yield
