"""`workbench mix`."""

import json

import pytest

from workbench.cli.main import main
from workbench.cli.mix import KINDS
from workbench.mixes import KINDS as THERE
from workbench.mixes import table_of_mixes, tally


def test_a_mix_says_where_it_trains_and_why_not(capsys):
    assert main(["mix", "eprop+tess+lance+code-cl"]) == 0
    out = capsys.readouterr().out
    assert "recurrent      trains" in out
    assert "convolutional  e-prop carries a number for every synapse" in out
    assert KINDS == THERE


def test_list_as_json_has_the_form_that_is_promised(capsys):
    assert main(["mix", "--list", "--network", "blocks", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    cells = json.loads(line)["cells"]
    assert set(cells[0]) == {"time", "space", "memory", "direction", "network", "legal", "reason"}
    assert len(cells) == tally(["blocks"]).cells
    assert sum(cell["legal"] for cell in cells) == tally(["blocks"]).legal


def test_list_for_people_names_axes_counts_and_reasons(capsys):
    assert main(["mix", "--list"]) == 0
    out = capsys.readouterr().out
    assert "space      backprop, fa, dfa" in out
    counted = tally()
    assert f"{counted.legal} of {counted.cells} cells train" in out
    assert "free before the next block" in out


def test_the_table_is_that_of_the_documentation(capsys):
    assert main(["mix", "--table", "--network", "blocks"]) == 0
    assert capsys.readouterr().out == table_of_mixes(["blocks"])


@pytest.mark.parametrize("words", [[], ["traces+tes"]])
def test_wrong_usage(words, capsys):
    assert main(["mix", *words]) == 2
    assert "traces+tess" in capsys.readouterr().err or words
