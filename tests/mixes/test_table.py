"""The page of all mixes: its counts are those of the cells, and the page in the documentation is up to date."""

import re
from pathlib import Path

from workbench.mixes.cells import cells
from workbench.mixes.table import table_of_mixes

PAGE = Path(__file__).parents[2] / "docs" / "mixes.md"


def test_the_page_in_the_documentation_is_what_is_written_now():
    assert PAGE.read_text("utf-8") == table_of_mixes(), "run: workbench mix --table > docs/mixes.md"


def test_the_refused_cells_of_a_kind_add_up():
    counts = re.findall(r"^- ([\d,]+) cells:", table_of_mixes(["dense"]), re.M)
    refused = sum(cell.reason is not None for cell in cells(["dense"]))
    assert sum(int(count.replace(",", "")) for count in counts) == refused


def test_a_pair_of_time_and_space_counts_what_trains():
    pair = ("eprop", "tess")
    names = ((cell.mix.time.name, cell.mix.space.name) for cell in cells(["recurrent"]) if cell.reason is None)
    trained = sum(each == pair for each in names)
    page = table_of_mixes(["recurrent"])
    head = re.findall(r"^\| time .*$", page, re.M)[0].split("|")
    row = re.findall(r"^\| `eprop` \|.*$", page, re.M)[-1].split("|")
    assert dict(zip(map(str.strip, head), map(str.strip, row), strict=True))["`tess`"] == str(trained)
