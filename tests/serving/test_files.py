"""As many files as visitors take: the soft limit is raised as far as the hard one allows, and what lacks is said."""

import sys

import pytest

from workbench.serving.files import EACH, ITSELF, make_room

resource = pytest.importorskip("resource", reason="this system limits no open files")
EVER = resource.RLIM_INFINITY


@pytest.fixture
def limits(monkeypatch):
    """Limits of open files that are only pretended: [soft, hard]."""
    now = [1024, 4096]
    monkeypatch.setattr(resource, "getrlimit", lambda which: tuple(now))
    monkeypatch.setattr(resource, "setrlimit", lambda which, both: now.__setitem__(slice(None), both))
    return now


@pytest.mark.parametrize(
    ("before", "places", "after"),
    [
        ([1024, 4096], 100, [ITSELF + 100 * EACH, 4096]),
        ([1024, EVER], 500, [ITSELF + 500 * EACH, EVER]),
        ([20_000, 20_000], 100, [20_000, 20_000]),
        ([EVER, EVER], 100, [EVER, EVER]),
        ([1024, 4096], 30, [1024, 4096]),
    ],
)
def test_the_soft_limit_is_raised_where_visitors_need_it_and_never_lowered(limits, before, places, after):
    limits[:] = before
    assert make_room(places) == ""
    assert limits == after


def test_a_system_that_allows_too_few_is_told_what_to_do(limits):
    limits[:] = [256, 1024]
    told = make_room(100)
    assert limits == [1024, 1024]
    assert "100 visitors take up to 1,856 open files, and this system allows 1,024" in told
    assert "`ulimit -n 1856`" in told
    assert f"at most {(1024 - ITSELF) // EACH} places" in told


def test_a_system_without_such_limits_is_left_alone(limits, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    limits[:] = [1, 1]
    assert make_room(100) == ""
    assert limits == [1, 1]
