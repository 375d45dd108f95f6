"""`AccuracyMatrix` and `SubspaceOverlap`: start, pause, stop and errors of a stream's run, and what is drawn of it."""

import pytest
from house import check_house_rules, look, wait_for_end, wait_for_rest
from tiny_streams import SHARED, TINY_STREAMS

from widgets.panels.accuracy_matrix import AccuracyMatrix
from widgets.panels.overlap import SubspaceOverlap
from workbench.training.runner import RunState

pytestmark = pytest.mark.usefixtures("tiny_streams_are_known")

PANELS = [AccuracyMatrix, SubspaceOverlap]


@pytest.mark.parametrize("make", PANELS)
def test_house_rules(make):
    check_house_rules(lambda **state: make(TINY_STREAMS, **state))


@pytest.mark.parametrize("make", PANELS)
def test_pause_holds_resume_goes_on_and_stop_keeps(make, gate):
    panel = make(TINY_STREAMS)
    records, gate.told = panel.records, lambda: panel.text
    panel.records = lambda **settings: gate.records(records(**settings))
    assert panel.text.startswith(f"Not started: Start learns 5 tasks in turn with {panel.controls['method'].label}")
    panel.controls["start"].click()
    gate.pass_(4)
    look(panel)
    assert len(panel.run) == 4
    assert not panel.controls["stop"].disabled
    assert panel.controls["tasks"].disabled
    panel.controls["pause"].click()
    gate.let(1)  # it was in its batch
    wait_for_rest(panel)
    assert panel.text.startswith("Paused: task ")
    assert panel.controls["pause"].description == "Resume"
    assert len(panel.run) == 5
    panel.controls["pause"].click()
    gate.pass_(2)  # the first time it comes from the pause
    look(panel)
    assert panel.controls["pause"].description == "Pause"
    assert len(panel.run) == 7
    panel.controls["stop"].click()
    assert panel.state_of_run is RunState.STOPPED
    assert panel.text.startswith("Stopped: task ")
    assert not panel.controls["start"].disabled
    gate.open()
    wait_for_end(panel)
    assert len(panel.run) == 7
    assert gate.passed == 8  # the batch that it was in, and no other
    panel.state = {"seed": 3}
    assert panel.text.endswith("The settings were changed since; Start uses the new ones.")


@pytest.mark.parametrize("make", PANELS)
def test_an_error_reaches_the_text(make):
    def broken(seed, tasks):
        raise ValueError("there are no clouds today")

    panel = make({"one head": SHARED._replace(prepare=broken)})
    panel.start()
    wait_for_end(panel)
    assert "came to an error: there are no clouds today" in panel.text
    assert not panel.controls["start"].disabled
