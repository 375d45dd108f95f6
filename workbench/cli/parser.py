"""How commands are typed: usage of the command that failed, proposals for what was mistyped, numbers within bounds."""

import argparse
from collections.abc import Callable, Iterable
from typing import Any

from workbench.language import say
from workbench.names import did_you_mean, nearest, unknown

Run = Callable[[argparse.Namespace], int | None]  # a command: its exit code, or None for 0
LARGEST_SEED = 2**32 - 1


class Parser(argparse.ArgumentParser):
    """As of the library, but a mistake is answered by the command that it was made in, with the nearest right word."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Refuse what is left over, here and not in the parser above."""
        found, rest = super().parse_known_args(args, namespace)
        if rest:
            wrong = [word for word in rest if word.startswith("-")]
            self.error(self._no_such(wrong[0]) if wrong else f"'{rest[0]}' is more than this command takes")
        return found, rest

    def _no_such(self, option: str) -> str:
        near = nearest(option.partition("=")[0], self._option_string_actions, 0.7)
        rest = did_you_mean(near) if near else say("see --help")
        return f"{say('there is no option')} '{option}'; {rest}"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            what = str(action.metavar or action.dest).lower()
            raise argparse.ArgumentError(None, str(unknown("there is no {what}", value, action.choices, what=what)))


def add_command(commands: Any, name: str, run: Run, text: str, examples: Iterable[str]) -> Parser:
    """A command with its help: what it does in a line, and `examples` of how it is typed."""
    parser: Parser = commands.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        epilog="\n".join(["examples:", *(f"  workbench {name} {each}".rstrip() for each in examples)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run, parser=parser)
    return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`, of all commands that have results."""
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line of output")


def whole(what: str, least: int, most: int | None = None) -> Callable[[str], int]:
    """The type of an argument: a whole number within bounds, which `what` names.

    >>> whole("epochs", 1)("5")
    5
    """
    bounds = f"a whole number, at least {least}" if most is None else f"a whole number from {least} to {most}"

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = None
        if number is None or number < least or (most is not None and number > most):
            raise argparse.ArgumentTypeError(f"{what} must be {bounds}, got {text}")
        return number

    return read
