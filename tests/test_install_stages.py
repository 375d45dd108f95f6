"""The test command: a line for each stage, a stop at the first that fails, the slowest tests of all."""

import importlib.util
import os
import re
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[1] / ".ci" / "stages.py"
GOOD = ["platform"]  # a module of Python that prints one line
TWO_TESTS = """
def test_one_{name}(): pass
def test_two_{name}(): assert {right}
"""
REPORT = """<testsuites><testsuite>
<testcase classname="tests.a" name="test_{name}" time="{seconds}" />
<testcase classname="tests.b" name="quick" time="0" />
</testsuite></testsuites>"""


@pytest.fixture
def stages(monkeypatch, tmp_path):
    spec = importlib.util.spec_from_file_location("stages", FILE)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "stages", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "RESULTS", tmp_path / "test-results")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return module


def stage(folder: Path, name: str, right: bool = True) -> list[str]:
    path = folder / f"test_{name}.py"
    path.write_text(TWO_TESTS.format(name=name, right=right))
    return ["pytest", "-c", "/dev/null", "--rootdir", str(folder), str(path)]


def test_a_line_for_each_stage_and_one_list_of_all_tests(stages, monkeypatch, tmp_path, capsys):
    chosen = {"alone": GOOD, "one": stage(tmp_path, "one"), "other": stage(tmp_path, "other")}
    monkeypatch.setattr(stages, "STAGES", chosen)
    assert stages.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"1/3 alone … \d+ s ok", lines[0])
    assert re.fullmatch(r"2/3 one … \d+ s ok", lines[1])
    assert re.fullmatch(r" +=+ 2 passed in .*s =+", lines[2])
    assert re.fullmatch(r"3/3 other … \d+ s ok", lines[3])
    assert lines[5] == "the 4 slowest of 4 tests"
    shown = [line.split()[-1] for line in lines[6:]]
    assert sorted(shown) == ["test_one_one", "test_one_other", "test_two_one", "test_two_other"]


def test_the_slowest_come_first_and_only_ten(stages, tmp_path, capsys):
    tests = []
    for name, seconds in (("middle", 7.25), ("slowest", 61.5), *((f"other{number}", 2) for number in range(12))):
        report = tmp_path / f"{name}.xml"
        report.write_text(REPORT.format(name=name, seconds=seconds))
        tests += stages.read_report(report)
    stages.print_slowest(tests)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "the 10 slowest of 28 tests",
        "    61.5 s  tests.a test_slowest",
        "     7.2 s  tests.a test_middle",
    ]
    assert len(lines) == 11


def test_it_stops_at_the_first_that_fails_and_shows_what_it_printed(stages, monkeypatch, tmp_path, capsys):
    chosen = {"good": GOOD, "bad": stage(tmp_path, "bad", right=False), "never": ["no_such_module"]}
    monkeypatch.setattr(stages, "STAGES", chosen)
    assert stages.main([]) == 1
    out = capsys.readouterr().out
    assert re.search(r"^2/3 bad … \d+ s FAILED$", out, re.M)
    assert re.search(r"^>.*assert False$", out, re.M)
    assert re.search(r"^=+ 1 failed, 1 passed in .*s =+$", out, re.M)
    assert out.splitlines()[-1] == "make test stopped at stage 2 of 3: bad"
    assert "never" not in out


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no files that wait for who reads them")
def test_stages_that_stand_together_run_at_once(stages, monkeypatch, tmp_path, capfd):
    """Each of two waits until the other opens the other end of a pipe."""
    for pipe in ("to_left", "to_right"):
        os.mkfifo(tmp_path / pipe)
    (tmp_path / "left_waits.py").write_text("open('to_right', 'w').close(); open('to_left').close()")
    (tmp_path / "right_waits.py").write_text("open('to_right').close(); open('to_left', 'w').close()")
    chosen = {"first": GOOD, "left": ["left_waits"], "right": ["right_waits"], "last": GOOD}
    monkeypatch.setattr(stages, "STAGES", chosen)
    monkeypatch.setattr(stages, "WORKERS", {"left": 2, "right": 2})
    assert stages.main([]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert re.fullmatch(r"1/4 first … \d+ s ok", lines[0])
    assert sorted(line.split(" … ")[0] for line in lines[1:3]) == ["2/4 left", "3/4 right"]
    assert re.fullmatch(r"4/4 last … \d+ s ok", lines[3])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no files that wait for who reads them")
def test_the_next_stage_begins_when_there_is_room_for_it(stages, monkeypatch, tmp_path, capfd):
    """`long` ends only when `next` has begun, and `next` has room only after `short`."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "long_waits.py").write_text("open('pipe').close()")
    (tmp_path / "next_opens.py").write_text("open('pipe', 'w').close()")
    chosen = {"long": ["long_waits"], "short": GOOD, "next": ["next_opens"]}
    monkeypatch.setattr(stages, "STAGES", chosen)
    monkeypatch.setattr(stages, "WORKERS", {"long": 2, "short": 2, "next": 2})
    assert stages.main([]) == 0
    names = [line.split()[1] for line in capfd.readouterr().out.splitlines() if line[0].isdigit()]
    assert names[0] == "short"
    assert set(names) == set(chosen)


def test_a_stage_that_fails_ends_those_beside_it(stages, monkeypatch, tmp_path, capsys):
    (tmp_path / "endless.py").write_text("import threading\nthreading.Event().wait()")
    chosen = {"endless": ["endless"], "bad": stage(tmp_path, "bad", right=False), "never": ["no_such_module"]}
    monkeypatch.setattr(stages, "STAGES", chosen)
    monkeypatch.setattr(stages, "WORKERS", {"endless": 1, "bad": 1})
    assert stages.main([]) == 1
    out = capsys.readouterr().out
    assert re.search(r"^2/3 bad … \d+ s FAILED$", out, re.M)
    assert out.splitlines()[-1] == "make test stopped at stage 2 of 3: bad"
    assert "endless" not in out


def test_a_stage_that_runs_no_test_fails(stages, monkeypatch, tmp_path, capsys):
    (tmp_path / "test_none.py").write_text("")
    monkeypatch.setattr(stages, "STAGES", {"none": [*stage(tmp_path, "x")[:-1], str(tmp_path / "test_none.py")]})
    assert stages.main([]) == 1
    assert "no tests ran" in capsys.readouterr().out


def test_stages_can_be_chosen_by_name(stages, monkeypatch, capsys):
    monkeypatch.setattr(stages, "STAGES", {"first": ["no_such_module"], "second": GOOD})
    assert stages.main(["second"]) == 0
    assert capsys.readouterr().out.startswith("1/1 second … ")
    assert stages.main(["third"]) == 2
    assert "no stage third; there are first, second" in capsys.readouterr().err


def test_the_seed_is_shown(stages):
    text = "platform linux\nUsing --randomly-seed=123\nrootdir: x\n===== 3 passed in 2.00s ====="
    assert [found[0] for found in stages.SHOWN.finditer(text)] == ["Using --randomly-seed=123", text.splitlines()[-1]]


def test_every_test_is_in_one_stage(stages):
    """Of the four combinations of the marks that divide the tests, each is chosen once."""
    choices = [command[command.index("-m") + 1] for command in stages.STAGES.values() if "-m" in command]
    for browser in (True, False):
        chosen = [eval(choice, {"browser": browser, "wheel": False}) for choice in choices]
        assert sum(chosen) == 1
    assert sum(eval(choice, {"browser": True, "wheel": True}) for choice in choices) == 1
    assert sum("notebooks" in command for command in stages.STAGES.values()) == 1


def test_durations_are_read_by_people(stages):
    assert [stages.duration(seconds) for seconds in (0.3, 59.6, 130.2)] == ["0 s", "1 min 0 s", "2 min 10 s"]
