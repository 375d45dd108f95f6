"""AEDAT readers, on tiny files written here byte by byte."""

import struct

import numpy as np
import pytest

from workbench.data.sets.dvs import cifar10_dvs, decode_aedat2, decode_aedat3, dvs_gesture

EVENTS = [(1000, 5, 7, 1), (2500, 127, 0, 0), (900_000, 64, 127, 1)]  # t in µs, x, y, p


def aedat3(events, kind=1, valid=1, overflow=0) -> bytes:
    body = b"".join(struct.pack("<II", x << 17 | y << 2 | p << 1 | valid, t) for t, x, y, p in events)
    header = struct.pack("<HHIIIIII", kind, 0, 8, 4, overflow, len(events), len(events), len(events))
    return b"#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n" + header + body


def aedat2(events) -> bytes:
    body = b"".join(struct.pack(">II", y << 8 | (127 - x) << 1 | (1 - p), t) for t, x, y, p in events)
    return b"#!AER-DAT2.0\r\n# a comment\r\n" + body


@pytest.mark.parametrize(("write", "decode"), [(aedat3, decode_aedat3), (aedat2, decode_aedat2)])
def test_events_come_back(write, decode):
    found = decode(write(EVENTS))
    assert [tuple(map(int, event)) for event in zip(*found, strict=True)] == EVENTS
    assert len(decode(write([])).t) == 0


def test_other_packets_and_invalid_events_are_left_out():
    data = aedat3(EVENTS)
    more = data + aedat3(EVENTS, kind=0).split(b"HEADER\r\n")[1] + aedat3(EVENTS[:1], valid=0).split(b"HEADER\r\n")[1]
    assert len(decode_aedat3(more).t) == 3
    assert decode_aedat3(aedat3(EVENTS, overflow=1)).t[0] == 1000 + 2**31


@pytest.mark.parametrize(
    ("data", "decode", "words"),
    [
        (b"half", decode_aedat3, "begins with b'half', expected #!AER-DAT3"),
        (b"#!AER-DAT3.1\r\n", decode_aedat3, "no end of its header"),
        (aedat3(EVENTS)[:-1], decode_aedat3, "not whole"),
        (aedat3(EVENTS) + b"123", decode_aedat3, "breaks off in the header"),
        (aedat3([(1, 128, 3, 1)]), decode_aedat3, "x=128, y=3, expected 0 to 127"),
        (aedat2(EVENTS)[:-1], decode_aedat2, "expected a multiple of 8"),
        (b"#!AER-DAT2.0", decode_aedat2, "no end of its header"),
    ],
)
def test_broken_files_are_named(data, decode, words):
    with pytest.raises(ValueError, match=words):
        decode(data)


def test_gestures_are_cut_by_their_table(tmp_path):
    for user in ("user01", "user24"):
        (tmp_path / f"{user}_led.aedat").write_bytes(aedat3(EVENTS))
        (tmp_path / f"{user}_led_labels.csv").write_text(
            "class,startTime_usec,endTime_usec\n3,500,2000\n11,2000,1000000\n"
        )
    train, test, classes = dvs_gesture(tmp_path, bins=4, duration_ms=1000.0)
    assert train.counts.shape == (4, 2, 2, 32, 32)
    assert train.labels.tolist() == test.labels.tolist() == [2, 10]
    assert classes[2] == "left hand wave"
    assert np.argwhere(train.counts[:, 0].numpy()).tolist() == [[0, 1, 1, 1]]
    assert train.counts[:, 1].sum() == 2
    assert train.lengths.tolist() == test.lengths.tolist() == [1, 4]  # 1.5 ms and 998 ms in bins of 250 ms
    (tmp_path / "user24_led_labels.csv").write_text("class,start,end\n12,0,5\n")
    with pytest.raises(ValueError, match="line 2 is '12,0,5', expected class 1 to 11"):
        dvs_gesture(tmp_path)
    (tmp_path / "user24_led_labels.csv").unlink()
    with pytest.raises(FileNotFoundError, match="table of gestures"):
        dvs_gesture(tmp_path)


def test_pictures_from_ten_folders(tmp_path):
    for name in ("airplane", "truck"):
        (tmp_path / name).mkdir()
        for k in range(4):
            (tmp_path / name / f"cifar10_{name}_{k}.aedat").write_bytes(aedat2(EVENTS))
    train, test, classes = cifar10_dvs(tmp_path, test_each=2)
    assert train.counts.shape == (10, 4, 2, 64, 64)
    assert test.labels.tolist() == [0, 0, 9, 9]
    assert classes[9] == "truck"
    assert train.counts[0, 0].sum() == 2
    assert train.counts[6, 0].sum() == 1  # 899 ms after the first, bins of 130 ms
    (tmp_path / "zebra").mkdir()
    (tmp_path / "zebra" / "one.aedat").write_bytes(aedat2(EVENTS))
    with pytest.raises(ValueError, match=r"zebra.*lies in no folder of a class"):
        cifar10_dvs(tmp_path)
    for read in (cifar10_dvs, dvs_gesture):
        with pytest.raises(FileNotFoundError, match="in a browser"):
            read(tmp_path / "none")
