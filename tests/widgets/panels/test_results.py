"""`PaperResults` shows what the files in `results/` say, and nothing else."""

import numpy as np
import pytest
from house import check_house_rules, drawn, same, walk_and_compare

from widgets.drawing.rule_look import rule_marker
from widgets.panels.results import PaperResults, answers_to, shipped, shown_rows
from widgets.panels.results_pictures import HOURS, POINTS, RATIO
from workbench.sweeps import Cell, cell_path, read_cell, results_folder
from workbench.sweeps.papers import MISSED, NOT_RUN, REPRODUCED

PAPERS = [paper.name for paper in shipped().papers]
MEASURES = ("accuracy, points", "cost and error, ratio", "not run, hours")


def test_house_rules():
    check_house_rules(PaperResults)


def test_every_control_at_both_ends_and_its_code():
    def compare(panel, names):
        assert names["answers"] == panel.numbers.answers
        assert names["points"] == panel.numbers.points
        assert names["front"] == panel.numbers.front

    walk_and_compare(PaperResults(), compare)


def test_a_row_is_what_the_cells_of_the_file_say():
    """S-TLLR less BPTT on voices, read from the ten files by hand."""
    gaps = []
    for seed in range(5):
        files = [cell_path(results_folder() / "cells", Cell("sound", rule, seed, 15)) for rule in ("stllr", "bptt")]
        ours, theirs = (100 * read_cell(path)["score"]["value"] for path in files)
        gaps.append(ours - theirs)
    panel = PaperResults(seeds=True)
    row = next(row for row in panel.numbers.rows if row.claim == "S-TLLR ahead of BPTT on sound")
    place = panel.numbers.rows.index(row)
    assert row.values == pytest.approx(gaps)
    x, y = drawn(panel.claims, "here, mean ± sd")
    assert (x[place], y[place]) == (pytest.approx(np.mean(gaps)), place)
    assert panel.claims.data[2].error_x.array[place] == pytest.approx(np.std(gaps, ddof=1))
    seeds = [x for x, y in zip(*drawn(panel.claims, "single seeds"), strict=True) if y == place]
    assert seeds == pytest.approx(gaps)
    paper = [x for x, y in zip(*drawn(panel.claims, "the paper"), strict=True) if y == place]
    assert paper == [7.67]
    assert panel.claims.data[2].marker.color[place] == rule_marker("stllr")["color"]


@pytest.mark.parametrize("paper", PAPERS)
def test_each_row_of_a_paper_is_shown_once(paper):
    panel = PaperResults(paper=paper)
    answers = panel.numbers.answers
    shown = []
    for measure in MEASURES:
        panel.state = {"measure": measure}
        shown += [row.claim for row in panel.numbers.rows]
        assert len(panel.claims.layout.yaxis.ticktext) == len(panel.numbers.rows)
        assert "cannot be drawn" not in panel.text
    assert sorted(shown) == sorted(each.row.what for each in answers)
    counts = [sum(each.verdict == verdict for each in answers) for verdict in (REPRODUCED, MISSED, NOT_RUN)]
    assert (
        f"of {len(answers)} rows {counts[0]} reproduced on smaller data, {counts[1]} missed, {counts[2]} not run"
        in (panel.text)
    )


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("paper", PAPERS)
def test_all_that_is_drawn_lies_on_the_axes(paper, measure):
    panel = PaperResults(paper=paper, measure=measure, seeds=True)
    low, high = panel.claims.layout.xaxis.range
    logarithmic = panel.claims.layout.xaxis.type == "log"
    for name in ("single seeds", "the paper"):
        x, _ = drawn(panel.claims, name)
        x = np.log10(x) if logarithmic else x
        assert ((x >= low) & (x <= high)).all()
    for cost in ("bytes kept", "products"):
        panel.state = {"cost": cost}
        heights = sorted(float(y) for y in panel.frontier.data[3].y)
        bottom, top = panel.frontier.layout.yaxis.range
        assert bottom - 1e-9 <= heights[0] <= heights[-1] <= top + 1e-9
        assert min(np.diff(heights)) > 0.061 * (top - bottom)


def test_the_band_is_what_counts_as_reproduced():
    for paper in PAPERS:
        panel = PaperResults(paper=paper, measure=MEASURES[1])
        for row, each in zip(
            panel.numbers.rows,
            [a for a in answers_to(panel.values["paper"]) if a.row.what in _claims(panel)],
            strict=True,
        ):
            inside = (row.low is None or row.mean >= row.low) and (row.high is None or row.mean <= row.high)
            assert inside is (each.verdict == REPRODUCED)
            assert row.verdict in (REPRODUCED, MISSED)


def _claims(panel):
    return {row.claim for row in panel.numbers.rows}


def test_a_paper_without_rows_of_a_kind_says_so():
    answers = answers_to("stllr")
    assert shown_rows([], POINTS, {}) == []
    assert {len(shown_rows(answers, kind, {})) for kind in (POINTS, RATIO, HOURS)} <= set(range(1, 12))
    empty = [paper for paper in PAPERS if not PaperResults(paper=paper, measure=MEASURES[1]).numbers.rows]
    for paper in empty:
        panel = PaperResults(paper=paper, measure=MEASURES[1])
        assert panel.text.endswith("It has no row of this kind.")
        assert same(panel.claims.data[2].x, [])


def test_the_sentence_names_the_row_that_is_missed_most():
    panel = PaperResults()
    assert "earning in the last 5 of 20 steps" in panel.text
    panel.state = {"measure": "not run, hours"}
    assert "The longest: N-Caltech101" in panel.text
    assert len(panel.text) < 3 * 135
