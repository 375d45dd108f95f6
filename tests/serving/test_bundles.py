"""The small bundle of plotly.js: for the plotly that is installed, whole, and built as its recipe says."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from workbench.serving import bundles
from workbench.serving.bundles import CORE, TRACES, Versions, built_for, core_fits, installed, plotly_folder

RECIPE = Path(__file__).resolve().parents[2] / "bundle"
LICENCES = CORE.with_name("plotly_core_licences.txt")


def test_the_bundle_was_built_for_the_plotly_that_is_installed():
    assert built_for() == installed()
    assert core_fits()
    assert json.loads((RECIPE / "package.json").read_text("utf-8"))["dependencies"]["plotly.js"] == built_for().script


def test_another_plotly_is_told_apart(monkeypatch):
    monkeypatch.setattr(bundles, "installed", lambda: Versions("7.9.0", built_for().script))
    assert not core_fits.__wrapped__()


def test_a_file_without_versions_is_refused(monkeypatch, tmp_path):
    (tmp_path / "plotly_core.js").write_text("no versions here")
    monkeypatch.setattr(bundles, "CORE", tmp_path / "plotly_core.js")
    with pytest.raises(RuntimeError, match=r"plotly_core\.js begins with 'no versions here'.*make bundle"):
        built_for()


def test_it_is_small_and_has_the_traces_that_figures_count_on():
    text = CORE.read_text("utf-8")
    assert len(text) < 1_400_000
    assert set(re.search(r"plotly\.js [\d.]+, ([a-z ]+) only", text)[1].split()) == TRACES
    assert {name for name in (*TRACES, "pie", "scatter3d") if f'moduleType:"trace",name:"{name}"' in text} == TRACES


def test_licences_travel_with_it():
    text = LICENCES.read_text("utf-8")
    for name in ("plotly.py", "plotly.js", "lodash-es", "@plotly/d3", "native-promise-only", "polybooljs"):
        assert re.search(rf"^{re.escape(name)} \d", text, re.M), name
    assert text.count("Permission is hereby granted, free of charge") > 10


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.skipif(not (RECIPE / "node_modules").is_dir(), reason="the packages of npm are not there; `make bundle`")
def test_it_is_what_its_recipe_builds(tmp_path):
    subprocess.run(["node", RECIPE / "build.mjs", plotly_folder().parent, tmp_path], check=True)
    assert (tmp_path / CORE.name).read_bytes() == CORE.read_bytes()
    assert (tmp_path / LICENCES.name).read_bytes() == LICENCES.read_bytes()


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.skipif(not (RECIPE / "node_modules").is_dir(), reason="the packages of npm are not there; `make bundle`")
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (('MathJaxConfig:"local"', 'MathJaxConfig:"other"'), "do not stand at the end of widgetbundle.js"),
        ((".sortBy(0)", "[0](0)"), "use lodash in a way"),
        ((".default.purge(", ".purge("), "use plotly.js in another way"),
    ],
)
def test_a_plotly_of_another_shape_is_refused(tmp_path, change, complaint):
    folder = tmp_path / "plotly"
    shutil.copytree(plotly_folder(), folder / "package_data", ignore=shutil.ignore_patterns("datasets", "templates"))
    (info,) = plotly_folder().parents[1].glob("plotly-*.dist-info")
    os.symlink(info, tmp_path / info.name)
    script = folder / "package_data" / "widgetbundle.js"
    text = script.read_text("utf-8")
    assert change[0] in text[-20_000:]
    script.write_text(text[:-20_000] + text[-20_000:].replace(*change), "utf-8")
    done = subprocess.run(["node", RECIPE / "build.mjs", folder, tmp_path], capture_output=True, text=True)
    assert done.returncode == 1
    assert complaint in done.stderr
