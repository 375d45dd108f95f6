"""The glossary behind the labels: every symbol of every label is in it, and NOTATION.md knows each."""

import re
from pathlib import Path

import pytest

from widgets.app import PANELS
from widgets.page.glossary import GLOSSARY

NOTATION = (Path(__file__).parents[3] / "NOTATION.md").read_text("utf-8")
NAMES = {"A", "B"}  # of clouds; a letter that stands alone is a symbol otherwise
SYMBOL = re.compile(r"(?<![\w₊₋₁₂⁺])(?:[A-Za-z]|[A-Za-zλαγΨψτκδηφεσΘ][₊₋₁₂⁺]?(?:_[a-z]+)?)(?![\w₊₋₁₂⁺-])")


@pytest.mark.parametrize("later", PANELS, ids=lambda later: later.name)
def test_each_symbol_of_a_label_is_explained(later):
    labels = [control.description for control in later().controls.values()]
    used = {symbol for label in labels for symbol in SYMBOL.findall(label) if symbol not in {"a"} | NAMES}
    assert used <= GLOSSARY.keys()


@pytest.mark.parametrize("symbol", GLOSSARY)
def test_notation_knows_it(symbol):
    assert re.search(rf"(?<![\w]){re.escape(symbol)}(?![\w])", NOTATION), f"{symbol} is not in NOTATION.md"
    assert GLOSSARY[symbol][0].islower() or GLOSSARY[symbol].startswith("Ψ")
