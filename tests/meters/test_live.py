"""Bytes that live at once, of what is known to keep them."""

import torch

from workbench.meters.live import peak_live_bytes


def test_live_bytes_counts_what_a_list_keeps():
    kept = []
    assert peak_live_bytes(lambda: kept.extend(torch.ones(1000, dtype=torch.float64) for _ in range(5))) >= 40_000
    passing = peak_live_bytes(lambda: [torch.ones(1000, dtype=torch.float64).sum().item() for _ in range(5)])
    assert 8_000 <= passing < 16_000  # one at a time, and none at the end
