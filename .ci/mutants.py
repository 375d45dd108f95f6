"""Changes one thing in a source file at a time, and asks the tests whether they notice: `make mutants`.

    python .ci/mutants.py                          400 mutants of the mathematical rooms
    python .ci/mutants.py --count 40 --seed 3      other ones, fewer
    python .ci/mutants.py --rooms credit rules     of these rooms

A mutant is one changed operator, comparison, number, truth value or sign. First the tests beside the module are run,
then, if they are content, those of the whole room and those of the papers' defaults. Mutants that survive both are
listed; one that makes no difference is explained in `.ci/mutants.toml`, and counts as explained. The exit status is 1
when more than 5 % survive unexplained. Everything happens in copies of the checkout under a temporary folder.
"""

import argparse
import ast
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from collections.abc import Sequence
from itertools import count, islice
from multiprocessing import Process, Queue
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("neurons", "credit", "rules", "continual", "compression", "cost")
ACROSS = ("tests/test_defaults.py",)  # tests of all rooms that know the papers' numbers
LIMITS = (120, 400)  # seconds for the tests beside a module, and for those of its room
WAITING = 10
ALLOWED = 0.05
FIRST = 1_000_000_000  # the time of the first mutant, before that of any source
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


class Mutant(NamedTuple):
    """A file of the checkout, the number of the change in it, the line it stands in, and the line after the change."""

    path: str
    number: int
    line: int
    before: str
    after: str

    @property
    def name(self) -> str:
        return f"{self.path}: {self.before} -> {self.after}"


class Outcome(NamedTuple):
    """killed, timeout, survived, or explained."""

    mutant: Mutant
    state: str
    seconds: float


class Changer(ast.NodeTransformer):
    """Counts the places that can be changed, and changes number `wanted`."""

    def __init__(self, wanted: int = -1):
        self.wanted, self.seen, self.line = wanted, 0, 0

    def turn(self, node: ast.AST, line: int) -> bool:
        """Whether this is the place."""
        self.seen += 1
        if self.seen - 1 == self.wanted:
            self.line = line
            return True
        return False

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if type(node.op) in SWAPS and not is_text(node.left) and self.turn(node, node.lineno):
            node.op = SWAPS[type(node.op)]()  # pyright: ignore
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if type(node.op) in SWAPS and not is_text(node.value) and self.turn(node, node.lineno):
            node.op = SWAPS[type(node.op)]()  # pyright: ignore
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        if self.turn(node, node.lineno):
            node.op = SWAPS[type(node.op)]()  # pyright: ignore
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        for place, op in enumerate(node.ops):
            if type(op) in SWAPS and self.turn(node, node.lineno):
                node.ops[place] = SWAPS[type(op)]()  # pyright: ignore
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.USub | ast.Not) and self.turn(node, node.lineno):
            return node.operand
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        value = node.value
        if isinstance(value, bool) and self.turn(node, node.lineno):
            return ast.copy_location(ast.Constant(not value), node)
        if isinstance(value, int | float) and not isinstance(value, bool) and self.turn(node, node.lineno):
            return ast.copy_location(ast.Constant(value + 1 if isinstance(value, int) else value * 2 or 1.0), node)
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        return node if node.arg == "strict" else self.generic_visit(node)  # a guard of `zip` that never acts

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return node  # words

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in ("Float", "Int", "Int64", "Bool", "Literal"):
            return node
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST:
        return node if "TYPE_CHECKING" in ast.unparse(node.test) else self.generic_visit(node)


def is_text(node: ast.AST) -> bool:
    """Whether something is put together of words."""
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def places_of(path: Path) -> int:
    """How many places of a file can be changed."""
    counter = Changer()
    counter.visit(ast.parse(path.read_text("utf-8")))
    return counter.seen


def mutant_of(path: Path, number: int) -> Mutant | None:
    """The mutant that changes place `number` of a file; None where the source reads the same after it."""
    tree, changer = ast.parse(path.read_text("utf-8")), Changer(number)
    plain = ast.unparse(tree).splitlines()
    changed = ast.unparse(changer.visit(tree)).splitlines()
    pairs = [(a.strip(), b.strip()) for a, b in zip(plain, changed, strict=False) if a != b]
    return Mutant(str(path.relative_to(ROOT)), number, changer.line, *pairs[0]) if pairs else None


def mutated(mutant: Mutant) -> str:
    """The source with the change."""
    tree = Changer(mutant.number).visit(ast.parse((ROOT / mutant.path).read_text("utf-8")))
    return ast.unparse(ast.fix_missing_locations(tree))


def tests_for(path: str) -> tuple[list[str], list[str]]:
    """The tests beside a module, and those of its room."""
    parts = Path(path).with_suffix("").parts[1:]
    beside = ROOT.joinpath("tests", *parts[:-1], f"test_{parts[-1]}.py")
    near = [str(beside.relative_to(ROOT))] if beside.is_file() else []
    return near, [f"tests/{parts[0]}", *ACROSS]


def in_child(folder: Path, tests: Sequence[str], seconds: int) -> int:
    """Run tests and say nothing; pytest's exit status."""
    import pytest

    os.setsid()
    os.chdir(folder)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    sys.path.insert(0, str(folder))
    with open(folder / "last.log", "wb", 0) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    without = ("cacheprovider", "randomly", "nbval")  # the last takes seconds to import
    chosen = ["-x", "-q", *(f"-pno:{plugin}" for plugin in without), "-m", "not slow and not browser"]
    return int(pytest.main([*chosen, *tests]))


def run_tests(folder: Path, tests: Sequence[str], seconds: int) -> str:
    """Run tests in a forked process that has torch already: "passed", "failed" or "timeout".

    The limit is of the time that it computes; one that only waits gets `WAITING` times as long.
    """
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = in_child(folder, tests, seconds)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)  # whatever happened: what this process was forked from is not its to clean up
    end = time.monotonic() + WAITING * seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return "passed" if code == 0 else "timeout" if code in (-signal.SIGXCPU, -signal.SIGKILL) else "failed"
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timeout"


def copied(parent: Path) -> Path:
    """A copy of what tests need, with what lies beside the checkout beside it."""
    folder = parent / "checkout"
    for name in ("workbench", "widgets", "tests", ".ci"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "NOTATION.md"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("data_cache", "notebooks", "bench"):
        (folder / name).symlink_to(ROOT / name)
    if (shared := ROOT.parent / "shared").exists():
        (parent / "shared").symlink_to(shared.resolve())
    return folder


def work(jobs: "Queue[Mutant | None]", outcomes: "Queue[Outcome]", explained: dict[str, str]) -> None:
    """Try mutants one after the other in a copy of one's own."""
    import numba  # noqa: F401  (what every child needs, imported once; plugins of pytest must not be)
    import pytest  # noqa: F401
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="mutants-") as parent:
        folder = copied(Path(parent))
        for second in count(FIRST):
            if (mutant := jobs.get()) is None:
                return
            began, place = time.monotonic(), folder / mutant.path
            place.write_text(mutated(mutant), "utf-8")
            os.utime(place, (second, second))  # Python compiles again what has another time, in whole seconds
            near, room = tests_for(mutant.path)
            state = "survived"
            for tests, limit in zip((near, room), LIMITS, strict=True):
                answer = run_tests(folder, tests, limit) if tests else "passed"
                if answer != "passed":
                    state = "killed" if answer == "failed" else "timeout"
                    break
            if state == "survived" and mutant.name in explained:
                state = "explained"
            shutil.copy2(ROOT / mutant.path, place)
            outcomes.put(Outcome(mutant, state, time.monotonic() - began))


def chosen_mutants(rooms: Sequence[str], wanted: int, seed: int) -> list[Mutant]:
    """So many mutants, drawn from all that there are in these rooms."""
    paths = [path for room in rooms for path in sorted((ROOT / "workbench" / room).rglob("*.py"))]
    places = [(path, number) for path in paths if path.name != "__init__.py" for number in range(places_of(path))]
    random.Random(seed).shuffle(places)
    every = (mutant for place in places if (mutant := mutant_of(*place)))
    return list(islice(every, wanted))


def report(outcomes: Sequence[Outcome]) -> str:
    """A line for each room, and every survivor."""
    lines = [f"{'room':12} {'mutants':>8} {'killed':>8} {'timeout':>8} {'explained':>10} {'survived':>9}"]
    states = ("killed", "timeout", "explained", "survived")
    rooms = sorted({outcome.mutant.path.split("/")[1] for outcome in outcomes})
    for room in [*rooms, "all"]:
        own = [o.state for o in outcomes if room in ("all", o.mutant.path.split("/")[1])]
        counts = [own.count(state) for state in states]
        lines.append(f"{room:12} {len(own):8} {counts[0]:8} {counts[1]:8} {counts[2]:10} {counts[3]:9}")
    for outcome in outcomes:
        if outcome.state == "survived":
            lines.append(f"survived {outcome.mutant.path}:{outcome.mutant.line}")
            lines.append(f"    {outcome.mutant.before}\n    {outcome.mutant.after}")
    return "\n".join(lines)


def main() -> int:
    """Try mutants and print what became of them."""
    parser = argparse.ArgumentParser(description="Change one thing at a time and ask the tests whether they notice.")
    parser.add_argument("--count", type=int, default=400, help="how many mutants (default 400)")
    parser.add_argument("--seed", type=int, default=0, help="which ones are drawn (default 0)")
    parser.add_argument("--rooms", nargs="+", default=ROOMS, choices=ROOMS, help="of these rooms (default: all)")
    parser.add_argument("--workers", type=int, default=2, help="processes at once (default 2)")
    parser.add_argument("--json", type=Path, default=ROOT / "test-results" / "mutants.json", help="where results lie")
    arguments = parser.parse_args()
    notes = ROOT / ".ci" / "mutants.toml"
    explained = tomllib.loads(notes.read_text("utf-8")) if notes.is_file() else {}
    wanted = chosen_mutants(arguments.rooms, arguments.count, arguments.seed)
    jobs: Queue[Mutant | None] = Queue()
    outcomes: Queue[Outcome] = Queue()
    for job in [*wanted, *[None] * arguments.workers]:
        jobs.put(job)
    workers = [Process(target=work, args=(jobs, outcomes, explained)) for _ in range(arguments.workers)]
    for worker in workers:
        worker.start()
    found: list[Outcome] = []
    arguments.json.parent.mkdir(exist_ok=True)
    while len(found) < len(wanted):
        found.append(outcomes.get())
        print(f"{len(found)}/{len(wanted)} {found[-1].state} {found[-1].mutant.name}", file=sys.stderr, flush=True)
        arguments.json.write_text(json.dumps([(*o.mutant, o.state, round(o.seconds, 1)) for o in found], indent=0))
    for worker in workers:
        worker.join()
    print(report(found))
    survived = sum(outcome.state == "survived" for outcome in found)
    print(
        f"{survived} of {len(found)} survived unexplained ({survived / max(len(found), 1):.1%}, allowed {ALLOWED:.0%})"
    )
    return int(survived > ALLOWED * len(found))


if __name__ == "__main__":
    sys.exit(main())
