"""Compiles the inner loops before the first batch asks for them: in the background for the app, at once elsewhere.

A loop is compiled when it is first called, which takes about a second for each; numba keeps the result on disk, and
later processes read it. `python -m workbench.kernels.warm_up` fills that cache once for all.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.utils import skip_init

from workbench.background import start_thread
from workbench.kernels.choice import Loops, compiled_kernels, current_loops
from workbench.kernels.plain import Kernels, Weighing
from workbench.neurons.lif import Neuron, soft_reset


class WarmUp:
    """Compiles all loops in a daemon thread, from the moment it is made.

    `loops()` is what a run takes that starts now. It is asked once, at the start of a run, whose numbers then do not
    depend on when compiling ends.
    """

    def __init__(self) -> None:
        self._done, self._stopped = threading.Event(), threading.Event()
        start_thread(self._work, self._stopped.set, "compile loops")

    def loops(self) -> Loops:
        """The plain loops until the compiled ones can be called without waiting."""
        return current_loops() if self._done.is_set() else Loops.PLAIN

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end; whether it came."""
        return self._done.wait(timeout)

    def _work(self) -> None:
        try:
            compile_all(stopped=self._stopped.is_set)
        finally:
            self._done.set()


@torch.no_grad()
def compile_all(dtype: torch.dtype = torch.float32, stopped: Callable[[], bool] = bool) -> bool:
    """Call every compiled loop once in this precision; False where there are none. `stopped()` ends it in between."""
    kernels = compiled_kernels()
    if kernels is not None:
        for _ in call_each(kernels, dtype):
            if stopped():
                break
    return kernels is not None


def call_each(kernels: Kernels, dtype: torch.dtype) -> Iterator[None]:
    """Every function of `kernels` once, on tensors of a few entries, one at a time.

    Nothing is drawn: torch has one generator for all threads, and others may be drawing first weights from it.
    """
    x = torch.eye(9, dtype=dtype)
    steps = x.repeat(2, 1, 1)
    events = kernels.find_events(x)
    assert events is not None
    yield
    kernels.add_outer(torch.zeros_like(x), events, x)
    yield
    kernels.fire(steps.clone(), Neuron(), soft_reset, x)
    kernels.fire(steps.clone(), Neuron(), soft_reset, x, x.T, x)  # a row for each input, see `run_layout`
    yield
    kernels.run_h(steps, x, 0.5)
    yield
    kernels.output_side(steps, steps, steps, Weighing(0.5, 1.0, 1.0))
    yield
    kernels.weigh_synapses(x, kernels.filter_synapses(x.new_zeros(9, 9, 9), x, x, 0.5))
    yield
    connection: Any = skip_init(nn.Conv2d, 1, 1, 1, dtype=dtype)
    for parameter in connection.parameters():
        nn.init.zeros_(parameter)
    image = torch.zeros(1, 1, 4, 4, dtype=dtype)
    kernels.convolve(connection, image, connection.weight, connection.bias)
    yield
    kernels.add_filters(connection, torch.zeros_like(connection.weight), image, image)


if __name__ == "__main__":
    print("The loops are compiled." if compile_all() else "numba is not installed; the plain loops are used.")
