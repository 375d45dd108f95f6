"""FSDD, the Free Spoken Digit Dataset: English digits by six speakers, 50 takes each, 8,000 samples per second.

Jackson et al., <https://github.com/Jakobovski/free-spoken-digit-dataset>, CC BY-SA 4.0. Nothing of it ships with the
project: unpack a release by hand. The files `{digit}_{speaker}_{take}.wav` become spikes by `senses.hearing`.
"""

import re
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, UInt8

from workbench.data.delivery.storage import data_folder, visible, whole_file
from workbench.data.event_sets import EventSet, padded_lengths
from workbench.data.senses.hearing import Ear, spikes_of_sound
from workbench.data.split import Split

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NAME = re.compile(r"(\d)_([A-Za-z]+)_(\d+)\.wav")
TEST_TAKES = 5  # the set's own rule: takes 0 to 4 of each speaker and digit are for testing
PCM, EXTENSIBLE, UNKNOWN = 1, 0xFFFE, 0xFFFFFFFF  # in a wav file: kinds of samples, and a length that nobody knew
LINK = "https://github.com/Jakobovski/free-spoken-digit-dataset"


class Sound(NamedTuple):
    """Samples from −1 to 1, and how many there are per second."""

    samples: Float64[np.ndarray, " sample"]
    rate: int


def spoken_digits(
    folder: str | Path | None = None, steps: int = 60, ear: Ear = Ear(), test_speaker: str | None = None
) -> Split[EventSet]:
    """All recordings in `folder` (by default `fsdd/` in the data folder, or `recordings/` below), ready for training.

    steps: of `ear.step_ms`; longer recordings are cut, shorter ones padded, with their lengths. test_speaker: hold out
    one speaker instead of the takes 0 to 4. Raises FileNotFoundError without a recording, ValueError for a wrong file
    or speaker.
    """
    place = Path(folder) if folder else data_folder() / "fsdd"
    paths = sorted(path for path in place.rglob("*.wav") if visible(path, place))
    found = {path: match for path in paths if (match := NAME.fullmatch(path.name))}
    if not found:
        raise FileNotFoundError(
            f"{place} holds no recording such as 7_jackson_32.wav. Download {LINK} (archive of a release) in a browser "
            "and unpack it there."
        )
    speakers = [match[2] for match in found.values()]
    if test_speaker is not None and test_speaker not in speakers:
        raise ValueError(f"there is no speaker {test_speaker!r} in {place}; there are {', '.join(sorted({*speakers}))}")
    held_out = [m[2] == test_speaker if test_speaker else int(m[3]) < TEST_TAKES for m in found.values()]
    heard = [_heard(path, ear) for path in found]
    lengths = padded_lengths(torch.tensor([len(spikes) for spikes in heard]), steps)
    counts = torch.from_numpy(np.stack([_fit(spikes, steps) for spikes in heard], axis=1))
    labels = torch.tensor([int(match[1]) for match in found.values()])
    everything, test = EventSet(counts, labels, lengths), torch.tensor(held_out)
    train, test = (everything.subset(rows.nonzero()[:, 0]) for rows in (~test, test))
    return Split(train, test, DIGITS)


def read_sound(path: str | Path) -> Sound:
    """A `.wav` file of 16-bit samples (PCM, also in the extensible form of sox and ffmpeg), the mean of its channels.

    Raises ValueError, with the path, for any other and for one that breaks off.
    """
    chunks = _chunks(whole_file(Path(path)), f"{path}")
    form, data = chunks.get(b"fmt "), chunks.get(b"data")
    if form is None or data is None or len(form) < 16:
        raise ValueError(f"{path} is no whole wav file: it has no format or no samples. Unpack it again.")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if kind == EXTENSIBLE and len(form) >= 40:
        (kind,) = struct.unpack_from("<H", form, 24)
    if kind != PCM or not channels or not rate:
        raise ValueError(
            f"{path} has samples in format {kind} with {channels} channels at {rate} per second, expected whole "
            "numbers (PCM, format 1); convert it, for instance with sox in.wav -b 16 -e signed out.wav"
        )
    if bits != 16:
        raise ValueError(f"{path} has samples of {bits} bits, expected 16; convert it: sox in.wav -b 16 out.wav")
    whole = len(data) // (2 * channels) * 2 * channels
    samples = np.frombuffer(data[:whole], "<i2").reshape(-1, channels).mean(1)
    return Sound(samples / 2**15, rate)


def _chunks(data: bytes, name: str) -> dict[bytes, bytes]:
    """The chunks of a RIFF file by their names; ValueError where one breaks off."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError(f"{name} is no whole wav file: it begins with {data[:12]!r}, expected RIFF….WAVE.")
    found, at = {}, 12
    while at + 8 <= len(data):
        kind, (size,) = data[at : at + 4], struct.unpack_from("<I", data, at + 4)
        if kind == b"data" and size == UNKNOWN:  # written to a pipe, which never comes back to fill it in
            size = len(data) - at - 8
        if at + 8 + size > len(data):
            raise ValueError(
                f"{name} is no whole wav file: {size} bytes are promised at byte {at}, {len(data) - at - 8} are there. "
                "Unpack it again."
            )
        found.setdefault(kind, data[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    return found


def _heard(path: Path, ear: Ear) -> UInt8[np.ndarray, "time channels"]:
    try:
        return spikes_of_sound(*read_sound(path), ear)
    except ValueError as error:
        raise ValueError(str(error) if str(path) in str(error) else f"{path}: {error}") from None


def _fit(counts: UInt8[np.ndarray, "time channels"], steps: int) -> UInt8[np.ndarray, "steps channels"]:
    """The first `steps` steps, with empty ones behind where there are fewer."""
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    missing = max(steps - len(counts), 0)
    return np.pad(counts[:steps], ((0, missing), (0, 0)))
