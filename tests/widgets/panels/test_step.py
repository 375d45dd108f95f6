"""`StepByStep` goes through the stages of `workbench.watch.one_update`, also by itself."""

import pytest
from gate import PATIENCE
from house import check_house_rules, equal, walk_and_compare

from widgets.panels import step
from widgets.panels.step import LAST, StepByStep

pytestmark = pytest.mark.usefixtures("unchecked")


def test_house_rules():
    check_house_rules(StepByStep)


def test_every_control_at_both_ends_and_its_code():
    def compare(panel, names):
        update, at = names["update"], panel.values["at"]
        assert names["stage"].name == panel.numbers.stage.name
        assert equal(update.total(at), panel.numbers.update.total(at))
        i, j = panel.numbers.i, panel.numbers.j
        assert names["change"] == pytest.approx(float(panel.numbers.update.total(at)[i, j]))

    walk_and_compare(StepByStep(), compare)
    walk_and_compare(StepByStep(rule="LLS", at=3), compare)


def test_back_and_next_go_a_stage_and_stop_at_the_ends():
    panel = StepByStep(at=1)
    panel.controls["back"].click()
    assert panel.state["at"] == 0
    assert panel.controls["back"].disabled
    panel.go(-1)
    assert panel.state["at"] == 0
    for _ in range(LAST):
        panel.controls["forward"].click()
    assert panel.state["at"] == LAST
    assert panel.controls["forward"].disabled
    panel.go(1)
    assert panel.state["at"] == LAST


def test_play_walks_to_the_end_and_from_there_from_the_beginning(monkeypatch):
    monkeypatch.setattr(step, "PERIOD", 0.0)
    panel, places = StepByStep(at=LAST), []
    panel.on_change(lambda: places.append(panel.values["at"]))
    panel.controls["play"].click()
    panel.player.thread.join(PATIENCE)
    assert places == list(range(LAST + 1))
    assert not panel.player.playing
    assert panel.controls["play"].description == "Play"
    assert panel.text == StepByStep(at=LAST).text


def test_play_is_held_by_a_second_click():
    panel = StepByStep(at=5)
    panel.player.toggle()
    assert panel.player.playing
    assert panel.controls["play"].description == "Hold"
    panel.player.toggle()
    panel.player.thread.join(PATIENCE)
    assert not panel.player.playing
    assert panel.state["at"] <= 6
