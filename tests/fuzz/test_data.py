"""Events, spikes, files of other programs and files of our own that are damaged, fuzzed."""

import io
import pickle
import tempfile
import warnings
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import torch
from fuzzed import BAD, Refused, fuzz, mostly, outcome, texts
from hypothesis import example
from hypothesis import strategies as st
from PIL import Image

from workbench.data import Events, SpikeTrain, bin_events, bin_spikes, sequences
from workbench.data.delivery.cache import cached, fingerprint
from workbench.data.event_sets import balanced_rows, pack_frames, padded_lengths, unpack_counts
from workbench.data.sets.cifar import cifar_cut, read_cifar_pickle
from workbench.data.sets.dvs import decode_aedat2, decode_aedat3
from workbench.data.sets.idx import decode_idx
from workbench.data.sets.image_folder import read_image
from workbench.data.sets.nmnist import decode_nmnist, read_nmnist
from workbench.data.sets.shd import read_spike_file
from workbench.data.sets.spoken_digits import read_sound
from workbench.networks import SpikingMLP
from workbench.training.checkpoint import load_checkpoint, save_checkpoint
from workbench.training.network_file import load_network, read_network_file, save_network

NAME = "the recording"
integers = st.integers(-3, 40) | st.sampled_from([-(2**63), 2**63 - 1, 2**31])
whole = mostly(st.integers(1, 9), st.sampled_from([0, -1, 1.5, "2", None, True, *BAD]))


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder, in which nothing may stand afterwards but what the test says."""
    with tempfile.TemporaryDirectory() as place:
        yield Path(place)


@st.composite
def damaged(draw, whole_file: bytes):
    """A whole file, cut, with bytes changed or put in, or of any bytes at all."""
    data = bytearray(whole_file)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        how = draw(st.sampled_from(["flip", "put", "cut", "end", "ones"]))
        if how == "flip" and data:
            data[at] ^= draw(st.integers(1, 255))
        elif how == "put":
            data[at:at] = draw(st.binary(max_size=8))
        elif how == "cut":
            del data[at : at + draw(st.integers(1, 16))]
        elif how == "ones":
            data[at : at + 4] = b"\xff" * 4
        else:
            del data[at:]
    return bytes(data)


def files_like(*examples: bytes):
    return st.one_of(*map(damaged, examples), st.binary(max_size=64))


# --- arrays ---------------------------------------------------------------------------------------------------------


@fuzz(
    columns=st.lists(st.tuples(integers, integers, integers, integers), max_size=8),
    kinds=st.tuples(*[st.sampled_from(["i8", "i4", "u1", "u2", "f8"])] * 4),
    bins=whole,
    duration=mostly(st.integers(1, 50), st.sampled_from([0, -5, 1.5, 2**62, None])),
    size=whole,
    fair=st.booleans(),
    short=mostly(st.just(False), st.just(True)),
)
@example(columns=[], kinds=("i8",) * 4, bins=1, duration=None, size=1, fair=False, short=False)
@example(columns=[(-3, 0, 0, 0)], kinds=("i8",) * 4, bins=2, duration=10, size=4, fair=False, short=False)
@example(columns=[(0, -1, 0, 0)], kinds=("i8",) * 4, bins=2, duration=10, size=4, fair=False, short=False)
@example(columns=[(0, 0, 0, -1)], kinds=("i8",) * 4, bins=2, duration=10, size=4, fair=False, short=False)
@example(columns=[(0, 0, 0, 2)], kinds=("i8",) * 4, bins=2, duration=10, size=4, fair=False, short=False)
@example(columns=[(2**40, 0, 0, 0)], kinds=("i8",) * 4, bins=9, duration=2**62, size=4, fair=False, short=False)
@example(
    columns=[(100, 0, 0, 0)], kinds=("u1", "u1", "u1", "u1"), bins=9, duration=200, size=4, fair=False, short=False
)
def test_bin_events(columns, kinds, bins, duration, size, fair, short):
    if fair:  # so that most of all cases reach the bins
        bins, size, duration = (n if type(n) is int and 0 < n < 99 else 5 for n in (bins, size, duration))
        columns = [(abs(t) % 60, x % size, y % size, p % 2) for t, x, y, p in columns]
        kinds, short = (kinds[0], "u1", "i4", kinds[3]), False
    table = np.array(columns, np.int64).reshape(-1, 4)
    events = Events(*(table[:, k].astype(kind) for k, kind in enumerate(kinds)))
    if short:
        events = events._replace(x=events.x[1:])
    words = "address|event|bins|duration|size|polarit|time|\\bt\\b|\\bx\\b|\\by\\b|\\bp\\b"
    frames = outcome(bin_events, events, bins, duration, size, words=words)
    if isinstance(frames, Refused):
        return
    expected = np.zeros((bins, 2, size, size), bool)
    for t, x, y, p in zip(*(column.tolist() for column in events), strict=True):
        assert 0 <= x < size
        assert 0 <= y < size
        assert p in (-1, 0, 1)
        assert t >= 0
        if t < duration:
            expected[int(t) * bins // duration, int(p > 0), int(y), int(x)] = True
    assert np.array_equal(frames, expected)


@fuzz(
    times=st.lists(st.floats(0, 99) | st.sampled_from([-1.0, 1e300, *BAD]), max_size=8),
    channels=st.lists(st.integers(-1, 5), max_size=8),
    steps=whole,
    step_ms=mostly(st.floats(0.1, 20), st.sampled_from([0.0, -1.0, 5e-324, 1e308, None, "1", *BAD])),
    width=whole,
    fair=st.booleans(),
)
@example(times=[0.7], channels=[0], steps=7, step_ms=0.1, width=2, fair=False)
@example(times=[1.0], channels=[0], steps=2, step_ms=np.inf, width=2, fair=False)
@example(times=[1.0], channels=[0], steps=2.5, step_ms=1.0, width=2, fair=False)
def test_bin_spikes(times, channels, steps, step_ms, width, fair):
    if fair:
        n = min(len(times), len(channels))
        times, channels = [abs(t) if np.isfinite(t) else 1.0 for t in times[:n]], [c % 2 for c in channels[:n]]
    train = SpikeTrain(np.array(times, np.float64), np.array(channels, np.int64))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that most spikes are left out
        counted = outcome(bin_spikes, [train], steps, step_ms, width, words="steps|step_ms|channel|spike|times")
    if isinstance(counted, Refused):
        return
    assert counted.shape == (steps, 1, width)
    assert int(counted.sum()) == sum(t < steps * step_ms for t in times)


@fuzz(
    recordings=st.integers(0, 3),
    bins=st.integers(1, 3),
    size=st.integers(1, 16),
    pool=mostly(st.integers(1, 16), st.sampled_from([0, -1, 1.5, "2", None])),
    cut=mostly(st.just(0), st.integers(1, 3)),
    seed=st.integers(0, 99),
)
@example(recordings=1, bins=1, size=4, pool=1, cut=1, seed=0)
@example(recordings=1, bins=1, size=4, pool=None, cut=0, seed=0)
def test_packed_frames(recordings, bins, size, pool, cut, seed):
    frames = np.random.default_rng(seed).random((recordings, bins, 2, size, size)) < 0.5
    packed = pack_frames(frames)
    packed = packed[:, : packed.shape[1] - cut]
    counts = outcome(unpack_counts, packed, bins, size, pool, words="pool|packed|bytes")
    if isinstance(counts, Refused):
        return
    assert not cut or not recordings
    side = size // pool
    expected = frames.reshape(recordings, bins, 2, side, pool, side, pool).sum((4, 6))
    assert np.array_equal(counts.numpy(), expected.swapaxes(0, 1))


@fuzz(
    labels=st.lists(st.integers(0, 3), max_size=9),
    per_class=mostly(st.integers(1, 3), st.sampled_from([0, -1, 1.5, "2", None, True])),
    seed=mostly(st.integers(0, 99), st.sampled_from([-1, "a", 1.5])),
    filled=st.lists(st.integers(-3, 12), max_size=5),
    steps=st.integers(1, 9),
)
@example(labels=[0], per_class=None, seed=0, filled=[], steps=1)
@example(labels=[0], per_class=1, seed=-1, filled=[], steps=1)
@example(labels=[0, 0], per_class=1.5, seed=0, filled=[], steps=1)
def test_rows_and_lengths(labels, per_class, seed, filled, steps):
    y = np.array(labels, np.int64)
    rows = outcome(balanced_rows, y, per_class, seed, words="per_class|labels|seed")
    if not isinstance(rows, Refused):
        assert sorted(np.bincount(y[rows], minlength=4).tolist()) == sorted(
            per_class * (label in labels) for label in range(4)
        )
    lengths = padded_lengths(torch.tensor(filled, dtype=torch.int64), steps)
    expected = [min(max(n, 1), steps) for n in filled]
    assert [steps] * len(filled) == expected if lengths is None else lengths.tolist() == expected


shapes = st.lists(st.integers(0, 3), min_size=0, max_size=3).map(tuple)


@fuzz(given=st.lists(mostly(st.integers(1, 4).map(lambda n: (n, 2)), shapes), max_size=4), labels=st.integers(0, 4))
def test_sequences(given, labels):
    inputs = [torch.ones(shape) for shape in given]
    found = outcome(sequences, inputs, torch.zeros(labels).long(), words="sequence")
    if isinstance(found, Refused):
        return
    assert found.lengths.tolist() == [len(x) for x in inputs]
    assert float(found.x.sum()) == sum(float(x.sum()) for x in inputs)
    x, y, lengths = found.batch(torch.tensor([0]))
    assert len(x) == int(lengths) == len(inputs[0])
    assert len(y) == 1


# --- files of other programs ----------------------------------------------------------------------------------------

IDX = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4])
HUGE = bytes([0, 0, 8, 3]) + b"\xff" * 12
WRAPPED = bytes([0, 0, 8, 3, 0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 4])  # 2³¹ · 2³¹ · 4 is 0 in 64 bits


@fuzz(data=files_like(IDX, HUGE, WRAPPED), dimensions=st.integers(0, 4), name=texts)
@example(data=WRAPPED, dimensions=3, name="images")
def test_idx(data, dimensions, name):
    array = outcome(decode_idx, data, f"<{name}>", dimensions, words="<")
    if not isinstance(array, Refused):
        assert array.ndim == dimensions
        assert array.tobytes() == data[4 + 4 * dimensions :]


NMNIST = bytes([3, 2, 0x80, 1, 0, 33, 33, 0, 0, 7, 9, 240, 0, 0, 0, 1, 1, 0x80, 0, 3])


@fuzz(data=files_like(NMNIST))
def test_nmnist(data):
    events = outcome(decode_nmnist, data, NAME, words=NAME)
    if not isinstance(events, Refused):
        assert len({len(column) for column in events}) == 1
        assert max(events.x.max(initial=0), events.y.max(initial=0)) < 34
        assert events.t.min(initial=0) >= 0
        bin_events(events, 5, 315_000, 34)
    with folder() as place:
        (place / "a.bin").write_bytes(data)
        read = outcome(read_nmnist, place / "a.bin", words="a.bin")
        assert isinstance(read, Refused) or read.t.tolist() == events.t.tolist()
        assert len(list(place.iterdir())) == 1


PACKET = np.array([1, 0], "<u2").tobytes() + np.array([8, 4, 0, 2, 2, 2], "<u4").tobytes()
EVENTS3 = np.array([1 | 5 << 17 | 6 << 2 | 2, 100, 1 | 127 << 17, 200], "<u4").tobytes()
AEDAT3 = b"#!AER-DAT3.1\r\n#!END-HEADER\r\n" + PACKET + EVENTS3
AEDAT2 = b"#!AER-DAT2.0\r\n# comment\r\n" + np.array([0x0102, 5, 0x7FFF, 9], ">u4").tobytes()
HUGE_PACKET = AEDAT3[:32] + b"\xff" * 4 + AEDAT3[36:48] + b"\xff" * 4 + AEDAT3[52:]  # size and number of its events
LONG = AEDAT3[:-40] + b"\xff" * 8 + AEDAT3[-32:]


@fuzz(data=files_like(AEDAT3, AEDAT2, LONG))
@example(data=HUGE_PACKET)
def test_aedat(data):
    for decode in (decode_aedat3, decode_aedat2):
        events = outcome(decode, data, NAME, words=NAME)
        if not isinstance(events, Refused):
            assert events.t.min(initial=0) >= 0
            bin_events(events, 3, 1000, 128)


def _sound(width: int = 2, channels: int = 1) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(8000)
        file.writeframes(bytes(range(12)))
    return stream.getvalue()


@fuzz(data=files_like(_sound(), _sound(1), _sound(2, 2)))
@example(data=_sound().replace((8000).to_bytes(4, "little"), bytes(4), 1))
@example(data=_sound()[:22] + bytes(2) + _sound()[24:])
def test_sounds(data):
    with folder() as place:
        (place / "a.wav").write_bytes(data)
        sound = outcome(read_sound, place / "a.wav", words="a.wav")
        if not isinstance(sound, Refused):
            assert bool((np.abs(sound.samples) <= 1).all())
            assert sound.rate > 0
        assert len(list(place.iterdir())) == 1


def _picture(kind: str, mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (5, 3)).save(stream, kind)
    return stream.getvalue()


PICTURES = [_picture("PNG"), _picture("JPEG"), _picture("BMP"), _picture("PNG", "P"), _picture("PNG", "I;16")]


@fuzz(data=files_like(*PICTURES), size=mostly(st.integers(1, 8), st.sampled_from([0, -1, 1.5, None])))
@example(data=PICTURES[0], size=0)
@example(data=PICTURES[0], size=None)
def test_images(data, size):
    with folder() as place:
        (place / "a.png").write_bytes(data)
        image = outcome(read_image, place / "a.png", size, words="a.png|size")
        assert isinstance(image, Refused) or image.shape == (3, size, size)
        assert len(list(place.iterdir())) == 1


def _spike_file() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for name, kind, values in (("times", np.float16, [[0.01, 0.2], [0.3]]), ("units", np.uint16, [[1, 699], [5]])):
            made = file.create_dataset(f"spikes/{name}", (2,), h5py.vlen_dtype(kind))
            for row, numbers in enumerate(values):
                made[row] = np.array(numbers, kind)
        file["labels"] = np.array([0, 19], np.uint8)
    return stream.getvalue()


@fuzz(ci=150, data=files_like(_spike_file()), steps=mostly(st.integers(1, 9), whole))
def test_spike_files(data, steps):
    with folder() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of spikes behind the last step
        (place / "a.h5").write_bytes(data)
        read = outcome(read_spike_file, place / "a.h5", steps, words="a.h5|steps")
        assert isinstance(read, Refused) or read.counts.shape == (steps, len(read.labels), 700)


def _colours(**changed: np.ndarray) -> bytes:
    stream, picture = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (32, 32), (9, 8, 7)).save(picture, "PNG")
    packed = np.frombuffer(picture.getvalue(), np.uint8)
    part = {"bytes": packed, "offsets": np.array([0, len(packed)]), "labels": np.zeros(1, np.uint8)}
    named = {f"{half}_{kind}": array for half in ("train", "test") for kind, array in part.items()}
    np.savez(stream, **named | {"classes": np.array(["a", "b"])} | changed)
    return stream.getvalue()


CUTS = [
    _colours(),
    _colours(train_labels=np.array([0.5])),
    _colours(train_offsets=np.array([0.0, 9.5])),
    _colours(test_offsets=np.array(3)),
    _colours(train_bytes=np.array(["a"])),
    _colours(classes=np.array(3)),
]


@fuzz(ci=150, data=files_like(*CUTS))
@example(data=CUTS[1])
@example(data=CUTS[2])
@example(data=CUTS[3])
@example(data=CUTS[4])
@example(data=CUTS[5])
def test_cuts_of_cifar(data):
    with folder() as place:
        (place / "a.npz").write_bytes(data)
        read = outcome(cifar_cut, place / "a.npz", words="a.npz")
        if not isinstance(read, Refused):
            assert read.train.images.shape[1:] == (3, 32, 32)
            assert read.train.images.dtype == np.uint8


COLOURS = {b"data": np.arange(12, dtype=np.uint8).reshape(2, 6), b"labels": [1, 2], b"batch_label": b"one"}


@fuzz(data=files_like(pickle.dumps(COLOURS, 2), pickle.dumps(COLOURS, 0), pickle.dumps(COLOURS, 4)))
def test_files_of_cifar(data):
    """Bytes, lists, texts and arrays of bytes come out, or words: nothing in a file is run."""
    read = outcome(read_cifar_pickle, data, NAME, words=NAME)
    assert isinstance(read, Refused | dict)


# --- files of our own -----------------------------------------------------------------------------------------------

with tempfile.TemporaryDirectory() as _place:
    cached(Path(_place) / "a.npz", lambda: np.arange(6, dtype=np.uint8).reshape(2, 3))
    CACHE = (Path(_place) / "a.npz").read_bytes()
    save_checkpoint(Path(_place) / "a", {"x": torch.ones(2), "n": [1, None, "ψ"]}, "a run")
    CHECKPOINT = (Path(_place) / "a").read_bytes()
    torch.manual_seed(0)
    save_network(Path(_place) / "b", SpikingMLP([3, 2], classes=2), {"rule": "stllr"})
    NETWORK = (Path(_place) / "b").read_bytes()


@fuzz(ci=150, data=files_like(CACHE))  # a lock and a file take some 10 ms
def test_damaged_caches(data):
    with folder() as place:
        (place / "a.npz").write_bytes(data)
        made = np.arange(6, dtype=np.uint8).reshape(2, 3)
        array = cached(place / "a.npz", lambda: made)
        assert np.array_equal(array, made)
        assert {path.name for path in place.iterdir()} <= {"a.npz", ".a.npz.lock"}


@fuzz(data=files_like(CHECKPOINT, NETWORK), label=st.none() | st.just("a run") | texts)
def test_damaged_checkpoints(data, label):
    with folder() as place:
        path = place / "a.safetensors"
        path.write_bytes(data)
        state = outcome(load_checkpoint, path, label, words="a.safetensors")
        if not isinstance(state, Refused):
            assert data in (CHECKPOINT, NETWORK)
        into = SpikingMLP([3, 2], classes=2)
        before = [p.clone() for p in into.parameters()]
        for found in (
            outcome(load_network, path, words="a.safetensors"),
            outcome(load_network, path, into, words="a.safetensors"),
            outcome(read_network_file, path, words="a.safetensors"),
        ):
            assert isinstance(found, Refused) or data == NETWORK
        if data != NETWORK:
            assert all(torch.equal(a, b) for a, b in zip(before, into.parameters(), strict=True))
        assert len(list(place.iterdir())) == 1


leaves = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | texts


def branches(inner):
    """Lists and dictionaries of what is inside."""
    keys = st.text(max_size=5) | st.integers()
    return st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)


trees = leaves | branches(leaves) | branches(branches(leaves) | leaves)


@fuzz(state=trees, label=texts, parts=st.lists(leaves, max_size=3), more=leaves)
@example(state={"tensor": "x"}, label="", parts=[], more=None)
@example(state={"entries": []}, label="", parts=[], more=None)
def test_what_is_saved_is_loaded(state, label, parts, more):
    with folder() as place:
        path = place / "a"
        saved = outcome(save_checkpoint, path, state, label, words="label|state|surrogate|text")
        if isinstance(saved, Refused):
            assert not list(place.iterdir())
        else:
            assert load_checkpoint(path, label) == state
    assert fingerprint(*parts) != fingerprint(*parts, more)
    assert len(fingerprint(*parts)) == 16
