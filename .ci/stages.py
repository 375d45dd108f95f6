"""What `make test` runs, one stage after the other, some at once; it stops at the first that fails.

    python .ci/stages.py                 all stages
    python .ci/stages.py types tests     these, in this order

A stage is one line: its number, its name, how long it took. What it printed lies in test-results/NAME.log and is shown
when it fails; of a stage of tests the seed and the closing line are shown always. At the end come the ten slowest tests
of all stages. Stages that stand in `WORKERS` run side by side, the next as soon as there is room for its workers. A
browser mostly waits for a server, or the other way round, and leaves a core to the other tests.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "test-results"
APART = ["-n", "2", "--dist", "loadfile"]
ORDER = [f"--randomly-seed={os.environ.get('WORKBENCH_TEST_SEED', '1')}"]  # any other order: name it
STAGES = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["pyright", "--pythonpath", sys.executable],
    "browser": ["pytest", *ORDER, *APART, "-m", "browser and not wheel"],
    "tests": ["pytest", *ORDER, *APART, "-m", "not browser"],
    # The cells of a notebook run in their order.
    "notebooks": ["pytest", *APART, "-p", "no:randomly", "--nbval-lax", "--nbval-cell-timeout=180", "notebooks"],
    "wheel": ["pytest", "-m", "wheel"],
}
# What ends a stage; SIGINT lets it clean up, but a shell's background has no ears for it.
ENDING = signal.SIGTERM if os.name == "nt" or signal.getsignal(signal.SIGINT) is signal.SIG_IGN else signal.SIGINT
# Processes that compute in a stage that may run beside others, and how many may at once.
WORKERS = {"types": 1, "browser": 2, "tests": 2, "notebooks": 2, "wheel": 1}
MOST = 4
SHOWN = re.compile(r"^(Using --randomly-seed=\d+|=+ .*\b(passed|failed|error|no tests ran)\b.* in .* =+)$", re.M)


class Test(NamedTuple):
    """One test of a report: how long it took in seconds, with its set-up, and where it stands."""

    seconds: float
    name: str


def main(names: Sequence[str]) -> int:
    """Run stages; return 0, or 1 after the name of the one that failed."""
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        print(f"there is no stage {' or '.join(unknown)}; there are {', '.join(STAGES)}", file=sys.stderr)
        return 2
    RESULTS.mkdir(exist_ok=True)
    chosen = list(names or STAGES)
    titles = {name: f"{number}/{len(chosen)} {name}" for number, name in enumerate(chosen, 1)}
    for name in chosen:
        report_of(name).unlink(missing_ok=True)
    if failed := run(titles):
        print(f"make test stopped at stage {chosen.index(failed) + 1} of {len(chosen)}: {failed}")
        return 1
    print_slowest([test for name in chosen for test in read_report(report_of(name))])
    return 0


def report_of(name: str) -> Path:
    """Where a stage of tests writes its report."""
    return RESULTS / f"{name}.xml"


def log_of(name: str) -> Path:
    """Where lies what a stage printed."""
    return RESULTS / f"{name}.log"


def run(titles: Mapping[str, str]) -> str:
    """Run stages and print the line of each when it ends; the name of the first that failed, which ends the others."""
    waiting, failed = list(titles), ""
    running: dict[str, subprocess.Popen] = {}
    starts: dict[str, float] = {}
    while running or (waiting and not failed):
        while waiting and not failed and fits(waiting[0], running):
            name = waiting.pop(0)
            if name not in WORKERS:
                print(titles[name], "… ", end="", flush=True)
            starts[name], running[name] = time.monotonic(), begin(name)
        name = wait(running, titles, starts)
        status = running.pop(name).returncode
        if failed:
            continue  # it was told to end
        title = f"{titles[name]} … " if name in WORKERS or sys.stdout.isatty() else ""
        print(f"{title}{duration(time.monotonic() - starts[name])} {'FAILED' if status else 'ok'}", flush=True)
        text = log_of(name).read_text("utf-8", errors="replace")
        shown = text if status else "".join(f"    {found[0]}\n" for found in SHOWN.finditer(text))
        print(shown, end="", flush=True)
        if status:
            failed = name
            for other in running.values():
                other.send_signal(ENDING)
    return failed


def fits(name: str, running: Iterable[str]) -> bool:
    """Whether a stage may begin beside those that run.

    >>> fits("notebooks", ["browser"]), fits("notebooks", ["browser", "tests"]), fits("lint", ["types"])
    (True, False, False)
    """
    every = [name, *running]
    return len(every) == 1 or (WORKERS.keys() >= set(every) and sum(WORKERS[each] for each in every) <= MOST)


def begin(name: str) -> subprocess.Popen:
    """Start a stage; a stage of tests writes its report."""
    command = STAGES[name]
    reporting = [f"--junitxml={report_of(name)}"] if command[0] == "pytest" else []
    environment = {"OMP_NUM_THREADS": "1"} | os.environ | {"PYTHONUNBUFFERED": "1"}
    with log_of(name).open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", *command, *reporting],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


def wait(running: Mapping[str, subprocess.Popen], titles: Mapping[str, str], starts: Mapping[str, float]) -> str:
    """Wait for one of the stages to end, and say which; where a person looks on, tell every second how far they are."""
    while True:
        for name, process in running.items():
            try:
                process.wait(1 / len(running))
            except subprocess.TimeoutExpired:
                continue
            except KeyboardInterrupt:  # the stages got it too: let them say what they were at
                for other in running.values():
                    other.wait()
                raise
            print("\r\033[K" if sys.stdout.isatty() else "", end="")
            return name
        if sys.stdout.isatty():
            now = time.monotonic()
            far = (f"{titles[name]}{progress(name)} … {duration(now - starts[name])}" for name in running)
            print(f"\r\033[K{', '.join(far)} ", end="", flush=True)


def progress(name: str) -> str:
    """How far a stage of tests is."""
    done = re.findall(r"\[ *(\d+)%\]", log_of(name).read_text("utf-8", errors="replace"))
    return f" {done[-1]} %" if done else ""


def duration(seconds: float) -> str:
    """Minutes and whole seconds.

    >>> duration(130.2), duration(7.6)
    ('2 min 10 s', '8 s')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def read_report(report: Path) -> Iterator[Test]:
    """The tests of a report that pytest wrote; none where a stage wrote none."""
    if report.is_file():
        for case in ElementTree.parse(report).iter("testcase"):
            yield Test(float(case.get("time", 0)), f"{case.get('classname')} {case.get('name')}")


def print_slowest(tests: Sequence[Test], count: int = 10) -> None:
    """The tests that took longest, over all stages."""
    if tests:
        print(f"the {min(count, len(tests))} slowest of {len(tests)} tests")
    for test in sorted(tests, reverse=True)[:count]:
        print(f"{test.seconds:8.1f} s  {test.name}")


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # a terminal may not know every sign
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("stopped")
        sys.exit(130)
