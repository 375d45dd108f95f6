"""Five voices: 0.6 s of real speech in five languages as spikes. Ships with the project.

1,000 windows of telephone announcements, 200 of each voice, cut from the Asterisk project's recordings as Debian
packages them (credits and licences: data_cache/LICENSES.md). Each became spikes of 128 channels, from low to high
frequency, in steps of 1 ms. The task: whose voice is it?
"""

import itertools

import numpy as np
import torch
from jaxtyping import Bool, Integer

from workbench.data.delivery.sources import VOICES
from workbench.data.delivery.storage import embedded_file
from workbench.data.event_sets import EventSet
from workbench.data.spike_trains import SpikeTrain, bin_spikes
from workbench.data.split import Split

CHANNELS, DURATION_MS = 128, 600


def voices(step_ms: float = 10.0) -> Split[EventSet]:
    """160 training and 40 test windows of each voice; 600 ms / `step_ms` steps, rounded up, of 128 channels.

    Every window lasts the whole 600 ms, and the silence at the end of some is the speaker's: nothing is padding.

    >>> voices().train.counts.shape
    torch.Size([60, 800, 128])
    """
    if not 0.0 < step_ms <= DURATION_MS:
        raise ValueError(f"step_ms is {step_ms}, expected more than 0 and at most the duration of {DURATION_MS} ms")
    with np.load(embedded_file(VOICES.file, VOICES.sha256), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    trains = split_trains(arrays["dt_ms"], arrays["channel"], arrays["offsets"])
    counts = bin_spikes(trains, int(np.ceil(DURATION_MS / step_ms)), step_ms, CHANNELS)
    everything, is_test = EventSet(counts, torch.from_numpy(arrays["labels"].astype(np.int64))), arrays["is_test"]
    names = tuple(str(name).replace("_f_", " ") for name in arrays["voices"])
    return Split(everything.subset(_rows(~is_test)), everything.subset(_rows(is_test)), names)


def split_trains(
    delays: Integer[np.ndarray, " spike"], channel: Integer[np.ndarray, " spike"], offsets: Integer[np.ndarray, " edge"]
) -> list[SpikeTrain]:
    """Recordings kept one after another: ms since the spike before (or the start), channels, and where each begins."""
    bounds = itertools.pairwise(offsets)
    return [SpikeTrain(delays[a:b].astype(np.int64).cumsum(), channel[a:b].astype(np.int64)) for a, b in bounds]


def _rows(chosen: Bool[np.ndarray, " recording"]) -> torch.Tensor:
    return torch.from_numpy(np.flatnonzero(chosen))
