"""What autograd begins and ceases to keep during a step, moment by moment and layer by layer."""

import weakref
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from jaxtyping import Shaped
from torch import Tensor, nn

from workbench.meters.kept import Held, KeptBytes


class Saved(NamedTuple):
    """One memory block that autograd keeps: the shape it was saved with, and its bytes."""

    shape: tuple[int, ...]
    bytes: int


def saved_tensors(forward: Callable[[], object], ignore: Iterable[Shaped[Tensor, "..."]] = ()) -> list[Saved]:
    """Blocks that the graph built by `forward()` keeps, each counted once and whole (a view keeps its whole block).

    `ignore` lists tensors that are alive anyway: parameters, buffers, the data.

    >>> w, x = torch.zeros(3, requires_grad=True), torch.ones(3)
    >>> saved_tensors(lambda: (w * x).exp(), ignore=[w])
    [Saved(shape=(3,), bytes=12), Saved(shape=(3,), bytes=12)]
    """
    alive = {tensor.untyped_storage().data_ptr() for tensor in ignore}
    blocks: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        tensor = tensor.detach()  # see `Held`
        blocks.setdefault(tensor.untyped_storage().data_ptr(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = forward()
    del result
    kept = [t for pointer, t in blocks.items() if pointer not in alive and t.numel()]
    return [Saved(tuple(t.shape), t.untyped_storage().nbytes()) for t in kept]


def saved_bytes(step: Callable[[], object], ignore: Iterable[Shaped[Tensor, "..."]] = ()) -> int:
    """Most bytes that autograd keeps at one moment of `step()`, be it a forward pass or a whole training step."""
    with KeptBytes(*ignore) as kept:
        step()
    return kept.peak


class Moment(NamedTuple):
    """A change of what autograd keeps: the layer that saved it, bytes more (or fewer, < 0), and bytes in all then."""

    layer: str
    change: int
    total: int


def memory_timeline(
    network: nn.Module, step: Callable[[], object], ignore: Iterable[Shaped[Tensor, "..."]] = ()
) -> list[Moment]:
    """Everything that autograd begins and ceases to keep during `step()`, in the order in which it happens.

    A block belongs to the innermost layer that was running when it was saved first; "" is outside the network (a loss).
    """
    timeline = _Timeline(ignore)
    handles = []
    for name, module in network.named_modules():
        handles.append(module.register_forward_pre_hook(lambda *_, name=name: timeline.running.append(name)))
        handles.append(module.register_forward_hook(lambda *_: timeline.leave()))
    try:
        with torch.autograd.graph.saved_tensors_hooks(timeline.pack, lambda held: held.tensor):
            step()
    finally:
        for handle in handles:
            handle.remove()
    return timeline.moments


class _Timeline:
    """Listens to what autograd saves and lets go of."""

    def __init__(self, ignore: Iterable[Tensor]):
        self.ignored = {tensor.untyped_storage().data_ptr() for tensor in ignore}
        self.holders: dict[int, int] = {}
        self.owner: dict[int, str] = {}
        self.running = [""]
        self.moments: list[Moment] = []

    def leave(self) -> None:
        self.running.pop()

    def pack(self, tensor: Tensor) -> Held:
        held = Held(tensor)
        key, size = tensor.untyped_storage().data_ptr(), tensor.untyped_storage().nbytes()
        if size and key not in self.ignored:
            if key not in self.holders:
                self.owner[key] = self.running[-1]
                self._change(key, size)
            self.holders[key] = self.holders.get(key, 0) + 1
            weakref.finalize(held, self._release, key, size)
        return held

    def _release(self, key: int, size: int) -> None:
        self.holders[key] -= 1
        if not self.holders[key]:
            del self.holders[key]
            self._change(key, -size)

    def _change(self, key: int, size: int) -> None:
        total = self.moments[-1].total if self.moments else 0
        self.moments.append(Moment(self.owner[key], size, total + size))


def network_tensors(network: nn.Module) -> list[Shaped[Tensor, "..."]]:
    """Parameters and buffers: what is alive whether or not a step is taken."""
    return [*network.parameters(), *network.buffers()]
