"""The pages "your own …": their code runs as it stands, from top to bottom, in a folder of its own."""

import json
import re
import sys
from pathlib import Path

import pytest

from workbench.audit import by_name
from workbench.cli import main

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


@pytest.mark.slow
def test_the_rule_of_the_page_is_a_file_that_the_command_line_trains_and_audits(tmp_path, monkeypatch, capsys):
    text = (ROOT / "docs/your_own_rule.md").read_text("utf-8")
    (tmp_path / "novelty.py").write_text(text.split("```python\n")[1].split("```")[0], "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(by_name, "SAMPLES", 8)
    for command in (
        "train sound --rule novelty:RULE --epochs 1",
        "sweep sound --rules novelty:RULE --epochs 1 --resume",
    ):
        assert main([*command.split(), "--json"]) == 0
    trained, swept = map(json.loads, capsys.readouterr().out.splitlines())
    assert trained["rule"] == "novelty:RULE"
    assert Path(trained["checkpoint"]) == Path("runs/sound-novelty.RULE-0.safetensors")
    assert swept["rules"]["novelty:RULE"]["mean"] == trained["accuracy"]
    assert main(["audit", "novelty:RULE", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["novelty:RULE"]
    assert (found["local_in_space"], found["local_in_time"], found["local_in_memory"]) == (False, True, True)
    assert found["claim_holds"]
    sys.modules.pop("novelty")
