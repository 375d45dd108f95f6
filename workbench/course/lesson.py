"""The frame of a notebook: which profile it runs in, and what it took.

`quick` runs each notebook in at most a minute and a half on two cores; `full` takes the papers' settings as far as the
machine allows. Choose with the environment variable WORKBENCH_PROFILE before the kernel starts.
"""

import os
import time
from typing import NamedTuple

import torch

from workbench.meters.process import peak_memory

PROFILES = ("quick", "full")


class Lesson(NamedTuple):
    """A running notebook: its profile and the moment it began."""

    profile: str
    began: float

    def choose(self, quick: object, full: object) -> object:
        """The value for this profile."""
        return quick if self.profile == "quick" else full

    def end(self) -> None:
        """Print time and memory of this notebook."""
        memory = peak_memory()
        used = f", {memory / 2**20:.0f} MB at most" if memory else ""
        print(f"{self.profile} profile: {time.perf_counter() - self.began:.1f} s{used}")


def begin(seed: int = 0, threads: int = 1) -> Lesson:
    """Fix the seed and the number of threads, so that everybody sees the same numbers; read the profile.

    Raises ValueError when WORKBENCH_PROFILE is neither quick nor full.
    """
    profile = os.environ.get("WORKBENCH_PROFILE", "quick")
    if profile not in PROFILES:
        raise ValueError(f"WORKBENCH_PROFILE must be one of {', '.join(PROFILES)}, got {profile!r}")
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    return Lesson(profile, time.perf_counter())
