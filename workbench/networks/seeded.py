"""First weights from a seed: the same from every thread, and without a trace in torch's own generator.

Layers of torch draw their first weights from one generator that the whole process shares. Whoever seeds it disturbs
everybody else who draws, and two threads that seed and draw at once get numbers of each other. So all drawing of this
library happens inside `seeded`, one thread at a time, on a generator that is put back as it was.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_DRAWING = threading.RLock()  # torch has one generator for layers, so that one thread draws at a time


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside, torch draws on the processor as after `torch.manual_seed(seed)`; afterwards as if nothing had been drawn.

    >>> with seeded(0):
    ...     network = torch.nn.Linear(2, 1)
    >>> network.weight
    Parameter containing:
    tensor([[-0.0053,  0.3793]], requires_grad=True)
    """
    with _DRAWING, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
