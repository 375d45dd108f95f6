"""Spoken digits from a folder of recordings."""

import wave

import numpy as np
import pytest
import torch
from sklearn.linear_model import RidgeClassifier

from workbench.data.event_sets import EventSet
from workbench.data.sets.spoken_digits import read_sound, spoken_digits
from workbench.data.sets.voices import split_trains
from workbench.data.spike_trains import bin_spikes


def held_out_accuracy(train: EventSet, test: EventSet) -> float:
    """Of a linear classifier on counts in 6 pieces of time."""

    def features(part: EventSet) -> np.ndarray:
        pieces = part.counts.float().tensor_split(6)
        return torch.cat([piece.sum(0) for piece in pieces], 1).sqrt().numpy()

    return float(RidgeClassifier(300.0).fit(features(train), train.labels).score(features(test), test.labels))


def write_wav(path, seconds=0.4, rate=8000, width=2, tone=440.0):
    samples = (np.sin(2 * np.pi * tone * np.arange(int(seconds * rate)) / rate) * 2**14).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, width, rate, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return samples


def test_the_labels_of_real_spoken_digits_fit(recordings):
    with np.load(recordings / "fsdd_spikes128_3000.npz") as z:
        trains = split_trains(z["dt_ms"], z["channel"], z["offsets"])
        counts = bin_spikes(trains, 60, 10.0, 128)
        digits = EventSet(counts, torch.from_numpy(z["labels"].astype(np.int64)))
        test = torch.from_numpy(z["take"] < 5)
    parts = (digits.subset(rows.nonzero()[:, 0]) for rows in (~test, test))
    assert held_out_accuracy(*parts) > 0.8


def test_spoken_digits_from_a_folder(tmp_path):
    (tmp_path / "recordings").mkdir()
    for digit in (0, 7):
        for speaker in ("george", "lucas"):
            for take in (4, 5, 12):
                write_wav(tmp_path / "recordings" / f"{digit}_{speaker}_{take}.wav", tone=300 + 100 * digit)
    train, test, classes = spoken_digits(tmp_path, steps=50)
    assert train.counts.shape == (50, 8, 80)
    assert test.labels.tolist() == [0, 0, 7, 7]
    assert classes[7] == "seven"
    assert not train.counts[38:].any()
    assert train.lengths.tolist() == [38] * 8
    assert train.batch(torch.arange(3))[0].shape == (38, 3, 80)
    assert spoken_digits(tmp_path, steps=38).train.lengths is None  # nothing is padded
    assert len(spoken_digits(tmp_path, test_speaker="lucas").test.labels) == 6
    with pytest.raises(ValueError, match=r"no speaker 'jackson'.*george, lucas"):
        spoken_digits(tmp_path, test_speaker="jackson")
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        spoken_digits(tmp_path, steps=0)


def test_wav_files(tmp_path):
    path = tmp_path / "0_george_1.wav"
    samples = write_wav(path)
    sound = read_sound(path)
    assert sound.rate == 8000
    assert np.array_equal(sound.samples * 2**15, samples)
    write_wav(path, width=1)
    with pytest.raises(ValueError, match="samples of 8 bits, expected 16"):
        read_sound(path)
    path.write_bytes(b"RIFF")
    with pytest.raises(ValueError, match="no whole wav file"):
        read_sound(path)
    with pytest.raises(FileNotFoundError, match=r"7_jackson_32.wav. Download https"):
        spoken_digits(tmp_path / "empty")
