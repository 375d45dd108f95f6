"""A copy of this checkout in a folder with a space and an umlaut: what is installed and served, without the tests."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = (
    "Makefile",
    "pyproject.toml",
    "constraints.txt",
    "README.md",
    "LICENSE",
    ".gitignore",
    ".ci/stages.py",
    ".ci/grader.txt",
    ".ci/hub.txt",
)
FOLDERS = ("workbench", "widgets", "notebooks", "results")
EMBEDDED = ("LICENSES.md", "asterisk_voices5_spikes128.npz", "fashion_mnist_5k_1k.npz")


def copied(folder: Path) -> Path:
    """Copy the checkout into a new folder within `folder`; gives the new folder."""
    copy = folder / "Lokales Lernen ä"
    left_out = shutil.ignore_patterns("__pycache__", ".*", "runs")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=left_out)
    for name in (*FILES, *(f"data_cache/{name}" for name in EMBEDDED)):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    return copy
