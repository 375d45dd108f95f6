"""NOTATION.md knows each symbol of the glossary; tests/widgets/lessons/test_lessons.py asks that none is missing."""

import re
from pathlib import Path

import pytest

from widgets.page.glossary import GLOSSARY

NOTATION = (Path(__file__).parents[3] / "NOTATION.md").read_text("utf-8")


@pytest.mark.parametrize("symbol", GLOSSARY)
def test_notation_knows_it(symbol):
    assert re.search(rf"(?<![\w]){re.escape(symbol)}(?![\w])", NOTATION), f"{symbol} is not in NOTATION.md"
    assert GLOSSARY[symbol][0].islower() or GLOSSARY[symbol].startswith("Ψ")
