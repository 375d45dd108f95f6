"""The version is that of the installation, and a checkout that nobody installed has words for it."""

import importlib.metadata
import tomllib
from pathlib import Path

from workbench.version import installed_version


def test_it_is_the_projects():
    project = tomllib.loads((Path(__file__).resolve().parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    assert installed_version() == project["version"]


def test_without_an_installation_there_are_words(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert installed_version() == "not installed"
