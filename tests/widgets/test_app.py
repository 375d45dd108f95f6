"""The app: one panel at a time, opened by a link."""

import sys
from importlib import import_module

import pytest
from wave_panel import Wave

from widgets.app import PANELS, App, build_app


class TestApp:
    """The tabs and the link."""

    def test_a_link_opens_tab_and_state_and_is_written_back(self):
        app = App([Wave, Second], "tab=second&second.frequency=2.5&second.shape=cosine&theme=dark")
        assert app.tabs.selected_index == 1
        assert app.panels["second"].state["frequency"] == 2.5
        assert app.notice.layout.display == "none"
        assert "wave" not in app.panels
        app.panel("wave").controls["square"].value = True
        shown = "tab=second&second.frequency=2.5&second.shape=cosine&wave.square=true"
        assert app.link.shown == shown

    def test_a_panel_is_made_when_its_tab_is_opened(self):
        app = App([Wave, Second])
        assert list(app.panels) == ["wave"]
        app.tabs.selected_index = 1
        assert list(app.panels) == ["wave", "second"]
        assert app.tabs.children[1].children == (app.panels["second"].view,)
        assert app.link.shown == "tab=second"

    def test_a_page_that_asks_later_is_followed(self):
        app = App([Wave])
        app.link.opened = "?wave.points=20"
        assert app.panels["wave"].state["points"] == 20

    def test_what_a_link_gets_wrong_is_told(self):
        app = App([Wave], "tab=no&wave.points=9&other.x=1&wave.frequency=2")
        for words in ("no tab &#x27;no&#x27;", "points must lie from 10 to 500, got 9", "no panel &#x27;other&#x27;"):
            assert words in app.notice.value
        assert app.notice.layout.display == ""
        assert app.panels["wave"].state == Wave().state

    def test_a_link_builds_one_panel_and_keeps_what_it_says_of_the_others(self):
        app = App([Wave, Second], "wave.points=20&second.points=30&second.frequency=99")
        assert list(app.panels) == ["wave"]
        assert app.link.shown == "wave.points=20&second.points=30&second.frequency=99"
        assert app.notice.layout.display == "none"
        app.tabs.selected_index = 1
        assert app.panels["second"].state == Second().state
        assert "frequency must lie from" in app.notice.value

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
        assert 0 < len(app.notice.value) < 3000


class Second(Wave):
    """Another wave, to have two."""

    name = "second"
    title = "Another wave"


@pytest.mark.parametrize("later", PANELS, ids=lambda later: later.name)
def test_the_tab_of_a_panel_is_named_as_the_panel(later):
    made = getattr(import_module(f"widgets.panels.{later.module}"), later.panel)
    assert (made.name, made.title) == (later.name, later.title)


def test_the_first_page_imports_no_other_panel(monkeypatch):
    for later in PANELS:
        monkeypatch.delitem(sys.modules, f"widgets.panels.{later.module}", raising=False)
    assert list(build_app().panels) == ["lif"]
    assert [later.module for later in PANELS if f"widgets.panels.{later.module}" in sys.modules] == ["lif"]
