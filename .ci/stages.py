"""What `make test` runs, one stage after the other; it stops at the first that fails.

    python .ci/stages.py                 all stages
    python .ci/stages.py types tests     these, in this order

A stage is one line: its number, its name, how long it took. What it printed lies in test-results/NAME.log and is shown
when it fails; of a stage of tests the seed and the closing line are shown always. At the end come the ten slowest tests
of all stages.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
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
    "browser": ["pytest", *ORDER, "-m", "browser and not wheel"],
    "tests": ["pytest", *ORDER, *APART, "-m", "not browser"],
    # The cells of a notebook run in their order.
    "notebooks": ["pytest", *APART, "-p", "no:randomly", "--nbval-lax", "--nbval-cell-timeout=180", "notebooks"],
    "wheel": ["pytest", "-m", "wheel"],
}
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
    tests: list[Test] = []
    for number, name in enumerate(chosen, 1):
        report = RESULTS / f"{name}.xml"
        report.unlink(missing_ok=True)
        if not run(f"{number}/{len(chosen)} {name}", STAGES[name], RESULTS / f"{name}.log", report):
            print(f"make test stopped at stage {number} of {len(chosen)}: {name}")
            return 1
        tests += read_report(report)
    print_slowest(tests)
    return 0


def run(title: str, command: Sequence[str], log: Path, report: Path) -> bool:
    """Run one stage and print its line; True when it ended well. A stage of tests writes the file `report`."""
    reporting = [f"--junitxml={report}"] if command[0] == "pytest" else []
    environment = {"OMP_NUM_THREADS": "1"} | os.environ | {"PYTHONUNBUFFERED": "1"}
    print(f"{title} … ", end="", flush=True)
    start = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command, *reporting],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        status = wait(process, title, log, start)
    print(f"{duration(time.monotonic() - start)} {'FAILED' if status else 'ok'}", flush=True)
    text = log.read_text("utf-8", errors="replace")
    print(text if status else "".join(f"    {found[0]}\n" for found in SHOWN.finditer(text)), end="", flush=True)
    return status == 0


def wait(process: subprocess.Popen, title: str, log: Path, start: float) -> int:
    """Wait for a stage; where a person looks on, say every second how far it is."""
    while True:
        try:
            return process.wait(1 if sys.stdout.isatty() else None)
        except subprocess.TimeoutExpired:
            done = re.findall(r"\[ *(\d+)%\]", log.read_text("utf-8", errors="replace"))
            far = f"{done[-1]} % after " if done else ""
            print(f"\r\033[K{title} … {far}{duration(time.monotonic() - start)} ", end="", flush=True)
        except KeyboardInterrupt:  # the stage got it too: let it say what it was at
            process.wait()
            raise


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
