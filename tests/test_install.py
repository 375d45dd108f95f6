"""What a stranger installs: the pinned versions fit every Python that the project names, on every system."""

import functools
import importlib.metadata
import re

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from pythons import ALLOWED, PROJECT, PYTHONS, ROOT

SYSTEMS = {
    "Linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "macOS": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    "Windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
}
# Not installed on Linux, where the tests run: the Python that each needs, from its own metadata.
ELSEWHERE = {"appnope": ">=3.9", "colorama": ">=2.7", "pywinpty": ">=3.10"}


def pins() -> dict[str, Requirement]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return {canonicalize_name(pin.name): pin for pin in map(Requirement, lines)}


def needed_python(pin: Requirement) -> SpecifierSet:
    """What a pinned release says of Python; the installed one must be the pinned one."""
    if pin.name in ELSEWHERE:
        return SpecifierSet(ELSEWHERE[pin.name])
    found = importlib.metadata.distribution(pin.name)
    assert pin.specifier.contains(Version(found.version).public), f"{pin} is pinned, {found.version} is installed"
    return SpecifierSet(found.metadata["Requires-Python"] or "")


@pytest.mark.parametrize("pin", pins().values(), ids=str)
def test_every_pin_installs_on_every_python_of_the_project(pin):
    needed = needed_python(pin)
    refused = [str(python) for python in PYTHONS if python in ALLOWED and python not in needed]
    assert not refused, f"{pin} refuses Python {', '.join(refused)}, and requires-python says {ALLOWED}"


@functools.cache
def requirements(name: str) -> list[Requirement]:
    """What a package asks for; for the project itself as this checkout says it, with all its extras."""
    if name == PROJECT["name"]:
        return list(map(Requirement, sum(PROJECT["optional-dependencies"].values(), PROJECT["dependencies"])))
    return [] if name in ELSEWHERE else list(map(Requirement, importlib.metadata.requires(name) or []))


def needs(system: dict[str, str], python: str) -> set[str]:
    """Everything that the project with all its extras brings along on one system."""
    environment = system | {"python_version": python, "python_full_version": f"{python}.0"}
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = [(PROJECT["name"], frozenset[str]())]
    while todo:
        name, extras = todo.pop()
        if (name, extras) not in seen:
            seen.add((name, extras))
            for need in requirements(name):
                settings = [environment | {"extra": each} for each in extras | {""}]
                if need.marker is None or any(need.marker.evaluate(each) for each in settings):
                    todo.append((canonicalize_name(need.name), frozenset(need.extras)))
    return {name for name, _ in seen} - {PROJECT["name"]}


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_everything_that_is_brought_along_is_pinned(system, python):
    assert needs(SYSTEMS[system], python) <= set(pins())


def test_the_named_pythons_are_those_that_are_allowed():
    named = re.findall(r"Python :: (3\.\d+)$", "\n".join(PROJECT["classifiers"]), re.M)
    minors = dict.fromkeys(f"{python.major}.{python.minor}" for python in PYTHONS if python in ALLOWED)
    assert named == list(minors)
