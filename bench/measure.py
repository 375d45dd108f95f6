"""How benchmarks measure: medians of alternating runs in one process, and peak memory in a process of its own."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch

from workbench.kernels import compile_all


class Timing(NamedTuple):
    """Medians in seconds: elapsed, and of the processor, which other programs on the machine disturb less."""

    elapsed: float
    processor: float


def alternate(ours: Callable[[], object], peer: Callable[[], object], repeats: int = 7) -> tuple[float, float]:
    """Median seconds of `ours` and of `peer`, run in turn A B A B after one untimed run of each."""
    one, other = timings(ours, peer, repeats)
    return one.elapsed, other.elapsed


def timings(ours: Callable[[], object], peer: Callable[[], object], repeats: int = 7) -> tuple[Timing, Timing]:
    """Medians of `ours` and of `peer`, run in turn A B A B after one untimed run of each."""
    times: tuple[list[Timing], list[Timing]] = ([], [])
    for turn in range(repeats + 1):
        for run, kept in zip((ours, peer), times, strict=True):
            started = time.perf_counter(), time.process_time()
            run()
            if turn:
                kept.append(Timing(time.perf_counter() - started[0], time.process_time() - started[1]))
    return tuple(Timing(*map(statistics.median, zip(*kept, strict=True))) for kept in times)  # pyright: ignore


def compared(name: str, peer: str, ours: Timing, theirs: Timing, **numbers: object) -> dict[str, object]:
    """The report of a benchmark of speed."""
    return {
        "name": name,
        "peer": peer,
        "ratio": theirs.elapsed / ours.elapsed,
        "processor_ratio": theirs.processor / ours.processor,
        "seconds": ours.elapsed,
        "peer_seconds": theirs.elapsed,
        **numbers,
    }


def product_peak(repeats: int = 9) -> float:
    """Multiply-accumulates per second of the best of three square matrix products, now, on this machine."""
    best = 0.0
    for size in (256, 512, 1024):
        a, b = torch.randn(size, size), torch.randn(size, size)
        for _ in range(repeats):
            started = time.process_time()
            torch.mm(a, b)
            best = max(best, size**3 / max(time.process_time() - started, 1e-9))
    return best


def one_thread() -> None:
    """Single-threaded products, so that both sides use the same part of the machine."""
    torch.set_num_threads(1)


def peak_extra_bytes(run: Callable[[], object], warm_up: Callable[[], object]) -> int:
    """How far the resident memory of this process rises above where it stood, while `run` runs once (Linux).

    `warm_up` must use the same code on a tiny input: libraries load their kernels on first use. Compiled loops, which
    rules do not take for what is tiny, are loaded besides.
    """
    compile_all()
    warm_up()
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    before = _status("VmRSS")
    run()
    return _status("VmHWM") - before


def in_process(module: str, *arguments: object) -> int:
    """Run `python -m module arguments` and return the integer that it prints last.

    glibc is told to give freed blocks back at once (its threshold for that otherwise moves), so that resident memory
    is what is in use and not what was.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    root, environment = Path(__file__).parents[1], {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root, env=environment)
    return int(done.stdout.split()[-1])


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"/proc/self/status has no {field}")
