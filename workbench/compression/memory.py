"""Bytes that a training step keeps and needs: by formula, by what autograd saves, and by the process's peak memory.

Formula:   Π n_i numbers for an input that is kept, Π r_i + Σ n_i r_i for its core and bases.
Autograd:  `torch.autograd.graph.saved_tensors_hooks` sees every tensor that a graph keeps for the backward pass.
Process:   the kernel's high-water mark of resident memory, which also sees what neither of the others does.
"""

import ctypes
import multiprocessing
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from workbench.compression.lance import FixedBases
from workbench.compression.tucker import tucker_elements
from workbench.cost import KeptBytes


class Kept(NamedTuple):
    """One compressed layer by formula: sizes and ranks of its modes (None: whole), bytes of X and of S with its U_i."""

    layer: str
    sizes: tuple[int, ...]
    ranks: tuple[int | None, ...]
    input_bytes: int
    kept_bytes: int


def kept_by_formula(network: nn.Module, batch_size: int | None = None) -> list[Kept]:
    """A row per LANCE layer of `network`, for `batch_size` samples, by default as many as it was calibrated with."""
    rows = []
    for path, module in network.named_modules():
        if not isinstance(module, FixedBases):
            continue
        layer = path.removesuffix(".compressor")
        width = network.get_parameter(f"{layer}.weight").element_size()
        sizes = (batch_size or module.sizes[0], *module.sizes[1:])
        ranks = tuple(None if U is None else U.shape[1] for U in module.bases)
        kept = tucker_elements(sizes, ranks)
        rows.append(Kept(layer, sizes, ranks, torch.Size(sizes).numel() * width, kept * width))
    return rows


class Saved(NamedTuple):
    """One memory block that autograd keeps: the shape it was saved with, and its bytes."""

    shape: tuple[int, ...]
    bytes: int


def saved_tensors(forward: Callable[[], object], ignore: Iterable[Tensor] = ()) -> list[Saved]:
    """Blocks that the graph built by `forward()` keeps, each counted once and whole (a view keeps its whole block).

    `ignore` lists tensors that are alive anyway: parameters, buffers, the data.

    >>> w, x = torch.zeros(3, requires_grad=True), torch.ones(3)
    >>> saved_tensors(lambda: (w * x).exp(), ignore=[w])
    [Saved(shape=(3,), bytes=12), Saved(shape=(3,), bytes=12)]
    """
    alive = {tensor.untyped_storage().data_ptr() for tensor in ignore}
    blocks: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        blocks.setdefault(tensor.untyped_storage().data_ptr(), tensor.detach())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = forward()
    del result
    kept = [t for pointer, t in blocks.items() if pointer not in alive and t.numel()]
    return [Saved(tuple(t.shape), t.untyped_storage().nbytes()) for t in kept]


def saved_bytes(step: Callable[[], object], ignore: Iterable[Tensor] = ()) -> int:
    """Most bytes that autograd keeps at one moment of `step()`, be it a forward pass or a whole training step."""
    with KeptBytes(*ignore) as kept:
        step()
    return kept.peak


class Moment(NamedTuple):
    """A change of what autograd keeps: the layer that saved it, bytes more (or fewer, < 0), and bytes in all then."""

    layer: str
    change: int
    total: int


def memory_timeline(network: nn.Module, step: Callable[[], object], ignore: Iterable[Tensor] = ()) -> list[Moment]:
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

    def pack(self, tensor: Tensor) -> "_Held":
        held, key, size = _Held(tensor), tensor.untyped_storage().data_ptr(), tensor.untyped_storage().nbytes()
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


class _Held:
    """A saved tensor; its end of life tells that autograd let go of it."""

    __slots__ = ("__weakref__", "tensor")

    def __init__(self, tensor: Tensor):
        self.tensor = tensor


def network_tensors(network: nn.Module) -> list[Tensor]:
    """Parameters and buffers: what is alive whether or not a step is taken."""
    return [*network.parameters(), *network.buffers()]


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
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # sets the high-water mark back to the present level
    before = _status("VmRSS")
    step()
    sender.send(_status("VmHWM") - before)


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"/proc/self/status has no field {field}")
