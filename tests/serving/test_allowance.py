"""What a visitor may use, and panels that refuse what is too large before they begin."""

import pytest

from workbench.serving.allowance import VARIABLE, Allowance, Price, read_allowance, write_allowance


def test_it_goes_through_the_environment(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert read_allowance() == Allowance()
    monkeypatch.setenv(VARIABLE, "")
    write_allowance(Allowance(60, 5e8))
    assert read_allowance() == Allowance(60, 5e8)
    write_allowance(Allowance())
    assert read_allowance() == Allowance()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"seconds": "many"}', '{"places": 3}'])
def test_what_is_no_allowance_is_quoted(monkeypatch, text):
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ValueError, match="must hold seconds and bytes as JSON, got"):
        read_allowance()


def test_time_and_memory_are_refused_with_both_numbers():
    allowance = Allowance(60, 5e8)
    assert allowance.refusal(Price(60, 5e8)) is None
    assert "about 61 s, and a visitor of this server has 60 s" in allowance.refusal(Price(61, 0))
    assert "about 600 MB, and a visitor of this server has 500 MB" in allowance.refusal(Price(0, 6e8))
