"""Says which part of an installation is missing, and what to do about it.

In a notebook: `from workbench.doctor import doctor; doctor()`. In a shell: `workbench doctor`.
"""

import importlib.metadata
import importlib.util
import os
import sys
from pathlib import Path
from typing import NamedTuple

from jupyter_core.paths import jupyter_path

MODULES = ("anywidget", "ipywidgets", "plotly", "snntorch", "torch")
APP = ("jupyterlab", "voila")  # the extra `app`, which notebooks elsewhere do without
EXTENSIONS = {
    "@jupyter-widgets/jupyterlab-manager": "jupyterlab_widgets",  # shows widgets in JupyterLab and Voila
    "anywidget": "anywidget",  # shows our figures
}


TESTED = {"plotly": "7.1", "anywidget": "0.11"}  # versions whose inner workings the figures rely on


class Check(NamedTuple):
    """One thing that was looked at: is it good, what was found, and what to do when it is not."""

    name: str
    good: bool
    found: str
    advice: str = ""


def examine() -> list[Check]:
    """Look at Python, the packages, the browser side of the widgets, and the data folder."""
    checks = [check_python()]
    checks += [check_module(name) for name in MODULES]
    checks += [check_app(name) for name in APP]
    checks += [check_extension(name, package) for name, package in EXTENSIONS.items()]
    checks += [check_version(package, tested) for package, tested in TESTED.items()]
    return [*checks, check_bundle(), check_pages(), check_compiled(), check_data(), check_folder()]


def report(checks: list[Check]) -> str:
    """One line a check, and a closing line."""
    lines = [f"{'good' if c.good else 'MISSING':8} {c.name:38} {c.found}" for c in checks]
    advice = [f"  - {c.name}: {c.advice}" for c in checks if not c.good]
    closing = ["Everything is in place."] if not advice else ["What to do:", *advice]
    return "\n".join([*lines, *closing])


def doctor() -> None:
    """Print the report; for a notebook cell."""
    print(report(examine()))


def check_python() -> Check:
    """Python 3.11 to 3.14; networkx, which torch needs, fails on 3.14.1."""
    version = sys.version_info[:3]
    good = (3, 11) <= version[:2] <= (3, 14) and version != (3, 14, 1)
    return Check("python", good, ".".join(map(str, version)), "install Python 3.11 to 3.14, but not 3.14.1")


def check_module(name: str) -> Check:
    """A package that can be found; it is not imported, so this is quick."""
    if importlib.util.find_spec(name) is None:
        return Check(name, False, "not installed", f"pip install {name}")
    return Check(name, True, importlib.metadata.version(name))


def check_app(name: str) -> Check:
    """A package that serves the app and the notebooks: nothing is missing without both where another Jupyter runs."""
    if any(map(importlib.util.find_spec, APP)):
        return check_module(name)
    return Check(name, True, "not installed: no app and no Lab of its own; pip install 'local-learning-workbench[app]'")


def check_version(package: str, tested: str) -> Check:
    """A package in the version that the figures were tested with."""
    name = f"{package} as tested with figures"
    if importlib.util.find_spec(package) is None:
        return Check(name, False, "not installed", f"pip install {package}=={tested}.*")
    found = importlib.metadata.version(package)
    good = found.split(".")[:2] == tested.split(".")
    return Check(name, good, found, f"tested with {tested}; where figures misbehave, pip install {package}=={tested}.*")


def check_bundle() -> Check:
    """The small bundle of plotly.js: nothing is missing without it, but pages with figures come more slowly."""
    name = "small bundle of plotly.js"
    if importlib.util.find_spec("plotly") is None:
        return Check(name, False, "no plotly", "pip install plotly")
    from workbench.serving.bundles import built_for, core_fits, installed

    ours, theirs = built_for(), installed()
    if core_fits():
        return Check(name, True, f"for plotly {ours.package} with plotly.js {ours.script}")
    found = f"is for plotly {ours.package} and not for {theirs.package}: the same figures, pages come more slowly"
    return Check(name, True, f"{found}; pip install plotly=={ours.package}")


def check_extension(name: str, package: str) -> Check:
    """The browser side of a widget library, in one of the folders where Jupyter looks."""
    for folder in jupyter_path("labextensions"):
        if (Path(folder) / name / "package.json").is_file():
            return Check(f"browser part of {package}", True, name)
    advice = f"pip install --force-reinstall {package}, into the environment that runs JupyterLab"
    return Check(f"browser part of {package}", False, "not found", advice)


def check_pages() -> Check:
    """Voila's page templates, without which a page stays empty for ever."""
    name = "page templates of voila"
    if not any(map(importlib.util.find_spec, APP)):
        return Check(name, True, "not installed, like voila")
    for folder in jupyter_path("voila", "templates"):
        if (Path(folder) / "lab" / "index.html.j2").is_file():
            return Check(name, True, "found")
    return Check(
        name, False, "not found", "pip install --force-reinstall voila, into the environment that runs the app"
    )


def check_compiled() -> Check:
    """Compiled inner loops: nothing is missing without them, but spiking networks learn more slowly."""
    there = importlib.util.find_spec("numba") is not None
    without = "not installed: the same numbers, slower; pip install numba"
    return Check("numba (compiled loops)", True, importlib.metadata.version("numba") if there else without)


def check_data() -> Check:
    """The embedded images have the right checksum."""
    from workbench.data.delivery.catalogue import SMALL, verify

    problems = "; ".join(check.problem for check in verify(SMALL) if check.problem)
    return Check("embedded images", not problems, problems or "whole", "install the package again")


def check_folder() -> Check:
    """The data folder can be written, so that simulated events are kept."""
    from workbench.data.delivery.storage import data_folder

    folder = data_folder()
    place = folder if folder.is_dir() else folder.parent
    good = os.access(place, os.W_OK)
    return Check("data folder", good, str(folder.absolute()), "set WORKBENCH_DATA to a folder you can write")
