"""Numbers within bounds, options that there are not, and what is too much."""

import argparse

import pytest

from workbench.cli.parser import Parser, whole


@pytest.mark.parametrize("text", ["0", "6", "two", "1.5", "", "1e3"])
def test_numbers_out_of_bounds_are_quoted(text):
    with pytest.raises(argparse.ArgumentTypeError, match=rf"epochs must be a whole number from 1 to 5, got {text}$"):
        whole("epochs", 1, 5)(text)
    assert whole("epochs", 1)("5") == 5


def test_a_mistake_is_answered_by_the_command_that_it_was_made_in(capsys):
    parser = Parser(prog="program")
    commands = parser.add_subparsers(parser_class=Parser, metavar="COMMAND")
    commands.add_parser("inner").add_argument("--rate")
    for typed, words in (
        (["inner", "--rat=1", "--rtae", "2"], "there is no option '--rtae'; did you mean '--rate'?"),
        (["inner", "--zzz"], "there is no option '--zzz'; see --help"),
        (["inner", "more"], "'more' is more than this command takes"),
    ):
        with pytest.raises(SystemExit) as end:
            parser.parse_args(typed)
        assert end.value.code == 2
        err = capsys.readouterr().err
        assert err.startswith("usage: program inner")
        assert words in err
