"""What the shell completes: names found in the files are those that there are."""

import argparse
import os
import subprocess
import sys

import pytest

from workbench.cli.completion import experiment_names, rule_names
from workbench.cli.train import fitting_rules
from workbench.experiments.named import EXPERIMENTS
from workbench.rules import RULES


def test_names_in_the_files_are_all_there_are():
    assert set(EXPERIMENTS) <= set(experiment_names())
    assert sorted(rule_names()) == sorted(rule.name for rule in RULES)


def test_rules_are_those_of_the_experiment_that_was_typed():
    assert fitting_rules(argparse.Namespace(experiment="sound")) == list(EXPERIMENTS["sound"].rules)
    assert fitting_rules(argparse.Namespace(experiment="nope")) == []


@pytest.mark.skipif(os.name != "posix", reason="the shell reads completions from a file descriptor of its own")
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("workbench tr", ["train"]),
        ("workbench train fashion-", ["fashion-events"]),
        ("workbench train sound --ep", ["--epochs"]),
        ("workbench data verify voi", ["voices"]),
        ("workbench audit stllr-c", ["stllr-causal"]),
    ],
)
def test_the_shell_is_told_what_fits(typed, words, tmp_path):
    pytest.importorskip("argcomplete", reason="argcomplete is not installed; `make app` installs what is missing")
    found = tmp_path / "words"
    environment = {**os.environ, "_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_SUPPRESS_SPACE": "1"}
    environment |= {"COMP_LINE": typed, "COMP_POINT": str(len(typed)), "_ARGCOMPLETE_STDOUT_FILENAME": str(found)}
    subprocess.run([sys.executable, "-m", "workbench"], env=environment, timeout=120)
    assert found.read_text().split("\n") == words
