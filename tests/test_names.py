"""What is said of a name that there is not."""

import pytest

from workbench.data.delivery.catalogue import fetch
from workbench.experiments.experiment import rule_of
from workbench.experiments.named import SOUND, experiment
from workbench.names import UnknownName, nearest, unknown
from workbench.rules.catalogue import rule_named

KNOWN = ["bptt", "stllr", "stllr-causal", "lls"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("stlr", "stllr"), ("STLLR", "stllr"), ("bpt", "bptt"), ("stllr-c", "stllr-causal"), ("xyz", None), ("", None)],
)
def test_the_nearest_name(typed, meant):
    assert nearest(typed, KNOWN) == meant


def test_all_names_are_listed_whether_one_is_near_or_not():
    assert str(unknown("there is no rule", "xyz", KNOWN)) == "there is no rule 'xyz'; there are " + ", ".join(KNOWN)
    assert "did you mean 'lls'? (it has bptt, stllr, " in str(unknown("sound has no rule", "lsl", KNOWN, "it has"))


@pytest.mark.parametrize(
    ("ask", "meant"),
    [
        (lambda: experiment("fashion-event"), "fashion-events"),
        (lambda: rule_of(SOUND, "stlr"), "stllr"),
        (lambda: rule_named("stlr"), "stllr"),
        (lambda: fetch("minst"), "mnist"),
    ],
)
def test_the_library_proposes_as_the_command_line_does(ask, meant):
    with pytest.raises(UnknownName, match=f"did you mean '{meant}'"):
        ask()
