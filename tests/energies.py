"""Activations whose directions hold equal energy: for tests only."""

import torch

DTYPES = [torch.float32, torch.float64]
SIZES = (10, 6)  # equal energy along ten inputs: ε = 0.55 takes six of them, 0.75 takes eight


def equal_energies(dtype):
    """Each sample is one unit vector, each direction ten times; labels do not matter."""
    return torch.eye(10, dtype=dtype).repeat(10, 1), torch.arange(100) % 2
