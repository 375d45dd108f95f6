"""Instruments: bytes counted while something runs; none of them knows a rule or a network."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.meters.evaluation import evaluation, mode, untouched
    from workbench.meters.kept import KeptBytes
    from workbench.meters.live import peak_live_bytes
    from workbench.meters.process import give_back_memory, peak_memory, peak_process_bytes
    from workbench.meters.timeline import Moment, Saved, memory_timeline, network_tensors, saved_bytes, saved_tensors

__all__ = [
    "KeptBytes",
    "Moment",
    "Saved",
    "evaluation",
    "give_back_memory",
    "memory_timeline",
    "mode",
    "network_tensors",
    "peak_live_bytes",
    "peak_memory",
    "peak_process_bytes",
    "saved_bytes",
    "saved_tensors",
    "untouched",
]

lazy(__name__)
