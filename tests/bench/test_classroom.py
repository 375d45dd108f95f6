"""The benchmark of a class: its visitors do what pages do, errors are counted, and nothing is left behind."""

import asyncio
import math
import os
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="shares of memory are told by Linux only")


@pytest.fixture
def classroom(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    from bench import classroom

    monkeypatch.setattr(classroom, "DRAGGED", 1.0)
    monkeypatch.setattr(classroom, "INTO", 1.0)
    monkeypatch.setattr(classroom, "SINGLES", 1)
    monkeypatch.setattr(classroom, "AT_ONCE", 2)
    return classroom


def test_a_lesson_from_beginning_to_end(classroom):
    with classroom.served(True, 9) as server:
        report = asyncio.run(classroom.whole(server, sessions=3, dragging=1, training=1, within=1, attacking=1))
        assert report["errors"] == []
        # One who sends what is no message, floods and asks for files gets nothing; the others go on.
        assert report["got"] == []
        assert report["attempts"] >= 7
        assert report["sessions_lost"] == 0
        assert server.kernels() == []
        assert report["runs"] >= 1
        parts = ("dragging", "dragging_while_training", "dragging_under_attack")
        seen = [report[part]["seen"] for part in parts] if CHROMIUM else []
        for times in (*(report[part] for part in parts), *seen):
            assert times["steps"] > 1
            assert 0 < times["median_ms"] <= times["p95_ms"]
        assert report["page_s"] > 0
        assert 10 < report["session_mb"] < 400
        assert report["five_panels_mb"] > 10
        gone = asyncio.run(classroom.soak(server, 2))
        assert gone["errors"] == []
        assert (gone["turns"], len(gone["server_mb"])) == (2, 1)
    # A server that is full is an error of each visitor that it turns away, and stops nobody else. A new one: a place is
    # free a moment after the process that held it has ended.
    with classroom.served(True, 5) as server:
        lesson = classroom.Lesson(server)
        times = asyncio.run(crowd(lesson, 6))
        assert len(times) == 5
        assert len(lesson.errors) == 1
        assert "503" in lesson.errors[0]


async def crowd(lesson, count):
    visitors, times = await lesson.arrive(count, 0.0)
    for visitor in visitors:
        if visitor.kernel:
            await visitor.leave()
    return times


def test_percentiles_and_impossible_classes(classroom):
    found = classroom.milliseconds([0.01 * n for n in range(1, 101)])
    assert found["median_ms"] == pytest.approx(505)
    assert found["p95_ms"] == pytest.approx(959.5)
    assert math.isnan(classroom.milliseconds([1.0])["median_ms"])
    for wrong in ({"sessions": 3, "dragging": 2, "training": 2}, {"dragging": 0}):
        with pytest.raises(ValueError, match=r"of \d+ sessions at least one drags"):
            classroom.classroom(**wrong)
