"""Changes one thing in a source file at a time, and asks the tests whether they notice: `make mutants`.

    python .ci/mutants.py                          400 mutants of the mathematical rooms
    python .ci/mutants.py --count 40 --seed 3      other ones, fewer
    python .ci/mutants.py --rooms credit rules     of these rooms

A mutant is one changed operator, comparison, number, truth value or sign. The tests that execute its line are run until
one fails, those that take least first; what changes while a module is imported meets the tests beside it, those of the
papers' defaults and those of its room. Mutants that survive are listed; one that makes no difference is explained in
`.ci/mutants.toml`, and counts as explained. The exit status is 1 when more than 5 % survive unexplained. Whatever was
found before is kept: only mutants of changed sources are tried again, and survivors without a reason when a test has
changed.
"""

import argparse
import ast
import json
import math
import os
import signal
import sys
import tomllib
from collections import deque
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import NamedTuple

import pytest
from covering import (
    IMPORTING,
    LOG,
    OPTIONS,
    ROOMS,
    ROOT,
    Collected,
    Covering,
    FirstExample,
    allow,
    digest,
    in_children,
    limit_of,
)
from mutation import Mutant, at_import, chosen_mutants, mutated, unchanged

ACROSS = "tests/test_defaults.py"  # tests of all rooms that know the papers' numbers
ALLOWED = 0.05
AGAIN = 2  # how a process ends that could not change what is loaded
COMPOUND = (ast.FunctionDef, ast.ClassDef, ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match)
TIMEOUT = (-signal.SIGXCPU, -signal.SIGKILL)


class Outcome(NamedTuple):
    """What became of a mutant (killed, timeout or survived), and the digests of its source and of all tests."""

    mutant: Mutant
    state: str
    seconds: float
    source: str
    tests: str


class Campaign:
    """Mutants, what is known of them, and where it is kept."""

    def __init__(self, mutants: Sequence[Mutant], folder: Path, workers: int):
        self.mutants, self.folder, self.workers = mutants, folder, workers
        self.recordings = folder / "covering"
        self.recordings.mkdir(parents=True, exist_ok=True)
        self.tests = digest(*every_file())
        notes = ROOT / ".ci" / "mutants.toml"
        self.explained = tomllib.loads(notes.read_text("utf-8")) if notes.is_file() else {}
        self.outcomes: dict[str, Outcome] = {}
        self.load()

    def load(self) -> None:
        """Read what another process, or an earlier campaign, has written."""
        if (file := self.folder / "mutants.json").is_file():
            for mutant, *rest in json.loads(file.read_text("utf-8")):
                self.keep(Outcome(Mutant(*mutant), *rest))

    def keep(self, outcome: Outcome) -> None:
        self.outcomes[f"{outcome.mutant.path}#{outcome.mutant.number}"] = outcome

    def settled(self, mutant: Mutant) -> Outcome | None:
        """What is known of a mutant and still holds."""
        known = self.outcomes.get(f"{mutant.path}#{mutant.number}")
        if known is None or known.source != digest(mutant.path) or known.mutant.name != mutant.name:
            return None
        again = known.state == "survived" and known.tests != self.tests and mutant.name not in self.explained
        return None if again else known._replace(mutant=mutant)

    def settle(self, mutant: Mutant, state: str, seconds: float) -> None:
        """Write down what became of a mutant."""
        self.keep(Outcome(mutant, state, round(seconds, 1), digest(mutant.path), self.tests))
        text = json.dumps(list(self.outcomes.values()), indent=0)
        (self.folder / "mutants.json").write_text(text, "utf-8")
        known = sum(self.settled(each) is not None for each in self.mutants)
        say(f"{known}/{len(self.mutants)} {state} {seconds:.1f} s {mutant.name}")

    def waiting(self, imported: bool) -> list[Mutant]:
        """The mutants that are to be tried: inside functions, or what is executed at import."""
        return [each for each in self.mutants if not self.settled(each) and at_import(each) == imported]

    def recording(self, file: str) -> Path:
        return self.recordings / f"{file.replace('/', '.')}.json"

    def read(self, file: str) -> Covering | None:
        """What is recorded of a test file, where nothing has changed since."""
        if not (path := self.recording(file)).is_file():
            return None
        covering = Covering(*json.loads(path.read_text("utf-8")))
        same = all((ROOT / each).is_file() and digest(each) == known for each, known in covering.digests.items())
        return covering if same else None

    def record(self, collected: Collected, files: Sequence[str]) -> list[Covering]:
        """What these test files execute; those that are not recorded are recorded."""
        missing = deque(file for file in files if self.read(file) is None)

        def recorded(file: str) -> int:
            return collected.record(file, self.recording(file))

        for file, status, seconds in in_children(missing, recorded, self.workers, math.inf):
            say(f"recorded {file} {seconds:.1f} s")
            if status:
                self.recording(file).unlink(missing_ok=True)
                sys.exit(f"{file} fails without any change: see {LOG}")
        return [known for file in files if (known := self.read(file))]

    def in_functions(self, collected: Collected) -> None:
        """Try the mutants inside functions: with the tests beside their modules first, then with all of them."""
        waiting, left = self.waiting(imported=False), []
        for path in sorted({mutant.path for mutant in waiting}):
            own = [mutant for mutant in waiting if mutant.path == path]
            left += self.tried(collected, own, near_tests(path)[0][1:])
        for mutant in self.tried(collected, left, every_file()):
            if not executed_by(mutant, collected.imported):  # otherwise the change came too late
                self.settle(mutant, "survived", 0)

    def tried(self, collected: Collected, mutants: Sequence[Mutant], files: Sequence[str]) -> list[Mutant]:
        """Try mutants with the tests of some files that execute them; those that survive."""
        if not mutants:
            return []
        covering = self.record(collected, files)
        seconds = {test: took for each in covering for test, took in each.seconds.items()}

        def attempt(mutant: Mutant) -> int:
            if not collected.change(mutant.path, unchanged(mutant.path), mutated(mutant)):
                return AGAIN
            return collected.run(sorted(executed_by(mutant, *covering) - {""}, key=seconds.__getitem__), seconds)

        left = []
        for mutant, status, took in in_children(deque(mutants), attempt, self.workers):
            if status == 1 or status in TIMEOUT:
                self.settle(mutant, "killed" if status == 1 else "timeout", took)
            elif status == 0:
                left.append(mutant)
                say(f"left {took:.1f} s {mutant.path}:{mutant.line}: {mutant.before} -> {mutant.after}")
            elif status != AGAIN:
                sys.exit(f"{mutant.name} could not be tried: see {LOG}")
        return left

    def try_in_functions(self) -> None:
        """Collect all tests, once and in a process of its own, and try the mutants inside functions."""
        if not self.waiting(imported=False) and all(self.read(file) for file in every_file()):
            return

        def collect(_: None) -> int:
            return int(pytest.main([*OPTIONS, *every_file()], plugins=[Collected(self.in_functions)]))

        for _, status, _ in in_children(deque([None]), collect, 1, math.inf):
            if status:
                sys.exit(f"what went wrong stands in {LOG}")
        self.load()

    def try_at_import(self) -> None:
        """Try the mutants that are executed while modules are imported, in processes that have not imported them."""
        covering = {file: known for file in every_file() if (known := self.read(file))}
        seconds = {test: took for each in covering.values() for test, took in each.seconds.items()}
        tasks = deque((mutant, False) for mutant in [*self.waiting(imported=True), *self.waiting(imported=False)])

        def attempt(task: tuple[Mutant, bool]) -> int:
            mutant, all_of_them = task
            near, room = near_tests(mutant.path)
            reaching = [
                file
                for file, each in covering.items()
                if any(test for tests in each.lines.get(mutant.path, {}).values() for test in tests)
            ]
            chosen = [each for each in dict.fromkeys([*room, *reaching]) if each not in near] if all_of_them else near
            changed_on_import(ROOT / mutant.path, mutated(mutant))
            return int(pytest.main([*OPTIONS, "-x", *chosen], plugins=[Cheapest(seconds)]))

        for (mutant, all_of_them), status, took in in_children(tasks, attempt, self.workers):
            if status in (0, 5) and not all_of_them:
                tasks.append((mutant, True))
            elif status in (0, 1, 2, 3, 5) or status in TIMEOUT:
                state = "survived" if status in (0, 5) else "timeout" if status in TIMEOUT else "killed"
                self.settle(mutant, state, took)
            else:
                sys.exit(f"{mutant.name} could not be tried: see {LOG}")


class Cheapest(FirstExample):
    """A plugin of pytest: tests in the order of what they take, none for ever."""

    def __init__(self, seconds: dict[str, float]):
        self.seconds = seconds
        allow(IMPORTING)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self.seconds.get(item.nodeid, 0))

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        allow(limit_of(self.seconds.get(item.nodeid, 0)))


def say(text: str) -> None:
    """A line of progress, past pytest, which holds what is written."""
    print(text, file=sys.__stderr__, flush=True)


def prepare() -> None:
    """What every process needs, imported once; plugins of pytest must not be."""
    import numba  # noqa: F401
    import torch

    torch.set_num_threads(1)
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))


def tests_in(folder: str) -> list[str]:
    """The test files of a folder of the checkout."""
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("test_*.py"))


def every_file() -> list[str]:
    """The test files of all rooms, and those across."""
    return [*(file for room in ROOMS for file in tests_in(f"tests/{room}")), ACROSS]


def near_tests(path: str) -> tuple[list[str], list[str]]:
    """The tests beside a module with those of all rooms, and those of its room."""
    parts = Path(path).with_suffix("").parts[1:]
    beside = "/".join(("tests", *parts[:-1], f"test_{parts[-1]}.py"))
    return [ACROSS, *[beside] * (ROOT / beside).is_file()], tests_in(f"tests/{parts[0]}")


def executed_by(mutant: Mutant, *coverings: Covering) -> set[str]:
    """The tests that execute the statement that a mutant stands in; "" where it is executed at import."""
    first = last = mutant.line
    for node in ast.walk(ast.parse((ROOT / mutant.path).read_text("utf-8"))):
        if isinstance(node, ast.stmt) and not isinstance(node, COMPOUND):
            end = node.end_lineno or node.lineno
            first, last = (node.lineno, end) if node.lineno <= mutant.line <= end else (first, last)
    by_line = [each.lines.get(mutant.path, {}) for each in coverings]
    return {test for own in by_line for line in range(first, last + 1) for test in own.get(str(line), [])}


def changed_on_import(path: Path, source: str) -> None:
    """Whoever imports this file in this process gets the other source."""
    plain = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, name: str):
        return loader.source_to_code(source.encode(), str(path)) if loader.path == str(path) else plain(loader, name)

    SourceFileLoader.get_code = get_code


def report(outcomes: Sequence[tuple[Mutant, str]]) -> str:
    """A line for each room, and every survivor."""
    lines = [f"{'room':12} {'mutants':>8} {'killed':>8} {'timeout':>8} {'explained':>10} {'survived':>9}"]
    states = ("killed", "timeout", "explained", "survived")
    rooms = sorted({mutant.path.split("/")[1] for mutant, _ in outcomes})
    for room in [*rooms, "all"]:
        own = [state for mutant, state in outcomes if room in ("all", mutant.path.split("/")[1])]
        counts = [own.count(state) for state in states]
        lines.append(f"{room:12} {len(own):8} {counts[0]:8} {counts[1]:8} {counts[2]:10} {counts[3]:9}")
    for mutant, state in outcomes:
        if state == "survived":
            lines.append(f"survived {mutant.path}:{mutant.line}\n    {mutant.before}\n    {mutant.after}")
    return "\n".join(lines)


def main() -> int:
    """Try mutants and print what became of them."""
    parser = argparse.ArgumentParser(description="Change one thing at a time and ask the tests whether they notice.")
    parser.add_argument("--count", type=int, default=400, help="how many mutants (default 400)")
    parser.add_argument("--seed", type=int, default=0, help="which ones are drawn (default 0)")
    parser.add_argument("--rooms", nargs="+", default=ROOMS, choices=ROOMS, help="of these rooms (default: all)")
    parser.add_argument("--workers", type=int, default=2, help="processes at once (default 2)")
    parser.add_argument("--folder", type=Path, default=ROOT / "test-results", help="where results lie")
    arguments = parser.parse_args()
    prepare()
    LOG.unlink(missing_ok=True)
    wanted = chosen_mutants(arguments.rooms, arguments.count, arguments.seed)
    campaign = Campaign(wanted, arguments.folder, arguments.workers)
    campaign.try_in_functions()
    campaign.try_at_import()
    found = [(mutant, outcome.state) for mutant in wanted if (outcome := campaign.settled(mutant))]
    found = [
        (mutant, "explained" if state == "survived" and mutant.name in campaign.explained else state)
        for mutant, state in found
    ]
    print(report(found))
    survived = sum(state == "survived" for _, state in found)
    print(f"{survived} of {len(found)} survived unexplained ({survived / len(found):.1%}, allowed {ALLOWED:.0%})")
    return int(len(found) < len(wanted) or survived > ALLOWED * len(found))


if __name__ == "__main__":
    sys.exit(main())
