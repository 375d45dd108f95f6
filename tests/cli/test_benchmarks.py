"""The benchmarks of a checkout are found by the names that their files give them."""

import ast

import pytest

from workbench.cli import benchmarks
from workbench.cli.benchmarks import BENCH, all_benchmarks


def test_every_name_in_a_file_of_benchmarks_is_found_once():
    """Against the names that are written in the files."""
    written = []
    for path in BENCH.glob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            target = node.target if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [None])[0]
            if isinstance(target, ast.Name) and target.id == "BENCHMARKS":
                written += [key.value for key in node.value.keys]
    found = all_benchmarks()
    assert len(written) == len(set(written)) > 10
    assert sorted(found) == sorted(written)
    assert all(callable(benchmark) for benchmark in found.values())


def test_without_a_checkout_there_are_none(monkeypatch, tmp_path):
    monkeypatch.setattr(benchmarks, "BENCH", tmp_path / "bench")
    with pytest.raises(ValueError, match=r"part of the source checkout; there is no .*bench"):
        all_benchmarks()
