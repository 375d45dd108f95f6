"""The doctor says what is missing and what to do."""

import os
from pathlib import Path

from pythons import ALLOWED, PYTHONS

from workbench import doctor
from workbench.doctor import Check, check_version, report
from workbench.serving import bundles


def test_doctor_says_what_to_do():
    text = report([Check("anywidget", False, "not installed", "pip install anywidget")])
    assert "MISSING" in text
    assert "pip install anywidget" in text


def test_doctor_names_a_version_that_the_figures_were_not_tested_with():
    check = check_version("plotly", "5.0")
    assert not check.good
    assert "pip install plotly==5.0.*" in check.advice
    assert not check_version("no_such_package", "1.0").good


def test_the_doctor_judges_pythons_as_the_project_does(monkeypatch):
    for python in PYTHONS:
        monkeypatch.setattr("sys.version_info", (*python.release, "final", 0))
        check = doctor.check_python()
        assert check.good == (python in ALLOWED), python
        assert check.found == str(python)


def test_the_doctor_misses_the_page_templates_but_not_the_compiled_loops(monkeypatch):
    assert doctor.check_pages().good
    monkeypatch.setattr("workbench.doctor.jupyter_path", lambda *parts: ["no", "such", "folders"])
    assert "voila" in doctor.check_pages().advice
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    check = doctor.check_compiled()
    assert check.good
    assert "pip install numba" in check.found


def test_the_doctor_says_when_the_small_bundle_is_for_another_plotly(monkeypatch):
    built = bundles.built_for()
    assert doctor.check_bundle().found == f"for plotly {built.package} with plotly.js {built.script}"
    monkeypatch.setattr(bundles, "installed", lambda: bundles.Versions("7.9.0", "4.9.0"))
    monkeypatch.setattr(bundles, "core_fits", lambda: False)
    check = doctor.check_bundle()
    assert check.good
    assert f"for plotly {built.package} and not for 7.9.0: the same figures" in check.found
    assert f"pip install plotly=={built.package}" in check.found


def test_the_data_folder_is_a_whole_path_wherever_it_lies(monkeypatch):
    def other_drive(*_):
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", other_drive)
    monkeypatch.setenv("WORKBENCH_DATA", "some/folder")
    assert doctor.check_folder().found == str(Path("some/folder").absolute())


def test_the_doctor_misses_the_app_only_where_half_of_it_is_there(monkeypatch):
    assert doctor.check_app("voila").good
    there = {"jupyterlab"}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name in there or None)
    assert doctor.check_app("voila") == Check("voila", False, "not installed", "pip install voila")
    there.clear()
    for check in (doctor.check_app("voila"), doctor.check_pages()):
        assert check.good
        assert "not installed" in check.found
