"""The pages "your own …": their code runs as it stands, from top to bottom, in a folder of its own."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").glob("your_own_*.md"))


def code(page: Path) -> str:
    """The page with everything outside its Python blocks as comments, so that an error names the line of the page."""
    inside, lines = False, []
    for line in page.read_text("utf-8").splitlines():
        fence = line.startswith("```")
        lines.append(line if inside and not fence else "#")
        inside = line == "```python" if fence else inside
    return "\n".join(lines)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_code_runs(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(code(page), str(page), "exec"), {"__name__": "page"})
    assert capsys.readouterr().out
    assert not list(tmp_path.iterdir()), "a page leaves no file behind"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_it_is_short_and_found(page):
    text = page.read_text("utf-8")
    assert len(text.splitlines()) <= 200
    assert len(re.findall("^```python$", text, re.M)) == len(re.findall("^```", text, re.M)) / 2
    assert f"docs/{page.name}" in (ROOT / "README.md").read_text("utf-8")
