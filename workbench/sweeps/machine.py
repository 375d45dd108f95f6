"""What made a number: device, processor and versions, so that nobody compares two machines without knowing it."""

import platform
from pathlib import Path

import torch

from workbench.training.checkpoint import versions

CPU_INFO = Path("/proc/cpuinfo")


def made_by(device: str | None = None) -> dict[str, str | int]:
    """Device, processor, threads of PyTorch, and versions, as words and numbers.

    >>> sorted(made_by())
    ['device', 'processor', 'python', 'threads', 'torch', 'workbench']
    """
    return {
        "device": device_name(device),
        "processor": processor(),
        "threads": torch.get_num_threads(),
        **versions(),
    }


def device_name(device: str | None) -> str:
    """The name of an accelerator, or "cpu"."""
    place = torch.device(device or "cpu")
    return torch.cuda.get_device_name(place) if place.type == "cuda" else place.type


def processor() -> str:
    """The processor as the system calls it, and its kind."""
    name = ""
    if CPU_INFO.is_file():
        lines = CPU_INFO.read_text("utf-8", "replace").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{name or platform.processor() or 'unknown'} ({platform.machine()})"
