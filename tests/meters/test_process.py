"""The memory of the whole process."""

import ctypes
import subprocess
import sys

import pytest
import torch

from workbench.meters.process import peak_process_bytes


def allocate(megabytes: int):
    return lambda: torch.ones(megabytes << 18).sum().item()


@pytest.mark.slow
def test_peak_memory_sees_what_a_step_allocates():
    assert peak_process_bytes(allocate, 40) == pytest.approx(40 << 20, rel=0.1)


HOLDS = """
from pathlib import Path
from workbench.meters import give_back_memory

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

blocks = [bytes(2000) for _ in range(50_000)]
last = blocks.pop()  # at the end of all: what lies below stays with the library of C
del blocks
before = held()
give_back_memory()
print(before - held())
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the library of C cannot do so"
)
def test_what_is_free_goes_back_to_the_system():
    run = subprocess.run([sys.executable, "-c", HOLDS], capture_output=True, text=True, check=True, timeout=60)
    assert int(run.stdout) > 80_000_000
