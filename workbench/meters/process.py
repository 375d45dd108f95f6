"""The most memory that a process held, as the system tells it."""

import ctypes
import multiprocessing
import sys
from collections.abc import Callable
from pathlib import Path

import torch


def peak_memory() -> int:
    """Most memory this process ever held, in bytes; 0 where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def give_back_memory() -> None:
    """Return to the system what is free inside this process: the library of C keeps it for later (glibc, Linux)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def peak_process_bytes(build: Callable[..., Callable[[], object]], *args: object) -> int:
    """Peak of resident memory during one `step()` above the level before it, in bytes, where `step = build(*args)`.

    Runs in a fresh process, after one step to warm up, so that memory kept from earlier work does not hide the peak.
    `build` and its arguments must be picklable, hence defined at the top of a module. Linux only (/proc).
    """
    if not Path("/proc/self/clear_refs").exists():
        raise ValueError("peak memory is read from /proc, which this system lacks; use saved_bytes instead")
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_measure_peak, args=(sender, build, args))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        raise ValueError("the measured process ended without a result; its message stands above") from None
    finally:
        process.join()


def _measure_peak(sender, build, args) -> None:
    torch.set_num_threads(1)
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc: give every freed block above 64 KiB back at once
        libc.mallopt(-3, 1 << 16)
    step = build(*args)
    step()
    give_back_memory()
    Path("/proc/self/clear_refs").write_text("5")  # sets the high-water mark back to the present level
    before = _status("VmRSS")
    step()
    sender.send(_status("VmHWM") - before)


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"/proc/self/status has no field {field}")
