"""`workbench audit`: it says how long it takes, and holds nothing against a rule that claims nothing."""

import json

import pytest

from workbench.audit import by_name
from workbench.audit.audit import Finding, table, verdict
from workbench.cli.audit import told
from workbench.cli.main import main
from workbench.cost.counted import Measured
from workbench.rule import Claim, Locality


def finding():
    """A rule that is local in space; nothing is known of its time and memory."""
    return Finding(0.0, None, 0, 0, {}, {}, Measured(*[0] * len(Measured._fields)))


@pytest.fixture
def instant(monkeypatch):
    monkeypatch.setattr(by_name, "audit_rule", lambda name: finding())


def test_the_time_is_told_before_it_begins(instant, capsys):
    assert main(["audit", "lls", "tess"]) == 0
    err = capsys.readouterr().err
    assert err.startswith("2 rules take about 60 seconds")
    assert "2/2" in err
    assert told(480) == "8 minutes"


def test_json_is_the_last_line(instant, capsys):
    assert main(["audit", "lls", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["lls"]["local_in_space"] is True


@pytest.mark.parametrize(
    ("claim", "word"),
    [
        (None, "no claim"),
        (Claim(Locality(), "nowhere"), "not measured"),
        (Claim(Locality(time=True), "eq. 1"), "not measured"),
        (Claim(Locality(space=True), "eq. 1"), "holds"),
        (Claim(Locality(space=False), "eq. 1"), "BROKEN"),
    ],
)
def test_a_claim_holds_only_where_it_was_made_and_measured(claim, word):
    assert verdict(finding(), claim) is {"holds": True, "BROKEN": False}.get(word)
    assert table({"x": finding()}, {"x": claim}).splitlines()[1].endswith(f"  {word}")
