"""Bytes that a training step keeps and needs: by formula, by what autograd saves, and by the process's peak memory.

Formula:   Π n_i numbers for an input that is kept, Π r_i + Σ n_i r_i for its core and bases.
Autograd:  `torch.autograd.graph.saved_tensors_hooks` sees every tensor that a graph keeps for the backward pass.
Process:   the kernel's high-water mark of resident memory, which also sees what neither of the others does.
"""

from typing import NamedTuple

import torch
from torch import nn

from workbench.compression.lance import FixedBases
from workbench.compression.tucker import tucker_elements


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
