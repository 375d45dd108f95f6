"""The program `workbench`: app, lab, list, train, audit, bench, data, student, doctor.

What a command prints for people goes to standard error or is plain text on standard output; with `--json` the last
line of standard output is one JSON object and nothing else is printed there.
"""

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm


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


def app(arguments: argparse.Namespace) -> int:
    """Serve the app until it is interrupted."""
    from workbench.serving import app_command

    browser = not arguments.no_browser
    return serve(app_command(arguments.port, preheat=arguments.preheat, dark=arguments.dark, browser=browser))


def lab(arguments: argparse.Namespace) -> int:
    """Serve the notebooks until it is interrupted."""
    from workbench.serving import lab_command

    return serve(lab_command(arguments.port, browser=not arguments.no_browser, root=arguments.allow_root))


def serve(command: list[str]) -> int:
    """Run a server in the foreground; Ctrl+C ends it, and so does ending this process."""
    process = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        return process.wait()
    except KeyboardInterrupt:
        return process.wait()


def list_experiments(arguments: argparse.Namespace) -> None:
    """One experiment a line, with its rules."""
    from workbench.continual.experiments import STREAMS
    from workbench.experiments import EXPERIMENTS

    for item in EXPERIMENTS.values():
        print(f"{item.name:24} {item.summary}\n{'':24} rules: {', '.join(item.rules)}; {item.epochs} epochs")
    for item in STREAMS.values():
        length = f"{item.epochs} epochs for each of {item.tasks} tasks"
        print(f"{item.name:24} {item.summary}\n{'':24} rules: {', '.join(item.rules)}; {length}")


def train(arguments: argparse.Namespace) -> None:
    """Train, show progress on standard error, print the result."""
    import torch

    from workbench.continual.experiments import STREAMS
    from workbench.experiments import EXPERIMENTS, experiment, start

    if arguments.threads < 1:
        raise ValueError(f"threads must be at least 1, got {arguments.threads}")
    torch.set_num_threads(arguments.threads)
    if arguments.experiment in STREAMS:
        return show(train_stream(STREAMS[arguments.experiment], arguments), arguments.json)
    if arguments.experiment not in EXPERIMENTS:
        known = ", ".join([*EXPERIMENTS, *STREAMS])
        raise ValueError(f"there is no experiment '{arguments.experiment}'; there are {known}")
    chosen = experiment(arguments.experiment)
    rule = arguments.rule or next(iter(chosen.rules))
    epochs = chosen.epochs if arguments.epochs is None else arguments.epochs
    path = arguments.checkpoint or Path("runs") / f"{chosen.name}-{rule}-{arguments.seed}.safetensors"
    records = start(chosen, rule, arguments.seed, epochs, path, arguments.resume)
    result = {"experiment": chosen.name, "rule": rule, "seed": arguments.seed, "epochs": epochs}
    show(result | follow(records, epochs) | {"checkpoint": str(path)}, arguments.json)


def show(result: dict[str, Any], as_json: bool) -> None:
    """The closing numbers of a run, one a line or as one JSON object."""
    print(json.dumps(result) if as_json else "\n".join(f"{key:18} {value}" for key, value in result.items()))


def train_stream(chosen: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """Learn a stream of tasks behind a progress bar; return its closing numbers."""
    from workbench.continual.experiments import start_stream, totals

    if arguments.resume or arguments.checkpoint:
        raise ValueError(
            f"{chosen.name} keeps no checkpoints, because methods carry memories from task to task; "
            "run it without --resume and --checkpoint, it takes a minute"
        )
    rule = arguments.rule or next(iter(chosen.rules))
    epochs = chosen.epochs if arguments.epochs is None else arguments.epochs
    records = []
    with tqdm(start_stream(chosen, rule, arguments.seed, epochs), unit="step", file=sys.stderr) as bar:
        for record in bar:
            records.append(record)
            place = f"task {record.task + 1}/{chosen.tasks}, epoch {record.epoch + 1}/{epochs}"
            bar.set_postfix_str(f"{place}, loss {record.loss:.3f}", refresh=False)
    result = {"experiment": chosen.name, "rule": rule, "seed": arguments.seed, "epochs": epochs}
    return result | totals(records)


def follow(records: Iterator[Any], epochs: int) -> dict[str, Any]:
    """Drain a training run behind a progress bar; return its closing numbers."""
    last, best = None, None
    with tqdm(records, unit="step", file=sys.stderr) as bar:
        for last in bar:
            bar.total = last.steps
            bar.n = last.step
            best = last if last.held_out_accuracy is not None else best
            held_out = f", held out {best.held_out_accuracy:.1%}" if best else ""
            bar.set_postfix_str(f"epoch {last.epoch + 1}/{epochs}, loss {last.loss:.3f}{held_out}", refresh=False)
    if last is None or best is None:
        raise ValueError("this run was finished before; start again without --resume, or with more epochs")
    return {
        "accuracy": round(best.held_out_accuracy, 4),
        "loss": round(best.held_out_loss, 4),
        "seconds": round(last.seconds, 2),
        "samples_per_second": round(last.samples_per_second, 1),
        "peak_state_bytes": last.state_bytes,
        "saved_bytes": last.saved_bytes,
    }


def audit(arguments: argparse.Namespace) -> None:
    """Audit rules and print the table; with --json the findings by rule, each with the verdict on its paper's claim."""
    from workbench.audit import table, verdict
    from workbench.audited import SUBJECTS, audit_rule, claims

    names = arguments.names or list(SUBJECTS)
    said = claims(names)
    findings = {name: audit_rule(name) for name in tqdm(names, unit="rule", file=sys.stderr)}
    if not arguments.json:
        print(table(findings, said))
        return
    rows = {name: plain(found) | {"claim_holds": verdict(found, said[name])} for name, found in findings.items()}
    print(json.dumps(rows))


def plain(found: Any) -> dict[str, Any]:
    """A finding as JSON can hold it, with what it shows."""
    numbers = found._asdict() | {"measured": found.measured._asdict()}
    return numbers | {f"local_in_{name}": shown for name, shown in found.shown._asdict().items()}


def bench(arguments: argparse.Namespace) -> None:
    """Run benchmarks and print one line each; with --json the last line holds all results."""
    from workbench.benchmarks import all_benchmarks

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
    from workbench.data.catalogue import catalogue, fetch, verify

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
    from workbench.serving import notebooks_folder
    from workbench.student import write_student_notebooks

    print("\n".join(map(str, write_student_notebooks(notebooks_folder(), arguments.folder))))


def doctor(arguments: argparse.Namespace) -> int:
    """Print what was looked at; return 1 when something is missing."""
    from workbench.doctor import examine, report

    checks = examine()
    print(report(checks))
    return 0 if all(check.good for check in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
