"""Sound as spikes: binning, the embedded voices, the ear, spoken digits from a folder, and SHD's form."""

import wave
import zipfile
from importlib import import_module

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import RidgeClassifier

from workbench.data.event_sets import EventSet
from workbench.data.senses.hearing import Ear, level_crossings, loudness, mel_filters, spikes_of_sound
from workbench.data.sets.shd import CLASSES, read_spike_file, shd
from workbench.data.sets.spoken_digits import read_sound, spoken_digits
from workbench.data.sets.voices import split_trains, voices
from workbench.data.spike_trains import SpikeTrain, bin_spikes

shd_module = import_module("workbench.data.sets.shd")  # the face gives the function of this name


def train_of(*spikes: tuple[float, int]) -> SpikeTrain:
    time, channel = np.array(spikes, float).reshape(-1, 2).T
    return SpikeTrain(time, channel.astype(np.int64))


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.floats(0, 200), st.integers(0, 3)), max_size=20),
    st.integers(1, 9),
    st.sampled_from([0.5, 3.0, 10.0]),
)
def test_binning_one_spike_after_the_other(spikes, steps, step_ms):
    counts = np.zeros((steps, 4), int)
    for time, channel in spikes:
        if time < steps * step_ms:
            counts[int(time / step_ms), channel] += 1
    assert np.array_equal(bin_spikes([train_of(*spikes)], steps, step_ms, 4)[:, 0], counts)


def test_a_count_stays_in_its_byte():
    assert bin_spikes([train_of(*[(0.0, 0)] * 300)], 1, 1.0, 1).item() == 255


@pytest.mark.parametrize(
    ("spikes", "words"),
    [
        ([(-1.0, 0)], "a spike at -1.0 ms, expected times from 0 on"),
        ([(float("nan"), 0)], "a spike at nan ms"),
        ([(1.0, 4)], "channels 4 to 4, expected 0 to 3"),
        ([(1.0, -1)], "channels -1 to -1"),
    ],
)
def test_bad_spikes_are_named(spikes, words):
    with pytest.raises(ValueError, match=words):
        bin_spikes([train_of(*spikes)], 5, 1.0, 4)


def test_bad_bins_are_named():
    for arguments in ((0, 1.0, 4), (5, 0.0, 4), (5, 1.0, 0)):
        with pytest.raises(ValueError, match="must be positive"):
            bin_spikes([train_of((0.0, 0))], *arguments)
    with pytest.raises(ValueError, match="no recording"):
        bin_spikes([], 5, 1.0, 4)
    with pytest.raises(ValueError, match="2 times and 1 channels"):
        bin_spikes([SpikeTrain(np.zeros(2), np.zeros(1, int))], 5, 1.0, 4)


def held_out_accuracy(train: EventSet, test: EventSet) -> float:
    """Of a linear classifier on counts in 6 pieces of time."""

    def features(part: EventSet) -> np.ndarray:
        pieces = part.counts.float().tensor_split(6)
        return torch.cat([piece.sum(0) for piece in pieces], 1).sqrt().numpy()

    return float(RidgeClassifier(300.0).fit(features(train), train.labels).score(features(test), test.labels))


def test_the_voices_are_balanced_and_their_labels_fit():
    train, test, classes = voices()
    assert train.counts.shape == (60, 800, 128)
    assert train.labels.bincount().tolist() == [160] * 5
    assert test.labels.bincount().tolist() == [40] * 5
    assert len(classes) == 5
    assert "Allison" in classes[0]
    assert held_out_accuracy(train, test) > 0.65


def test_a_coarser_step_adds_the_spikes_up():
    fine, coarse = voices(10.0).test.counts, voices(50.0).test.counts
    assert torch.equal(fine.int().view(12, 5, 200, 128).sum(1), coarse.int())
    for wrong in (0.0, 601.0):
        with pytest.raises(ValueError, match="step_ms is"):
            voices(wrong)


def test_the_labels_of_real_spoken_digits_fit(recordings):
    with np.load(recordings / "fsdd_spikes128_3000.npz") as z:
        trains = split_trains(z["dt_ms"], z["channel"], z["offsets"])
        counts = bin_spikes(trains, 60, 10.0, 128)
        digits = EventSet(counts, torch.from_numpy(z["labels"].astype(np.int64)))
        test = torch.from_numpy(z["take"] < 5)
    parts = (digits.subset(rows.nonzero()[:, 0]) for rows in (~test, test))
    assert held_out_accuracy(*parts) > 0.8


def test_the_loudest_band_of_a_tone_holds_its_frequency():
    ear, rate = Ear(bands=20), 8000
    frequencies = np.linspace(0, rate / 2, 101)
    filters = mel_filters(ear, 101, rate)
    for tone in (300.0, 1000.0, 3000.0):
        band = int(loudness(np.sin(2 * np.pi * tone * np.arange(4000) / rate), rate, ear)[5].argmax())
        assert filters[np.abs(frequencies - tone).argmin(), band] == filters[np.abs(frequencies - tone).argmin()].max()
    assert (filters.sum(0) > 0).all()


def test_loudness_does_not_know_the_volume_but_silence_does():
    wave_form = np.random.default_rng(0).normal(size=3000)
    assert np.allclose(loudness(wave_form, 8000), loudness(100 * wave_form, 8000))
    assert not spikes_of_sound(np.zeros(3000), 8000).any()


def test_twice_as_loud_is_a_fixed_number_of_spikes():
    """A tone that gets louder by a factor e² in amplitude, e⁴ in energy, crosses the level 4 / θ times."""
    t = np.arange(8000) / 8000
    tone = np.sin(2 * np.pi * 1000 * t) * np.where(t < 0.5, np.exp(-2.0), 1.0)
    ear = Ear(bands=10, threshold=0.5, silence=1e-12)
    counts = spikes_of_sound(tone, 8000, ear).astype(int)
    band = int(loudness(tone, 8000, ear)[-1].argmax())
    assert counts[:, 2 * band + 1].sum() - counts[:, 2 * band].sum() == 8


def test_a_spike_waits_for_the_whole_threshold():
    level = np.array([[0.0], [0.9], [1.1], [0.2], [-0.1]])
    assert level_crossings(level, 1.0).tolist() == [[0, 0], [0, 0], [0, 1], [0, 0], [1, 0]]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.floats(0.1, 2.0))
def test_spikes_rebuild_the_level_within_a_threshold(seed, threshold):
    level = np.random.default_rng(seed).normal(size=(30, 3)).cumsum(0)
    counts = level_crossings(level, threshold).reshape(30, 3, 2).astype(int)
    rebuilt = level[0] + threshold * (counts[..., 1] - counts[..., 0]).cumsum(0)
    assert (np.abs(rebuilt - level) < threshold * (1 + 1e-6)).all()


@pytest.mark.parametrize(
    ("samples", "rate", "ear", "words"),
    [
        (np.zeros(100), 8000, Ear(), "at least 200 finite samples"),
        (np.full(500, np.nan), 8000, Ear(), "finite"),
        (np.zeros((500, 2)), 8000, Ear(), r"shape \(500, 2\)"),
        (np.zeros(500), 4000, Ear(), "below half the rate, 2000.0 Hz"),
        (np.zeros(500), 8000, Ear(bands=0), "an ear needs bands"),
        (np.zeros(500), 8000, Ear(threshold=0.0), "threshold must be positive, got 0.0"),
        (np.zeros(500), 8000, Ear(silence=0.0), "silence above 0"),
    ],
)
def test_bad_sound_is_named(samples, rate, ear, words):
    with pytest.raises(ValueError, match=words):
        spikes_of_sound(samples, rate, ear)


def write_wav(path, seconds=0.4, rate=8000, width=2, tone=440.0):
    samples = (np.sin(2 * np.pi * tone * np.arange(int(seconds * rate)) / rate) * 2**14).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, width, rate, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return samples


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


def write_shd(path, classes=3, per_class=2, channel=699):
    h5py = pytest.importorskip("h5py")
    n = classes * per_class
    with h5py.File(path, "w") as file:
        kind = h5py.vlen_dtype(np.dtype("float16")), h5py.vlen_dtype(np.dtype("uint16"))
        times, units = (
            file.create_dataset(f"spikes/{name}", (n,), k) for name, k in zip(("times", "units"), kind, strict=True)
        )
        for row in range(n):
            times[row] = np.array([0.0, 0.0125 * (row + 1), 1.5], np.float16)
            units[row] = np.array([row, channel, 3], np.uint16)
        file["labels"] = np.arange(n, dtype=np.uint16) % classes
    return path


def test_shd_from_a_folder(tmp_path):
    for part in ("train", "test"):
        write_shd(tmp_path / f"shd_{part}.h5")
    train, test, classes = shd(folder=tmp_path, steps=20, test_per_class=1)
    assert classes == CLASSES
    assert len(classes) == 20
    assert train.counts.shape == (20, 6, 700)
    assert train.counts.sum() == 12  # the third spike comes after 200 ms
    assert train.counts[0, 4, 4] == 1
    assert train.counts[6, 4, 699] == 1  # 62.5 ms
    assert sorted(test.labels.tolist()) == [0, 1, 2]


def test_shd_is_unpacked_once(tmp_path, monkeypatch):
    inner = write_shd(tmp_path / "shd_train.h5")
    archive = tmp_path / "shd_train.h5.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(inner, "shd_train.h5")
    inner.unlink()
    monkeypatch.setattr(shd_module, "fetch", lambda *_, **__: archive)
    file = shd_module.SHD.files[0]
    path = shd_module._unpacked(file, tmp_path, False)
    assert read_spike_file(path).counts.shape == (100, 6, 700)
    archive.unlink()
    assert shd_module._unpacked(file, tmp_path, False) == path
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("readme", "")
    path.unlink()
    with pytest.raises(ValueError, match=r"expected shd_train\.h5"):
        shd_module._unpacked(file, tmp_path, False)


def test_a_file_of_another_form_is_named(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "shd_test.h5"
    path.write_bytes(b"half a file")
    with pytest.raises(ValueError, match="damaged or not in SHD's form"):
        read_spike_file(path)
    with h5py.File(path, "w") as file:
        file["labels"] = np.zeros(2)
    with pytest.raises(ValueError, match="damaged or not in SHD's form"):
        read_spike_file(path)
    write_shd(path, channel=700)
    with pytest.raises(ValueError, match="channels 0 to 700, expected 0 to 699"):
        read_spike_file(path)
    with pytest.raises(FileNotFoundError):
        read_spike_file(tmp_path / "none.h5")
