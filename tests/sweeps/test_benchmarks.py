"""Runs of benchmarks: kept whole with what made them, and told by processor."""

import json

import pytest

from workbench.sweeps import benchmarks
from workbench.sweeps.benchmarks import KEPT, Bench, benchmarks_text, keep, read_benchmarks, read_runs
from workbench.sweeps.machine import made_by

REPORT = {"name": "b", "peer": "p", "ratio": 2.0, "growth": 0.04, "by_rank": {"1/16": 6.6}}


@pytest.fixture
def on(monkeypatch):
    """Keep as if a processor of that name had measured."""

    def on(folder, processor, ratio):
        monkeypatch.setattr(benchmarks, "made_by", lambda: {"processor": processor, "threads": 1})
        return keep(folder, {**REPORT, "ratio": ratio})

    return on


def test_a_run_is_kept_with_what_made_it(tmp_path):
    path = keep(tmp_path / "bench", REPORT)
    assert (path.name, [each.name for each in path.parent.iterdir()]) == ("b.json", ["b.json"])
    (run,) = read_runs(path)
    assert run == {**REPORT, "made": made_by()}


def test_the_latest_of_each_processor_stay(tmp_path, on):
    on(tmp_path, "another", 9.0)
    for number in range(KEPT + 2):
        path = on(tmp_path, "this", float(number))
    runs = [(run["made"]["processor"], run["ratio"]) for run in read_runs(path)]
    assert runs == [("another", 9.0), *(("this", float(number)) for number in range(2, KEPT + 2))]


def test_a_table_tells_least_and_most_of_each_processor(tmp_path, on):
    for processor, ratio in (("AMD", 6.21), ("AMD", 6.9), ("Intel", 12.4)):
        on(tmp_path, processor, ratio)
    rows = (Bench("b", "grows by {growth:.0%}, {by_rank[1/16]:.1f}", "P"), Bench("never run", "w", "P"))
    assert benchmarks_text(rows, tmp_path).splitlines()[2:] == [
        "| `b` | grows by 4%, 6.6 | P | 6.2 to 6.9 (a) |",
        "| `b` | grows by 4%, 6.6 | P | 12 (b) |",
        "",
        "Processors: (a) AMD, (b) Intel.",
    ]
    assert benchmarks_text(rows[1:], tmp_path).endswith("No runs yet.")


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 2, "runs": []}', '{"format": 1}'])
def test_a_file_that_holds_no_runs_is_named(tmp_path, text):
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"b\.json holds no runs of a benchmark"):
        keep(tmp_path, REPORT)
    assert path.read_text() == text


def test_rows_are_read_and_mistakes_name_the_file(tmp_path):
    path = tmp_path / "benchmarks.toml"
    path.write_text('[[benchmark]]\nname = "b"\nwhat = "w"\npeer = "p"\n')
    assert read_benchmarks(path) == (Bench("b", "w", "p"),)
    path.write_text('[[benchmark]]\nname = "b"\nwhy = "w"\n')
    with pytest.raises(ValueError, match=r"benchmarks\.toml"):
        read_benchmarks(path)


def test_every_row_of_the_project_is_a_benchmark_and_its_runs_are_files_of_one():
    from workbench.cli.benchmarks import BENCH, all_benchmarks

    results = BENCH.parent / "results"
    rows = read_benchmarks(results / "benchmarks.toml")
    assert {row.name for row in rows} <= set(all_benchmarks())
    assert {path.stem for path in (results / "bench").glob("*")} <= {row.name for row in rows}
    for path in (results / "bench").glob("*"):
        assert json.loads(path.read_text())["runs"]
