"""Verdicts: what the papers say beside what cells say."""

import re

import pytest
from sweeps_cells import cell

from workbench.cli.main import build_parser
from workbench.experiments.named import EXPERIMENTS
from workbench.shipped import results_folder
from workbench.sweeps.papers import (
    MISSED,
    NOT_RUN,
    REPRODUCED,
    Ours,
    PaperRow,
    answer,
    read_paper,
    read_papers,
    wanted,
)

GAPS = (0.05, 0.06, 0.07)
CELLS = [cell("stllr", seed, 0.7 + gap) for seed, gap in enumerate(GAPS)]
CELLS += [cell("bptt", seed, 0.7) for seed in range(3)]


def judged(**ours):
    row = PaperRow("Table 1", "a claim", "as much", Ours("sound", ours.pop("rule", "stllr"), 3, **ours))
    return answer(row, CELLS)


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        ({"against": "bptt", "least": 5.9}, REPRODUCED),
        ({"against": "bptt", "least": 6.1}, MISSED),
        ({"against": "bptt", "least": 0.0, "most": 5.9}, MISSED),
        ({"against": "bptt", "least": 0.0, "surely": True}, REPRODUCED),
        ({"value": "mean", "least": 75.9, "most": 76.1}, REPRODUCED),
        ({"value": "mean", "most": 70.0}, MISSED),
        ({"value": "share", "against": "bptt", "most": 1.1}, REPRODUCED),
        ({"value": "times less", "against": "bptt", "metric": "kept", "least": 2.0}, MISSED),
        ({"against": "eprop", "least": 0.0}, NOT_RUN),
        ({"rule": "eprop", "value": "mean", "least": 0.0}, NOT_RUN),
    ],
)
def test_a_number_within_its_bounds_is_reproduced(ours, verdict):
    assert judged(**ours).verdict == verdict


def test_numbers_are_told_with_unit_and_test():
    assert judged(against="bptt", least=0.0).number == "+6.0 ± 1.0 points, p 0.009"
    assert judged(value="mean", least=0.0).number == "76.0 ± 1.0 %"
    assert judged(value="share", against="bptt", most=2.0).number == "1.09 ± 0.01 of it"
    assert judged(value="times less", against="bptt", metric="macs", least=1.0).number == "1.0 times less"
    assert judged(against="bptt", least=0.0).seeds == 3


def test_an_answer_holds_the_number_of_each_seed():
    assert judged(against="bptt", least=0.0).values == pytest.approx({0: 5.0, 1: 6.0, 2: 7.0})
    assert judged(value="mean", least=0.0).values == pytest.approx({0: 75.0, 1: 76.0, 2: 77.0})
    assert judged(value="times less", against="bptt", metric="kept", least=2.0).values == {0: 1.0, 1: 1.0, 2: 1.0}
    assert judged(against="eprop", least=0.0).values == {}


OF_TWO = re.compile(r"(\d+\.\d+) against (\d+\.\d+)")


def test_reported_numbers_are_those_that_the_paper_is_quoted_with():
    rows = [row for paper in read_papers(results_folder() / "papers") for row in paper.rows]
    checked = 0
    for row in rows:
        assert row.ours is not None or not row.reported
        if row.ours is not None and row.ours.value == "gap" and row.reported and OF_TWO.search(row.says):
            gaps = [float(first) - float(second) for first, second in OF_TWO.findall(row.says)]
            assert row.reported == pytest.approx(gaps, abs=0.005), row.what
            checked += 1
    assert checked >= 10


def test_commands_of_rows_name_experiments_and_rules_that_there_are():
    """What was not run can be run by whoever has the data: the words are those of the command line."""
    rows = [row for paper in read_papers(results_folder() / "papers") for row in paper.rows if row.command]
    assert len(rows) >= 10
    for row in rows:
        program, *words = row.command.split()
        arguments = build_parser().parse_args(words)
        assert (program, words[0], arguments.seeds) == ("workbench", "sweep", [0, 1, 2, 3, 4])
        assert set(arguments.rules) <= set(EXPERIMENTS[arguments.experiment].rules), row.command


def test_what_chance_may_have_done_is_missed_where_it_must_be_sure():
    one = [each for each in CELLS if each["cell"]["seed"] == 0]
    row = PaperRow("Table 1", "a claim", "as much", Ours("sound", "stllr", 3, against="bptt", least=0.0, surely=True))
    assert answer(row, one).verdict == MISSED
    assert answer(row._replace(ours=row.ours._replace(surely=False)), one).verdict == REPRODUCED


def test_what_was_not_run_says_how_long_it_would_take():
    assert answer(PaperRow("T", "w", "s", hours=3, needs="the data"), CELLS).number == "about 3 h on one H100; the data"
    assert judged(against="eprop", least=0.0).number == "no cells yet"


def test_bounds_in_words():
    assert wanted(Ours("sound", "stllr", 3, least=-1.5, most=10.0)) == "at least −1.5 and at most 10"
    assert wanted(Ours("sound", "stllr", 3, most=100.0, surely=True)) == "at most 100, p below 0.05"


HEAD = 'name = "P"\nwhere = "there"\nstanding = "here"\n[[row]]\nsource = "T"\nwhat = "w"\nsays = "s"\n'
OURS = '[row.ours]\nexperiment = "sound"\nrule = "stllr"\nepochs = 3\n'


def test_a_file_is_read(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text(HEAD + OURS + 'against = "bptt"\nleast = 0.0\n')
    paper = read_paper(path)
    assert (paper.key, paper.name, len(paper.rows)) == ("p", "P", 1)
    assert paper.rows[0].ours == Ours("sound", "stllr", 3, against="bptt", least=0.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD, "'w' was not run; say what it needs, or its hours"),
        (HEAD + "hour = 3\n", "a PaperRow has no 'hour'; did you mean 'hours'"),
        (HEAD + OURS + "least = 0.0\n", "a mean is of one rule, all else is `against` another"),
        (HEAD + OURS + 'against = "bptt"\n', "neither least nor most"),
        (HEAD + OURS + 'against = "bptt"\nvalue = "gpa"\nleast = 0.0\n', "asks for a 'gpa'; did you mean 'gap'"),
        ('name = "P"\n', "row"),
        ("name = ", "Invalid"),
    ],
)
def test_a_wrong_file_is_named_with_the_reason(tmp_path, text, message):
    path = tmp_path / "p.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"p\.toml: .*{message}"):
        read_paper(path)
