"""The program `workbench`: one file of this folder for each command.

What a command prints for people goes to standard error or is plain text on standard output; with `--json` the last
line of standard output is one JSON object and nothing else is printed there. Exit codes:

    0     done
    1     it failed, or something is missing, damaged or wrong; standard error says what to do
    2     wrong usage: an unknown command, option or name, a number out of bounds
    130   interrupted (Ctrl+C, SIGINT)
    141   whoever read the output went away, as `| head` does
    143   told to end (SIGTERM)
"""

import argparse
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module

from workbench.cli import (
    app,
    audit,
    bench,
    book,
    course,
    data,
    doctor,
    lab,
    mix,
    neurobench,
    nir,
    results,
    sweep,
    train,
)
from workbench.cli import list as listing
from workbench.cli.parser import Parser
from workbench.names import UnknownName
from workbench.version import installed_version

FAILED, USAGE, INTERRUPTED, UNREAD, ENDED = 1, 2, 130, 141, 143
COMMANDS = (
    app,
    lab,
    book,
    listing,
    train,
    sweep,
    results,
    mix,
    audit,
    neurobench,
    bench,
    data,
    nir,
    course,
    doctor,
)


class Ended(BaseException):
    """Raised where the program stands when it is told to end, so that files and locks are put away."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code, see above."""
    try:
        with ending(), warnings.catch_warnings():
            warnings.showwarning = show_warning
            return run(argv)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return INTERRUPTED
    except Ended:
        print("ended", file=sys.stderr)
        return ENDED


def run(argv: Sequence[str] | None) -> int:
    """Run one command; its exit code where nobody stops it."""
    parser = build_parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what fits here
        complete(parser)
    try:
        arguments = parser.parse_args(argv)
        parser = arguments.parser
        code = arguments.run(arguments) or 0
        sys.stdout.flush()
        return code
    except SystemExit as end:  # after help, version, or a message about wrong usage
        return end.code if isinstance(end.code, int) else 0
    except UnknownName as error:
        print(f"{parser.format_usage()}{parser.prog}: error: {error}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left goes nowhere, silently
        return UNREAD
    except (ValueError, OSError, ArithmeticError) as error:
        print(f"workbench: {error}", file=sys.stderr)
        return FAILED


def complete(parser: argparse.ArgumentParser) -> None:
    """Tell the shell which words fit, and end; do nothing where argcomplete is not installed."""
    with suppress(ImportError):
        import_module("argcomplete").autocomplete(parser)


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = Parser(prog="workbench", description="See, run and understand local learning rules.")
    parser.add_argument("--version", action="version", version=f"workbench {installed_version()}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for command in COMMANDS:
        command.add(commands)
    return parser


@contextmanager
def ending() -> Iterator[None]:
    """Inside, SIGTERM raises `Ended` where the program stands."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise Ended

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def show_warning(message: Warning | str, category: object, *_: object) -> None:
    """A warning in one line, without the place in the code that it came from."""
    print(f"workbench: note: {message}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
