"""What a rule costs, measured: bytes that autograd keeps, and the peak memory of the process.

The papers give costs by formula (S-TLLR, section 4.3). Here they are counted while a rule runs, so that a formula and
a measurement can stand side by side.
"""

import weakref
from types import TracebackType

import torch
from jaxtyping import Shaped
from torch import Tensor


class KeptBytes:
    """Counts the bytes that autograd keeps for the backward pass, as long as it keeps them.

    Storage shared by several saved tensors counts once. Tensors that exist anyway do not count: name them, usually the
    network's parameters and the input.

    >>> network, x = torch.nn.Linear(100, 10), torch.ones(32, 100)
    >>> with KeptBytes(*network.parameters(), x) as kept:
    ...     network(x).square().sum().backward()
    >>> kept.peak  # the output, 32 times 10 numbers, for the slope of its square
    1280
    """

    def __init__(self, *existing: Shaped[Tensor, "..."]):
        self._excluded = {tensor.untyped_storage().data_ptr() for tensor in existing}
        self._holders: dict[int, int] = {}
        self.now = 0
        self.peak = 0

    def __enter__(self) -> "KeptBytes":
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._pack, _unpack)
        self._hooks.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hooks.__exit__(kind, error, trace)

    def _pack(self, tensor: Tensor) -> "Held":
        storage = tensor.untyped_storage()
        key, size = storage.data_ptr(), storage.nbytes()
        kept = Held(tensor)
        if key in self._excluded:
            return kept
        if key not in self._holders:
            self.now += size
            self.peak = max(self.peak, self.now)
        self._holders[key] = self._holders.get(key, 0) + 1
        weakref.finalize(kept, self._release, key, size)
        return kept

    def _release(self, key: int, size: int) -> None:
        self._holders[key] -= 1
        if not self._holders[key]:
            del self._holders[key]
            self.now -= size


class Held:
    """A saved tensor; its end of life tells that autograd let go of it.

    It is held without its history: a graph whose node saves its own result (exp, rsqrt, softmax) would else hold itself
    for ever, unless it is run backwards. autograd gives the history back by itself.
    """

    __slots__ = ("__weakref__", "tensor")

    def __init__(self, tensor: Shaped[Tensor, "..."]):
        self.tensor = tensor.detach()


def _unpack(kept: Held) -> Tensor:
    return kept.tensor
