"""Both sides of each cell run on the same network and samples, and the report has the form of the others."""

import json

import pytest

from bench.mix import BENCHMARKS, CHOSEN, PLAIN, Size, beside_its_rule, peer_of, side
from workbench.cli.bench import called
from workbench.mixes import mix_named, refusal

pytestmark = pytest.mark.usefixtures("unchecked")
TINY = Size(neurons=12, batch=5, repeats=1, every=20)


@pytest.mark.parametrize("words", ["traces+backprop", "instant+lls+all+code-cl", "traces+tess+lance+gpm"])
def test_a_mix_and_its_peer_answer_alike_before_they_learn(words):
    """What is kept and where weights may move changes no answer: the losses are equal."""
    peer = peer_of(words)
    ours, theirs = side(words, TINY), side(peer, TINY, itself=peer == words)
    assert ours.run().loss == pytest.approx(theirs.run().loss, rel=1e-4)


def test_the_report_has_a_name_a_peer_and_ratios():
    found = beside_its_rule("bptt+backprop+events", TINY)
    assert (found["name"], found["peer"]) == ("mix-bptt+backprop+events", "bptt+backprop")
    assert found["ratio"] > 0
    assert found["bytes_ratio"] == found["peer_bytes"] / found["bytes"] > 1
    assert found["state_bytes"] == found["peer_state_bytes"] > 0
    assert json.loads(json.dumps(found)) == found


def test_twelve_cells_are_measured_by_one_word():
    assert called("mix", BENCHMARKS) == [f"mix-{words}" for words in CHOSEN]
    assert len(set(CHOSEN)) == 12
    for words in CHOSEN:
        assert refusal(mix_named(words), "blocks" if words.startswith("instant") else "dense") is None
    assert [words for words in CHOSEN if peer_of(words) == words] == list(PLAIN)
