"""Rules are audited by their names, and an unknown one is told."""

import json

import pytest

from workbench.audit.by_name import audit_rule, claims
from workbench.cli.main import main
from workbench.rule import Locality

pytestmark = pytest.mark.usefixtures("unchecked")


def test_plain_networks_are_audited_without_time(capsys):
    found = audit_rule("lls")
    assert found.shown == Locality(space=True, time=None, memory=None)
    assert main(["audit", "bp", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["bp"]
    assert row["local_in_space"] is False
    assert row["claim_holds"] is True
    assert row["claims_space"] is False
    assert "by definition" in row["claim"]
    assert main(["audit", "lls"]) == 0
    assert "holds" in capsys.readouterr().out


def test_a_rule_without_a_claim_has_none_to_hold(capsys):
    assert main(["audit", "drtp", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["drtp"]
    assert (row["claim"], row["claim_holds"]) == ("no claim", None)
    assert row["local_in_space"] is True
    assert main(["audit", "forward-forward"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("no claim")


def test_an_unknown_rule_is_named(capsys):
    assert main(["audit", "telepathy"]) == 2
    assert "there is no rule 'telepathy'; there are bptt, stllr" in capsys.readouterr().err
    with pytest.raises(ValueError, match="there are bptt, stllr"):
        claims(["telepathy"])
