"""Which tests execute which lines of the rooms, and how long each computes: what `make mutants` chooses tests by.

Tests are collected once. What is done with them is done in forked processes, so nothing is imported twice and no test
meets what another left. The lines of a test file are recorded once, and again when it, or a source that it reaches,
has changed.
"""

import gc
import hashlib
import importlib
import json
import os
import resource
import time
import traceback
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, NamedTuple

import coverage
import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("neurons", "credit", "rules", "continual", "compression", "cost")
OPTIONS = ("-q", "--capture=sys", "-m", "not slow and not browser")
OPTIONS += tuple(f"-pno:{plugin}" for plugin in ("cacheprovider", "randomly", "nbval"))  # the last is dear to import
PATIENCE = (30, 10)  # seconds that a test may compute, and what is added for each second that it took
IMPORTING = 200  # seconds that collecting may compute
WAITING = 1200  # seconds, after which a process that may compute and does not is ended
LOG = ROOT / "test-results" / "mutants.log"  # what processes say
BROKEN = 70  # how a process ends that went wrong otherwise than by a test


class FirstExample:
    """A plugin of pytest: the first example that fails is enough for hypothesis."""

    def pytest_configure(self) -> None:
        from hypothesis import Phase, settings  # here: pytest imports it in its own way

        settings.register_profile("first", settings.default, phases=(Phase.explicit, Phase.generate))
        settings.load_profile("first")


class Covering(NamedTuple):
    """Seconds by test, and by source and line the tests that execute it; the digests of what was read."""

    seconds: dict[str, float]
    lines: dict[str, dict[str, list[str]]]
    digests: dict[str, str]


class Shared(NamedTuple):
    """A fixture that several tests share: what their names begin with, and its own."""

    base: str
    name: str

    def serves(self, item: pytest.Item) -> bool:
        return item.nodeid.startswith(self.base) and self.name in getattr(item, "fixturenames", ())


class Recorder:
    """A plugin of pytest that notes lines and times; a line counts for each test that shares what executed it."""

    def __init__(self) -> None:
        files = [f"{ROOT}/workbench/{room}/{deep}*.py" for room in ROOMS for deep in ("", "*/")]
        self.coverage = coverage.Coverage(data_file=None, include=files, config_file=False)
        self.seconds: dict[str, float] = defaultdict(float)
        self.shared: set[Shared] = set()
        self.outer = [""]
        self.coverage.start()

    def under(self, name: str) -> Generator[None, Any, Any]:
        """What happens in the `yield` belongs to this name, and not to the one outside."""
        self.outer.append(name)
        self.coverage.switch_context(name)
        began = sum(os.times()[:4])
        try:
            return (yield)
        finally:
            took = sum(os.times()[:4]) - began
            self.seconds[self.outer.pop()] += took
            self.seconds[self.outer[-1]] -= took
            self.coverage.switch_context(self.outer[-1])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        return (yield from self.under(item.nodeid))

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef) -> Generator[None, Any, Any]:
        if fixturedef.scope == "function":
            return (yield)
        shared = Shared(fixturedef.baseid, fixturedef.argname)
        self.shared.add(shared)
        return (yield from self.under(str(shared)))

    def result(self, items: Sequence[pytest.Item]) -> Covering:
        """What these tests executed, after they ran."""
        self.coverage.stop()
        needs = {item.nodeid: [str(s) for s in self.shared if s.serves(item)] for item in items}
        names = {"": [""], **{test: [test] for test in needs}}
        names |= {str(s): [test for test, own in needs.items() if str(s) in own] for s in self.shared}
        seconds = {test: round(sum(self.seconds[each] for each in (test, *own)), 3) for test, own in needs.items()}
        data, lines = self.coverage.get_data(), {}
        for file in sorted(data.measured_files()):
            by_line = data.contexts_by_lineno(file)
            lines[str(Path(file).relative_to(ROOT))] = {
                str(line): sorted({test for context in by_line[line] for test in names[context]})
                for line in sorted(by_line)
            }
        return Covering(
            seconds, lines, {path: digest(path) for path in {*lines, *(i.nodeid.split("::")[0] for i in items)}}
        )


def digest(*paths: str) -> str:
    """What tells two versions of files of the checkout apart."""
    return hashlib.sha1(b"".join((ROOT / path).read_bytes() for path in paths)).hexdigest()[:16]


def in_children(
    tasks: deque, work: Callable[[Any], int], workers: int, waiting: float = WAITING
) -> Iterator[tuple[Any, int, float]]:
    """Do each task in a process forked from this one: the task, how it ended, and the seconds it computed.

    More tasks may be added while others are done.
    """
    running: dict[int, tuple[Any, float]] = {}
    while running or tasks:
        while tasks and len(running) < workers:
            task = tasks.popleft()
            if (child := os.fork()) == 0:
                status = BROKEN
                try:
                    os.setpgid(0, 0)
                    os.dup2(os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT), 1)
                    status = work(task)
                except BaseException:
                    os.write(2, traceback.format_exc().encode())
                finally:
                    os._exit(status)  # whatever happened: what this process was forked from is not its to clean up
            running[child] = (task, time.monotonic() + waiting)
        for child, (task, end) in list(running.items()):
            done, status, usage = os.wait4(child, os.WNOHANG)
            if done:
                del running[child]
                yield task, os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
            elif time.monotonic() > end:
                os.killpg(child, 9)
        time.sleep(0.05)


def allow(seconds: float) -> None:
    """Let this process compute so long from now on, before the system ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 1, hard))


def limit_of(seconds: float) -> float:
    """How long a test may compute that took so many seconds."""
    return PATIENCE[0] + PATIENCE[1] * seconds


class Collected(FirstExample):
    """A plugin of pytest that collects and then hands itself to `act`, instead of running what it found."""

    def __init__(self, act: Callable[["Collected"], None]):
        self.act, self.recorder = act, Recorder()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for room in ROOMS:
            for path in sorted((ROOT / "workbench" / room).rglob("*.py")):
                importlib.import_module(module_name(str(path.relative_to(ROOT))))
        self.imported = self.recorder.result([])
        self.session, self.items = session, {item.nodeid: item for item in session.items}
        self.functions: dict[str, list[FunctionType]] = defaultdict(list)
        for each in gc.get_objects():
            if type(each) is FunctionType and each.__code__.co_filename.startswith(f"{ROOT}/workbench/"):
                self.functions[each.__code__.co_filename].append(each)
        gc.collect()
        gc.freeze()  # forked processes share what is here
        self.act(self)
        return True

    def run(self, tests: Sequence[str], seconds: dict[str, float] | None = None) -> int:
        """Run tests in this order until one fails; 1 if one did. With their `seconds`, none computes for ever."""
        items = [self.items[test] for test in tests]
        for item, after in zip_longest(items, items[1:]):
            if seconds is not None:
                allow(limit_of(seconds[item.nodeid]))
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            if self.session.testsfailed:
                return 1
        return 0

    def record(self, file: str, to: Path) -> int:
        """Record the tests of a file; 1 if one fails."""
        items = [item for item in self.session.items if item.nodeid.split("::")[0] == file]
        recorder = Recorder()
        self.session.config.pluginmanager.register(recorder)
        status = self.run([item.nodeid for item in items])
        to.write_text(json.dumps(recorder.result(items)), "utf-8")
        return status

    def change(self, path: str, before: str, after: str) -> bool:
        """Give functions the code of `after` where it is not that of `before`; whether there are any."""
        place, module = str(ROOT / path), importlib.import_module(module_name(path))
        texts = ((ROOT / path).read_text("utf-8"), before, after)
        codes = [nested(module.__spec__.loader.source_to_code(text.encode(), place)) for text in texts]
        changed = {key_of(here): new for here, old, new in zip(*codes, strict=True) if old != new}
        found = [each for each in self.functions[place] if key_of(each.__code__) in changed]
        for each in found:
            each.__code__ = changed[key_of(each.__code__)]
        return bool(found)


def module_name(path: str) -> str:
    """The dotted name of a source."""
    return ".".join(Path(path).with_suffix("").parts).removesuffix(".__init__")


def nested(code: CodeType) -> Iterator[CodeType]:
    """A code object and those inside it, always in the same order."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from nested(each)


def key_of(code: CodeType) -> tuple[str, int, bytes]:
    """What a function that was loaded and the source that is compiled again have in common."""
    return code.co_qualname, code.co_firstlineno, code.co_code
