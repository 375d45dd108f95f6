"""The version of this package as it was installed."""

import importlib.metadata


def installed_version() -> str:
    """The version; "not installed" of a checkout on the path that nobody installed."""
    try:
        return importlib.metadata.version("local-learning-workbench")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
