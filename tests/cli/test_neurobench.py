"""`workbench neurobench`: metrics of a trained network, and what its updates cost."""

import json

from workbench.cli.main import main
from workbench.cli.neurobench import claimed
from workbench.rules import rule_named


def test_a_short_run_is_counted(capsys):
    assert main(["neurobench", "sound", "--rule", "stllr-last10", "--epochs", "1", "--samples", "20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["experiment"], found["rule"], found["epochs"]) == ("sound", "stllr-last10", 1)
    assert 0.0 < found["activation_sparsity"] < 1.0
    assert 0.0 < found["effective_acs"] < found["dense"]
    assert 0 < found["forward_macs"] < found["update_macs"]
    assert found["claimed_local_in"] == "time, memory"


def test_a_stream_is_refused(capsys):
    assert main(["neurobench", "split-fashion"]) == 1
    assert "split-fashion is a stream of tasks" in capsys.readouterr().err


def test_claims_are_the_papers():
    assert claimed(rule_named("tess"))["claimed_local_in"] == "space, time, memory"
    assert claimed(None) == {"claimed_local_in": None}
