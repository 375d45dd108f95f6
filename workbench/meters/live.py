"""Bytes that PyTorch's allocator hands out while a function runs: everything, whoever keeps it and why.

`meters.KeptBytes` sees what autograd saves. A rule may also keep lists of its own; the allocator sees those.
"""

import gc
import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # PyTorch's profiler otherwise tells when it starts and stops

from torch.profiler import ProfilerActivity, profile


def peak_live_bytes(run: Callable[[], object]) -> int:
    """The most bytes of tensors on the CPU that were alive at once beyond those that were there before.

    >>> import torch
    >>> peak_live_bytes(lambda: torch.zeros(1000).add(1.0).sum()) >= 8000
    True
    """
    gc.collect()  # what others left behind is not freed in the middle
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run()
    events: list[Any] = profiler.profiler.kineto_results.events()  # pyright: ignore[reportOptionalMemberAccess]
    changes = sorted((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]")
    live = peak = 0
    for _, change in changes:
        live += change
        peak = max(peak, live)
    return peak
