"""The program `workbench`: app, lab, list, train, audit, bench, data, student, doctor.

What a command prints for people goes to standard error or is plain text on standard output; with `--json` the last
line of standard output is one JSON object and nothing else is printed there.
"""

import argparse
import importlib.metadata
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from workbench.cli.serve import app, lab
from workbench.cli.train import train


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 1 after a message that says what to do. Wrong usage exits with 2 (argparse)."""
    arguments = build_parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int | None] = arguments.command
    try:
        return command(arguments) or 0
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except (ValueError, OSError, ArithmeticError) as error:
        print(f"workbench: {error}", file=sys.stderr)
        return 1


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = argparse.ArgumentParser(prog="workbench", description="See, run and understand local learning rules.")
    parser.add_argument("--version", action="version", version=f"workbench {installed_version()}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, port, command, text in (
        ("app", 8866, app, "open the app in the browser (Voila)"),
        ("lab", 8888, lab, "open the notebooks in JupyterLab"),
    ):
        serve = commands.add_parser(name, help=text)
        serve.add_argument("--port", type=int, default=port, help=f"port to listen on (default {port})")
        serve.add_argument("--no-browser", action="store_true", help="only print the address")
        serve.set_defaults(command=command)
        if name == "lab":
            serve.add_argument("--allow-root", action="store_true", help="let the administrator run it (containers)")
        if name == "app":
            serve.add_argument("--preheat", type=int, default=0, metavar="N", help="kernels kept ready (300 MB each)")
            serve.add_argument("--dark", action="store_true", help="dark theme")
            add_network(serve)
    commands.add_parser("list", help="list the experiments and their rules").set_defaults(command=list_experiments)
    add_train(commands)
    audit_parser = commands.add_parser("audit", help="measure whether rules are local in space, time and memory")
    audit_parser.add_argument("names", nargs="*", metavar="RULE", help="rules to audit; all when none is given")
    audit_parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    audit_parser.set_defaults(command=audit)
    bench_parser = commands.add_parser("bench", help="run benchmarks (from a source checkout)")
    bench_parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run; all when none is given")
    bench_parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    bench_parser.set_defaults(command=bench)
    data_parser = commands.add_parser("data", help="list, fetch or verify data sets")
    data_parser.add_argument("action", choices=["list", "fetch", "verify"])
    data_parser.add_argument("names", nargs="*", metavar="NAME", help="data sets to fetch or verify")
    data_parser.set_defaults(command=data)
    student = commands.add_parser("student", help="write copies of the notebooks without solutions")
    student.add_argument("folder", type=Path, metavar="FOLDER", help="where to write them")
    student.set_defaults(command=student_notebooks)
    commands.add_parser("doctor", help="say what is missing in this installation").set_defaults(command=doctor)
    return parser


def add_network(parser: argparse.ArgumentParser) -> None:
    """Who can reach the app, and under which name."""
    parser.add_argument("--address", default="127.0.0.1", help="interface to listen on (default: this machine only)")
    parser.add_argument(
        "--public", action="store_true", help="let strangers in: budgets, no robots, /healthz, /metrics"
    )
    parser.add_argument("--places", type=int, metavar="N", help="visitors at once (default 40, public 30)")
    parser.add_argument("--base-url", default="/", metavar="PATH", help="path under which the app lives")
    parser.add_argument("--host", action="append", default=[], metavar="NAME", help="another name of this server")
    parser.add_argument("--behind-proxy", action="store_true", help="believe a proxy in front about TLS")


def installed_version() -> str:
    """The version that was installed; a checkout on the path that nobody installed has none."""
    try:
        return importlib.metadata.version("local-learning-workbench")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def add_train(commands: Any) -> None:
    """`workbench train`."""
    parser = commands.add_parser("train", help="train an experiment")
    parser.add_argument("experiment", metavar="EXPERIMENT", help="a name of `workbench list`")
    parser.add_argument("--rule", help="learning rule (default: the experiment's first)")
    parser.add_argument("--seed", type=int, default=0, help="fixes weights and order of samples (default 0)")
    parser.add_argument("--epochs", type=int, help="passes over the training data (default: the experiment's)")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line of output")
    parser.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="default: runs/EXPERIMENT-RULE-SEED.safetensors"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch (default 1, for same numbers)")
    parser.set_defaults(command=train)


def list_experiments(arguments: argparse.Namespace) -> None:
    """One experiment a line, with its rules."""
    from workbench.experiments.named import EXPERIMENTS

    for item in EXPERIMENTS.values():
        print(f"{item.name:24} {item.summary}\n{'':24} rules: {', '.join(item.rules)}; {item.length}")


def audit(arguments: argparse.Namespace) -> None:
    """Audit rules and print the table; with --json the findings by rule, each with its paper's claim and the verdict.

    Of a rule whose paper claims nothing, `claim_holds` is null and `claim` says so.
    """
    from workbench.audit.audit import table
    from workbench.audit.by_name import audit_rule, claims
    from workbench.rules import RULES

    names = arguments.names or [rule.name for rule in RULES]
    said = claims(names)
    findings = {name: audit_rule(name) for name in tqdm(names, unit="rule", file=sys.stderr)}
    if not arguments.json:
        print(table(findings, said))
        return
    print(json.dumps({name: plain(found) | judged(found, said[name]) for name, found in findings.items()}))


def judged(found: Any, claim: Any) -> dict[str, Any]:
    """What was claimed, where, and whether the finding bears it out."""
    from workbench.audit.audit import verdict

    if claim is None:
        return {"claim": "no claim", "claim_holds": None}
    said = {f"claims_{name}": value for name, value in claim.local._asdict().items()}
    return said | {"claim": claim.place, "claim_holds": verdict(found, claim)}


def plain(found: Any) -> dict[str, Any]:
    """A finding as JSON can hold it, with what it shows."""
    numbers = found._asdict() | {"measured": found.measured._asdict()}
    return numbers | {f"local_in_{name}": shown for name, shown in found.shown._asdict().items()}


def bench(arguments: argparse.Namespace) -> None:
    """Run benchmarks and print one line each; with --json the last line holds all results."""
    from workbench.cli.benchmarks import all_benchmarks

    known = all_benchmarks()
    for name in arguments.names:
        if name not in known:
            raise ValueError(f"there is no benchmark '{name}'; there are {', '.join(known)}")
    results = []
    for name in arguments.names or known:
        print(f"{name} ...", file=sys.stderr, flush=True)
        results.append(known[name]())
        if not arguments.json:
            print("  ".join(f"{key}={short(value)}" for key, value in results[-1].items()), flush=True)
    if arguments.json:
        print(json.dumps(results[0] if len(results) == 1 else {"results": results}))


def short(value: Any) -> str:
    """Numbers with four significant digits, the rest as it is."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def data(arguments: argparse.Namespace) -> int:
    """List data sets, download them, or check their files."""
    from workbench.data.delivery.catalogue import catalogue, fetch, verify

    if arguments.action == "list":
        for item in catalogue():
            print(f"{item.name:24} {item.status:14} {item.size / 1e6:8.1f} MB  {item.licence:14} {item.description}")
        return 0
    if not arguments.names:
        raise ValueError(f"name the data sets to {arguments.action}; `workbench data list` shows them")
    problems = 0
    for name in arguments.names:
        if arguments.action == "fetch":
            print("\n".join(map(str, fetch(name, progress=True))))
            continue
        for check in verify(name):
            problems += bool(check.problem)
            print(f"{check.name}: {check.problem or 'good'}")
    return 1 if problems else 0


def student_notebooks(arguments: argparse.Namespace) -> None:
    """Write the students' notebooks."""
    from workbench.course.student import write_student_notebooks
    from workbench.serving import notebooks_folder

    print("\n".join(map(str, write_student_notebooks(notebooks_folder(), arguments.folder))))


def doctor(arguments: argparse.Namespace) -> int:
    """Print what was looked at; return 1 when something is missing."""
    from workbench.doctor import examine, report

    checks = examine()
    print(report(checks))
    return 0 if all(check.good for check in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
