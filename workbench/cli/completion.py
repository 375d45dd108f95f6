"""What fits where the shell completes a word: names found quickly, because somebody waits with a finger on the key.

Importing the experiments takes two seconds. Their names stand in the files as the first argument, or the `name`, of a
call, where a look at the syntax finds them in a tenth of that.
"""

import argparse
import ast
from collections.abc import Callable, Iterable
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def completed(action: argparse.Action, names: Callable[[argparse.Namespace], Iterable[str]]) -> None:
    """Where the shell completes this argument, `names` says what fits; it gets what was typed so far."""
    action.completer = (  # pyright: ignore[reportAttributeAccessIssue]
        lambda parsed_args, **_: list(names(parsed_args))
    )


def experiment_names(typed: argparse.Namespace | None = None) -> list[str]:
    """The experiments there are, in the order of their files."""
    return names_in(PACKAGE / "experiments", "Experiment")


def rule_names(typed: argparse.Namespace | None = None) -> list[str]:
    """The rules there are, in the order of their files."""
    return names_in(PACKAGE / "rules", "LearningRule")


def names_in(folder: Path, kind: str) -> list[str]:
    """The names given in calls of `kind`, or of `_replace`, in the files of a folder."""
    found = []
    for path in sorted(folder.glob("[!.]*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and (called == kind or called.endswith("._replace")):
                given = [keyword.value for keyword in node.keywords if keyword.arg == "name"]
                given += node.args[:1] if called == kind else []
                found += [each.value for each in given if isinstance(each, ast.Constant)]
    return found
