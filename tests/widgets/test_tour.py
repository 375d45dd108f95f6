"""The tour: each station opens its panel, waits for the visitor, and is done by what it asks for."""

import pytest
from wave_panel import Wave

from widgets.app import App, build_app
from widgets.tour import STATIONS, Station, Tour


@pytest.fixture(scope="module")
def whole_app() -> App:
    return build_app()


@pytest.mark.parametrize("at", range(len(STATIONS)), ids=lambda at: STATIONS[at].panel)
def test_a_station_is_open_until_its_answer_is_set(whole_app, at):
    station, tour = STATIONS[at], whole_app.tour
    tour._go(at)
    panel = whole_app.panels[station.panel]
    assert (whole_app.selected, tour.done) == (station.panel, False)
    assert "workbench-here" in panel.controls[station.control]._dom_classes
    panel.state = station.answer
    assert tour.done
    assert tour.coach.facts["told"] == station.told


def test_the_visitor_goes_on_and_ends():
    stations = (
        Station("wave", "Make it fast.", "frequency", lambda state, numbers: state["frequency"] > 4, "Fast.", {}),
        Station("wave", "Make it slow.", "points", lambda state, numbers: state["frequency"] < 1, "Slow.", {}),
    )
    app = App([Wave])
    app.tour._stations = stations
    app.nav._handle_custom_msg({"action": "tour"}, [])
    assert app.tour.coach.facts == {"number": 1, "of": 2, "do": "Make it fast.", "told": ""}
    app.panels["wave"].controls["frequency"].value = 4.5
    assert app.tour.coach.facts["told"] == "Fast."
    app.tour.coach._handle_custom_msg({"action": "on"}, [])
    assert app.panels["wave"].state["frequency"] == 1.0
    assert app.tour.coach.facts["number"] == 2
    app.tour.coach._handle_custom_msg({"action": "on"}, [])
    assert app.tour.at is None
    assert app.tour.coach.facts == {}
    assert "workbench-here" not in app.panels["wave"].controls["points"]._dom_classes


def test_what_is_no_click_changes_nothing():
    app = App([Wave])
    for content in (None, 3, {"action": "fly"}, {}):
        app.tour.coach._handle_custom_msg(content, [])
    assert isinstance(app.tour, Tour)
    assert app.tour.at is None
