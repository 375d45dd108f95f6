"""Tables and pages are made of cells, and README is what the command writes."""

import re
from pathlib import Path

import pytest
from sweeps_cells import cell

from workbench.sweeps.pages import (
    BLOCK,
    Column,
    Line,
    Picture,
    Results,
    Table,
    block,
    filled,
    made_line,
    page_text,
    picture_named,
    points_of,
    read_results,
    read_tables,
    table_text,
    written_pages,
)
from workbench.sweeps.papers import Ours, Paper, PaperRow

ROOT = Path(__file__).resolve().parents[2]
CELLS = [cell("stllr", seed, 0.8 + 0.01 * seed) for seed in (0, 1)] + [cell("bptt", 0, 0.7), cell("bptt", 1, 0.72)]
TABLE = Table(
    "t",
    "rule",
    (Line("stllr", "S-TLLR"), Line("bptt", "BPTT"), Line("eprop", "never run")),
    (Column("accuracy"), Column("less BPTT", against="bptt"), Column("flow", experiment="flow", epochs=6)),
    experiment="sound",
    epochs=3,
)
PAPER = Paper(
    "p",
    "P",
    "there",
    "We stand\nhere.",
    (
        PaperRow("T", "ahead", "7 points", Ours("sound", "stllr", 3, against="bptt", least=0.0, on="voices")),
        PaperRow("T", "behind", "7 points", Ours("sound", "bptt", 3, against="stllr", least=0.0)),
        PaperRow("T", "large", "90 %", hours=5, needs="the data"),
    ),
)
RESULTS = Results(CELLS, {"t": TABLE}, [PAPER])


def test_readme_and_pages_are_what_the_command_writes():
    results = read_results(ROOT / "results")
    for path, text in written_pages(ROOT, results):
        assert path.read_text("utf-8") == text, f"{path.name} differs from results/; type: workbench results --readme"
    used = {found["name"] for found in BLOCK.finditer((ROOT / "README.md").read_text("utf-8"))}
    assert used == {"papers", "benchmarks", *results.tables}
    written = {path.stem for path in (ROOT / "docs" / "results").glob("*.md")}
    assert written == {paper.key for paper in results.papers}


def test_numbers_of_runs_in_readme_stand_in_blocks():
    """What was measured once and typed by hand is in docs/measured.md."""
    readme = (ROOT / "README.md").read_text("utf-8")
    measured = BLOCK.sub("", readme[readme.index("## Measured") :])
    assert re.findall(r"\d\d\.\d %|\d ± \d", measured) == []
    assert "(docs/measured.md)" in measured


def test_a_table_has_a_row_for_each_rule_that_was_run():
    lines = table_text(TABLE, CELLS).splitlines()
    assert lines[:4] == [
        "| rule | accuracy | less BPTT | flow |",
        "|---|---|---|---|",
        "| S-TLLR | 80.5 ± 0.7 | +9.5 (p 0.033) | – |",
        "| BPTT | 71.0 ± 1.4 | – | – |",
    ]
    assert lines[-1] == "Seeds 0 to 1, mean ± standard deviation; made by Fast CPU (x86_64)."
    assert len(lines) == 6


def test_what_made_cells_is_said():
    assert made_line([]) == "No cells yet."
    assert made_line([cell("a", 3, 0.5, device="GPU")]) == "Seed 3, mean ± standard deviation; made by GPU."
    assert made_line([*CELLS, cell("a", 3, 0.5, device="GPU")]).endswith("made by Fast CPU (x86_64) and GPU.")


def test_only_what_stands_between_marks_is_written():
    text = "before\n<!-- results: t -->\nold | table\n<!-- end of results -->\nafter\n"
    once = filled(text, RESULTS)
    assert once.startswith("before\n<!-- results: t -->\n| rule |")
    assert once.endswith("<!-- end of results -->\nafter\n")
    assert "old" not in once
    assert filled(once, RESULTS) == once
    with pytest.raises(ValueError, match="there is no table 'tt'"):
        filled(text.replace(": t ", ": tt "), RESULTS)


def test_verdicts_are_counted():
    assert block("papers", RESULTS).splitlines()[-1] == "| [P](docs/results/p.md) | 1 | 1 | 1 | 5 |"


def test_the_page_of_a_paper_says_all_rows():
    page = page_text(PAPER, CELLS)
    assert page.startswith("# P: where we stand\n\nthere.")
    assert "Of 3 rows: 1 reproduced, 1 missed, 1 not run." in page
    assert "We stand here." in page
    ahead = "| ahead (T) | 7 points | +9.5 ± 0.7 points, p 0.033 | 2 | at least 0 | voices; `stllr` and `bptt` |"
    assert f"{ahead} **reproduced** |" in page
    assert "| large (T) | 90 % | about 5 h on one H100; the data |" in page
    assert "Nothing yet." in page_text(PAPER, [])


def test_a_paper_may_have_a_picture_of_its_costs():
    page = page_text(PAPER._replace(frontier="frontier-events"), CELLS)
    assert page.endswith("## What accuracy costs\n\n![Accuracy against bytes and products](../frontier-events.svg)\n")
    assert "frontier" not in page_text(PAPER, CELLS)
    with pytest.raises(ValueError, match="there is no picture 'frontier'; "):
        picture_named("frontier", read_results(ROOT / "results").pictures)


def test_the_points_of_a_picture_are_its_rules_that_were_run():
    wanted = Picture("f", "F", "sound", 3, TABLE.rows)
    assert [(point.label, point.cost, round(point.mean, 6)) for point in points_of(wanted, CELLS, "kept")] == [
        ("S-TLLR", 0.004, 80.5),
        ("BPTT", 0.004, 71.0),
    ]
    assert {point.cost for point in points_of(wanted, CELLS, "macs")} == {2.0}


def test_wrong_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no .*tables\.toml"):
        read_results(tmp_path)
    path = tmp_path / "tables.toml"
    path.write_text('[[table]]\nname = "a"\nhead = "b"\nrows = []\ncolumns = [{ had = "c" }]\n')
    with pytest.raises(ValueError, match=r"tables\.toml: .*had"):
        read_tables(path)
    with pytest.raises(ValueError, match="table 't', column 'flow': say its experiment and epochs"):
        table_text(TABLE._replace(columns=(Column("flow"),), epochs=None), CELLS)
