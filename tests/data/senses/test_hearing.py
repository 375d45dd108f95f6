"""The ear: which frequency is loudest, how many spikes a level gives, and what they tell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.senses.hearing import Ear, level_crossings, loudness, mel_filters, spikes_of_sound


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
        (np.zeros(500), 8000, Ear(bands=0), "bands of Ear must be a whole number of at least 1, got 0"),
        (np.zeros(500), 8000, Ear(threshold=0.0), "threshold of Ear must be a number above 0, got 0.0"),
        (np.zeros(500), 8000, Ear(silence=0.0), "silence of Ear must be a number above 0, got 0.0"),
    ],
)
def test_bad_sound_is_named(samples, rate, ear, words):
    with pytest.raises(ValueError, match=words):
        spikes_of_sound(samples, rate, ear)
