"""The app: one panel at a time, opened by a link."""

import sys
from importlib import import_module

import pytest
from wave_panel import Wave

from widgets.app import PANELS, App, build_app
from widgets.start import GROUPS


class TestApp:
    """The tabs and the link."""

    def test_a_link_opens_tab_and_state_and_is_written_back(self):
        app = App([Wave, Second], "tab=second&second.frequency=2.5&second.shape=cosine&theme=dark")
        assert app.selected == "second"
        assert app.panels["second"].state["frequency"] == 2.5
        assert app.notice.layout.display == "none"
        assert "wave" not in app.panels
        app.panel("wave").controls["square"].value = True
        shown = "tab=second&second.frequency=2.5&second.shape=cosine&wave.square=true"
        assert app.link.shown == shown

    def test_a_panel_is_made_when_its_tab_is_opened(self):
        app = App([Wave, Second])
        assert list(app.panels) == ["wave"]
        app.nav.selected = "second"
        assert list(app.panels) == ["wave", "second"]
        assert app.stack.children[1].children == (app.panels["second"].view,)
        assert app.link.shown == "tab=second"

    def test_a_page_that_asks_later_is_followed(self):
        app = App([Wave])
        app.link.opened = "?wave.points=20"
        assert app.panels["wave"].state["points"] == 20

    def test_what_a_link_gets_wrong_is_told(self):
        app = App([Wave], "tab=no&wave.points=9&other.x=1&wave.frequency=2")
        for words in ("no tab 'no'", "A wave, “points”: points must lie from 10 to 500, got 9", "no panel 'other'"):
            assert words in app.words
        assert app.notice.layout.display == ""
        assert app.panels["wave"].state == {**Wave().state, "frequency": 2.0}

    def test_all_that_a_link_gets_wrong_is_told_and_the_rest_is_followed(self):
        app = App([Wave], "wave.points=9&wave.frequency=99&wave.shape=round&wave.square=true")
        assert [word in app.words for word in ("“points”", "“frequency f (Hz)”", "“shape”")] == [True] * 3
        assert app.panels["wave"].state["square"] is True

    def test_the_notice_can_be_closed(self):
        app = App([Wave], "tab=no")
        app.notice.children[1].click()
        assert app.notice.layout.display == "none"

    def test_the_words_on_the_tabs_open_them(self):
        app = App([Wave, Second], "tab=another wave&Another wave.points=30")
        assert app.selected == "second"
        assert app.panels["second"].state["points"] == 30

    def test_back_goes_to_the_tab_before_and_leaves_the_panels(self):
        app = App([Wave, Second])
        app.show("second")
        app.panels["second"].controls["points"].value = 30
        app.link.returned = {"tab": "", "step": 1}
        assert app.selected == "wave"
        assert app.panels["second"].state["points"] == 30
        app.link.returned = {"tab": "nothing", "step": 2}
        assert app.selected == "wave"

    def test_each_panel_leads_to_the_next(self):
        app = App([Wave, Second])
        assert app.panels["wave"]._parts.foot.facts["next"] == {"name": "second", "title": "Another wave"}
        app.show("second")
        assert "next" not in app.panels["second"]._parts.foot.facts

    def test_a_link_builds_one_panel_and_keeps_what_it_says_of_the_others(self):
        app = App([Wave, Second], "wave.points=20&second.points=30&second.frequency=99")
        assert list(app.panels) == ["wave"]
        assert app.link.shown == "wave.points=20&second.points=30&second.frequency=99"
        assert app.notice.layout.display == "none"
        app.show("second")
        assert app.panels["second"].state == {**Second().state, "points": 30}
        assert "Another wave, “frequency f (Hz)”: frequency must lie from" in app.words

    @pytest.mark.parametrize(
        "link",
        [
            "wave.points=" + 20_000 * "[",
            "wave.points=" + 400 * "9",
            "wave.frequency=1e400",
            "wave.shape=" + 5000 * "x",
            "tab=" + 5000 * "x",
            "&".join(f"p{k}.x=1" for k in range(4000)),
            "&".join(f"wave.x{k}={k}" for k in range(4000)),
        ],
    )
    def test_no_link_breaks_the_app_or_makes_a_long_notice(self, link):
        app = App([Wave], link)
        assert app.panels["wave"].state == Wave().state
        assert 0 < len(app.words) < 3000


class Second(Wave):
    """Another wave, to have two."""

    name = "second"
    title = "Another wave"


@pytest.mark.parametrize("later", PANELS, ids=lambda later: later.name)
def test_the_tab_of_a_panel_is_named_as_the_panel(later):
    made = getattr(import_module(f"widgets.panels.{later.module}"), later.panel)
    assert (made.name, made.title) == (later.name, later.title)


@pytest.mark.parametrize("later", PANELS, ids=lambda later: later.name)
def test_no_legend_names_two_things_alike(later):
    """As a page opens: with the recorded run of a panel that trains."""
    for figure in later()._figures():
        told = [trace.name for trace in figure.data if _is_in_the_legend(trace)]
        assert len(set(told)) == len(told), figure.subject


def _is_in_the_legend(trace) -> bool:
    values = [axis for axis in (trace.x, trace.y) if axis is not None] if trace.type in ("scatter", "bar") else []
    return bool(trace.name and values and trace.showlegend is not False and trace.visible is not False) and all(
        len(axis) for axis in values
    )


def test_the_first_page_imports_no_other_panel(monkeypatch):
    for later in PANELS:
        monkeypatch.delitem(sys.modules, f"widgets.panels.{later.module}", raising=False)
    assert list(build_app().panels) == []
    assert [later.module for later in PANELS if f"widgets.panels.{later.module}" in sys.modules] == []


class TestStartPage:
    """The way in."""

    def test_it_leads_to_every_panel(self):
        app = build_app()
        assert app.selected == "start"
        page = app.stack.children[0].value
        assert all(f'data-tab="{panel.name}"' in page for panel in PANELS)
        assert all(group.question in page for group in GROUPS if group.sketch)

    def test_the_tabs_stand_in_groups_and_each_once(self):
        named = [tab["name"] for group in build_app().nav.groups for tab in group["tabs"]]
        assert sorted(named) == sorted(["start", *(panel.name for panel in PANELS)])
        assert all(group["title"] for group in build_app().nav.groups[1:])
