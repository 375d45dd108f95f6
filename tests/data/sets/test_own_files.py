"""Files of one's own in the form of a data set: what is wrong with one is said with its name."""

import gzip
import struct
import wave
from importlib import import_module

import numpy as np
import pytest
from PIL import Image

from workbench.data.delivery.fetch import RemoteFile
from workbench.data.sets.cifar import read_cifar_pickle
from workbench.data.sets.dvs import cifar10_dvs, decode_aedat2, dvs_gesture
from workbench.data.sets.idx import _read
from workbench.data.sets.image_folder import image_folder, open_picture, read_image
from workbench.data.sets.nmnist import nmnist
from workbench.data.sets.shd import read_spike_file
from workbench.data.sets.spoken_digits import read_sound, spoken_digits
from workbench.data.spike_trains import SpikeTrain, bin_spikes

SAMPLES = (8000 * np.sin(np.arange(4000) * 0.3)).astype("<i2").tobytes()


def refuses(words, call, *args, **options):
    with pytest.raises(ValueError, match=words):
        call(*args, **options)


def wav(path, data, width=2):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(8000)
        file.writeframes(data)
    return path


def extensible(path, kind=1, size=None):
    guid = struct.pack("<H", kind) + bytes.fromhex("00000000001000800000aa00389b71")
    form = struct.pack("<HHIIHHHHI", 0xFFFE, 1, 8000, 16000, 2, 16, 22, 16, 4) + guid[:16].ljust(16, b"\0")
    size = len(SAMPLES) if size is None else size
    note = b"LIST" + struct.pack("<I", 3) + b"abc\0"  # an odd chunk is filled up
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + note + b"data" + struct.pack("<I", size) + SAMPLES
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def test_sounds_as_sox_and_ffmpeg_write_them(tmp_path):
    whole = read_sound(wav(tmp_path / "plain.wav", SAMPLES)).samples
    for size in (len(SAMPLES), 0xFFFFFFFF):
        np.testing.assert_array_equal(read_sound(extensible(tmp_path / "e.wav", size=size)).samples, whole)


def test_sounds_that_cannot_be_read_say_why(tmp_path):
    path = wav(tmp_path / "3_anna_1.wav", SAMPLES)
    path.write_bytes(path.read_bytes()[:3000])
    refuses("3_anna_1.wav is no whole wav file: 8000 bytes are promised at byte 36, 2956", read_sound, path)
    refuses("e.wav has samples in format 3 .*sox", read_sound, extensible(tmp_path / "e.wav", kind=3))
    refuses("w.wav has samples of 8 bits", read_sound, wav(tmp_path / "w.wav", SAMPLES, width=1))
    for name, data, words in (("0.wav", b"", "is empty"), ("r.wav", b"hello, hello", "begins with b'hello, hello'")):
        (tmp_path / name).write_bytes(data)
        refuses(f"{name} {words}" if data == b"" else words, read_sound, tmp_path / name)
    for path in tmp_path.glob("*.wav"):
        path.unlink()
    wav(tmp_path / "3_anna_0.wav", SAMPLES)
    wav(tmp_path / "4_anna_8.wav", SAMPLES[:200])
    refuses("4_anna_8.wav: the sound has shape", spoken_digits, tmp_path)


def test_a_recording_of_another_chip_names_it():
    for chip in ("eu.seebetter.ini.chips.davis.DAVIS240C", "ch.unizh.ini.jaer.chip.retina.DVS128"):
        data = b"#!AER-DAT2.0\r\n# AEChip: " + chip.encode() + b"\r\n" + struct.pack(">II", 2 << 8 | 3 << 1, 7)
        if "DVS128" in chip:
            assert decode_aedat2(data).y.tolist() == [2]
        else:
            refuses("own.aedat was recorded by .*DAVIS240C.*expected a DVS128", decode_aedat2, data, "own.aedat")


def test_empty_files_are_named(tmp_path):
    for part in ("Train", "Test"):
        place = tmp_path / "n" / part / "7"
        place.mkdir(parents=True)
        (place / "1.bin").write_bytes(bytes([1, 1, 0, 0, 5]) if part == "Test" else b"")
    refuses("1.bin is empty", nmnist, folder=tmp_path / "n")
    (tmp_path / "airplane").mkdir()
    (tmp_path / "airplane" / "a.aedat").write_bytes(b"")
    refuses("a.aedat is empty", cifar10_dvs, tmp_path)
    (tmp_path / "user01_x.aedat").write_bytes(b"")
    refuses("user01_x.aedat is empty", dvs_gesture, tmp_path)
    (tmp_path / "user01_x.aedat").rename(tmp_path / "user_x.aedat")
    refuses("user_x.aedat names no user", dvs_gesture, tmp_path)
    refuses("names no user|is empty", dvs_gesture, tmp_path)


def write_spikes(path, times, units, label):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for name, value, kind in (("spikes/times", times, "f8"), ("spikes/units", units, "u2")):
            file.create_dataset(name, (1,), dtype=h5py.vlen_dtype(np.dtype(kind)))[0] = np.array(value, kind)
        file["labels"] = np.array([label])
    return path


def test_spike_files_with_other_units_or_labels(tmp_path):
    with pytest.warns(UserWarning, match=r"3 of 3 spikes of .*own.h5 come after the last step, at 1000 ms"):
        read_spike_file(write_spikes(tmp_path / "own.h5", [10.0, 500.0, 900.0], [1, 2, 3], 4))
    for label in (-1, 34):
        path = write_spikes(tmp_path / "own.h5", [0.1], [1], label)
        refuses(f"own.h5 has labels {label} to {label}, expected 0 to 19", read_spike_file, path)


def test_some_late_spikes_are_no_reason_to_warn():
    train = SpikeTrain(np.array([1.0, 2.0, 30.0]), np.array([0, 1, 1]))
    assert bin_spikes([train], 1, 10.0, 2).tolist() == [[[1, 1]]]


def test_pictures_that_unpack_to_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(import_module("workbench.data.sets.image_folder"), "MOST_PIXELS", 10_000)
    Image.new("RGB", (200, 100)).save(tmp_path / "large.png")
    refuses("large.png cannot be read as an image: 200 × 100 pixels, expected at most 10000", open_picture,
            tmp_path / "large.png")  # fmt: skip
    Image.new("RGB", (2000, 2)).save(tmp_path / "strip.png")
    refuses("strip.png is a strip of 2000 × 2 pixels", read_image, tmp_path / "strip.png", 8)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for size in ((15, 10), (30, 10)):  # a warning of Pillow's, and an error
        Image.new("RGB", size).save(tmp_path / "bomb.png")
        refuses("bomb.png cannot be read as an image", open_picture, tmp_path / "bomb.png")
    refuses("size.*at least 1, got 0", read_image, tmp_path / "bomb.png", 0)


def test_a_table_of_pictures_with_a_short_line(tmp_path):
    for place in (tmp_path / "train" / "cat", tmp_path / "val" / "images"):
        place.mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(place / "0.png")
    (tmp_path / "val" / "val_annotations.txt").write_text("0.png\tcat\n1.png dog\n")
    refuses("val_annotations.txt, line 2 is .*expected file name and class", image_folder, tmp_path, 8)


def test_a_gzip_file_that_unpacks_to_too_much(tmp_path, monkeypatch):
    module = "workbench.data.sets.idx"
    monkeypatch.setattr(f"{module}.LARGEST", 1000)
    path = tmp_path / "labels-idx1.gz"
    path.write_bytes(gzip.compress(bytes(1001)))
    monkeypatch.setattr(f"{module}.fetch", lambda *args, **options: path)
    refuses(
        "labels-idx1.gz unpacks to more than 1000 bytes", _read, RemoteFile(path.name, (), "", 1), tmp_path, (), False
    )


def test_a_damaged_array_in_a_file_of_cifar_is_named():
    state = b"\x80\x02}U\x04dataU\x02abs."
    assert read_cifar_pickle(state, "batch") == {b"data": b"ab"}
    refuses("batch is not a file of CIFAR", read_cifar_pickle, state[:7], "batch")
