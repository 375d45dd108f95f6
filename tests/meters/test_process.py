"""The memory of the whole process."""

import pytest
import torch

from workbench.meters.process import peak_process_bytes


def allocate(megabytes: int):
    return lambda: torch.ones(megabytes << 18).sum().item()


@pytest.mark.slow
def test_peak_memory_sees_what_a_step_allocates():
    assert peak_process_bytes(allocate, 40) == pytest.approx(40 << 20, rel=0.1)
