"""The app: a start page, every panel in a tab of its own, a tour, and the whole state in the page's link.

`notebooks/app.ipynb` shows what `build_app` returns; Voila serves that notebook.
"""

import html
import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import ipywidgets

from widgets.drawing.figure import warm_figures
from widgets.frame.panel import Panel
from widgets.page.click import read_click
from widgets.page.link import PageLink, read_language, read_link, write_link
from widgets.page.nav import Nav
from widgets.start import GROUPS, Group, start_page
from widgets.tour import Tour
from workbench.language import LANGUAGES, catalogue, language, say, speak


class Later(NamedTuple):
    """A panel whose module is imported when its tab is first opened: `name` and `title` as the class has them.

    Calling it makes the panel, as calling the class does. Importing all modules at once costs the page's start a third
    of a second, and more with each data set that one of them reads.
    """

    name: str
    title: str
    module: str
    panel: str

    def __call__(self) -> Panel:
        return getattr(import_module(f"widgets.panels.{self.module}"), self.panel)()


# every panel, in the order of the tabs
PANELS = (
    Later("lif", "Neuron", "lif", "LIFExplorer"),
    Later("trace", "Trace", "traces", "TraceDecay"),
    Later("stdp", "Timing", "stdp", "STDPWindow"),
    Later("eligibility", "Eligibility", "eligibility", "EligibilityTimeline"),
    Later("surrogate", "Surrogate", "surrogate", "SurrogateExplorer"),
    Later("basis", "Basis", "basis", "SynchronizationBasis"),
    Later("locality", "Locality", "locality", "LocalityMap"),
    Later("compression", "Compression", "compression", "ActivationCompression"),
    Later("memory", "Memory", "memory", "MemoryTimeline"),
    Later("cost", "Cost", "cost", "CostExplorer"),
    Later("conceptors", "Conceptors", "conceptors", "ConceptorSubspaces"),
    Later("overlap", "Overlap", "overlap", "SubspaceOverlap"),
    Later("matrix", "Forgetting", "accuracy_matrix", "AccuracyMatrix"),
    Later("step", "Step by step", "step", "StepByStep"),
    Later("training", "Training", "training", "TrainingMonitor"),
    Later("playground", "Playground", "playground", "Playground"),
    Later("results", "Results", "results", "PaperResults"),
)
START = "start"
_TOLD, _LONGEST = 5, 300  # complaints about a link that are told, and characters of each
_Maker = type[Panel] | Later


class App:
    """The panels in tabs; a panel is made when its tab is first opened, so that the page is there soon.

    `view` is the box to display, `stack` holds what lies under the tabs, `notice` says what a link got wrong, in
    `words`, `panels` holds the panels made so far by name. With `groups` the tabs stand under their words, behind a
    start page.

    The link is read twice: from the environment, where Voila puts it for a kernel that it starts for this page, and
    from the page itself, for a kernel that was started before anyone asked.
    """

    def __init__(self, panels: Sequence[_Maker], query: str = "", groups: Sequence[Group] = ()) -> None:
        self.panels: dict[str, Panel] = {}
        self._asked: dict[str, dict[str, Any]] = {}  # states of panels that nobody has opened yet
        self._makers: dict[str, Any] = {panel.name: panel for panel in panels}
        self._places: dict[str, ipywidgets.Widget] = {panel.name: ipywidgets.VBox() for panel in panels}
        if groups:
            self._places = {START: ipywidgets.HTML(), **self._places}
        self._groups = groups
        self.stack = ipywidgets.Stack(list(self._places.values()), selected_index=0).add_class("workbench-stack")
        self.nav = Nav(heading="Local Learning Workbench", selected=self.selected)
        self.words = ""
        self.notice, self._wrong_words, self._close = _notice()
        self.tour = Tour(self)
        self.nav.tour = bool(groups)
        self.link = PageLink(opened=query)
        self._spoken = ""
        self.view = ipywidgets.VBox([self.nav, self.notice, self.stack, self.tour.coach]).add_class("workbench-app")
        self.open(query)
        self.link.observe(lambda change: self.open(change["new"]), "opened")
        self.link.observe(lambda change: self.show(change["new"].get("tab") or next(iter(self._places))), "returned")
        self.nav.observe(lambda change: self.show(change["new"]), "selected")
        self.nav.on_msg(lambda _, content, __: self.tour.start() if read_click(content)[0] == "tour" else None)
        self.stack.observe(lambda _: self._show(), "selected_index")
        self._show()

    @property
    def selected(self) -> str:
        """The name of the open tab."""
        return list(self._places)[self.stack.selected_index or 0]

    def show(self, name: str) -> None:
        """Open the tab of that name; a name that a page sends and no tab has changes nothing."""
        if name in self._places:
            self.stack.selected_index = list(self._places).index(name)

    def open(self, query: str) -> None:
        """Show the tab and the states of a link; what it gets wrong is named in a notice, the rest is followed."""
        tab, states = read_link(query)
        self._wrong: list[str] = []
        self._speak(read_language(query))
        name = self._named(tab)
        if tab is not None and name is None:
            self._wrong.append(say("there is no tab {tab}; {there_are}", tab=_short(tab), there_are=self._there_are()))
        for panel, state in states.items():
            self._ask(panel, state)
        self._tell()
        if name is not None:
            self.show(name)
        if self.selected in self._asked and self.selected not in self.panels:  # it was there in another language
            self.panel(self.selected)

    def _speak(self, code: str | None) -> None:
        """Say everything in the language of the link: what is on the page already is said anew."""
        try:
            speak(code)
        except ValueError:
            speak(None)
            there_are = ", ".join(f"{name} ({code})" for code, name in LANGUAGES.items())
            self._wrong.append(
                say("there is no language {code}; there are {languages}", code=_short(str(code)), languages=there_are)
            )
        if self._spoken == language():
            return
        self._spoken = self.link.lang = language()
        makers = list(self._makers.values())
        if self._groups:
            page: Any = self._places[START]
            page.value = start_page(self._groups, {maker.name: maker.title for maker in makers})
        self.nav.learn()
        self.nav.groups = _tabs(self._groups, makers)
        self.tour.coach.learn()
        self._close.description, self._close.tooltip = say("Close"), say("close this notice")
        if self.panels:
            self.tour.end()
            self._asked = {**self._asked, **self._changed()}
            self.panels.clear()

    def panel(self, name: str) -> Panel:
        """The panel of that name, made and put into its tab when it is first asked for."""
        if name not in self.panels:
            panel = self.panels[name] = self._makers[name]()
            place: Any = self._places[name]
            place.children = [panel.view]
            self._lead_on(panel)
            self._set(panel, self._asked.pop(name, {}))
            self._tell()
            panel.on_change(self._write)
            panel.on_redraw(self.tour.look)
        return self.panels[name]

    def _lead_on(self, panel: Panel) -> None:
        names = list(self._makers)
        after = names.index(panel.name) + 1
        if after < len(names):
            panel.lead_to(names[after], self._makers[names[after]].title)

    def _show(self) -> None:
        if self.selected in self._makers:
            self.panel(self.selected)
        self.nav.selected = self.selected
        self._write()

    def _write(self) -> None:
        """Put what differs from the start into the page's link."""
        shown = self._changed() | self._asked
        self.link.shown = write_link(self.selected if self.stack.selected_index else None, shown)

    def _changed(self) -> dict[str, dict[str, Any]]:
        """What differs from the start in the panels that are made, by their names."""
        return {
            name: {control: value for control, value in panel.state.items() if value != panel.defaults[control]}
            for name, panel in self.panels.items()
        }

    def _named(self, tab: str | None) -> str | None:
        """The name of the tab that a link means, by its name or by the word that stands on it; None for no tab."""
        if tab is None or tab in self._places:
            return tab
        words = {
            title.lower(): name for name, maker in self._makers.items() for title in (maker.title, say(maker.title))
        }
        return words.get(tab.lower())

    def _ask(self, panel: str, state: dict[str, Any]) -> None:
        """Set the state of a panel now if it is there, else when its tab is opened: a link builds one panel."""
        name = self._named(panel)
        if name not in self._makers:
            wrong = say("there is no panel {panel}; {there_are}", panel=_short(panel), there_are=self._there_are())
            self._wrong.append(wrong)
        elif name in self.panels:
            self._set(self.panels[name], state)
        else:
            self._asked[name] = self._asked.get(name, {}) | state

    def _set(self, panel: Panel, state: dict[str, Any]) -> None:
        wrong = panel.faults(state)
        self._wrong += [f"{say(panel.title)}, {_label(panel, name)}: {fault}" for name, fault in wrong.items()]
        try:
            panel.state = {name: value for name, value in state.items() if name not in wrong}
        except (ValueError, OverflowError) as error:
            self._wrong.append(f"{say(panel.title)}: {error}")

    def _tell(self) -> None:
        """Say in the notice what could not be followed: the first few, none at length."""
        wrong = self._wrong
        told = "; ".join(complaint[:_LONGEST] for complaint in wrong[:_TOLD])
        more = say("; and {count} more", count=len(wrong) - _TOLD) if len(wrong) > _TOLD else ""
        self.words = say("This link could not be followed in full: {told}.", told=f"{told}{more}") if wrong else ""
        self._wrong_words.value = html.escape(self.words)
        self.notice.layout.display = "" if wrong else "none"

    def _there_are(self) -> str:
        there_are = ", ".join(f"{say(maker.title)} ({name})" for name, maker in self._makers.items())
        return say("there are {panels}", panels=there_are)

    def __repr__(self) -> str:
        return "App()"

    def _repr_mimebundle_(self, **_: object) -> dict:
        return {**(self.view._repr_mimebundle_() or {}), "text/plain": repr(self)}


def _tabs(groups: Sequence[Group], panels: Sequence[_Maker]) -> list[dict[str, Any]]:
    """The tabs of `Nav`: each panel once, under its group; what no group names comes last, without a word."""
    left = {panel.name: {"name": panel.name, "title": say(panel.title)} for panel in panels}
    start = [{"title": "", "accent": "", "tabs": [{"name": START, "title": say("Start")}]}] if groups else []
    grouped = [
        {
            "title": say(group.word),
            "accent": group.accent,
            "tabs": [left.pop(name) for name in group.panels if name in left],
        }
        for group in groups
    ]
    return [*start, *grouped, *([{"title": "", "accent": "", "tabs": list(left.values())}] if left else [])]


def _notice() -> tuple[ipywidgets.Box, ipywidgets.HTML, ipywidgets.Button]:
    """The notice, hidden; its words, and the button that closes it."""
    words = ipywidgets.HTML(layout=ipywidgets.Layout(flex="1 1 auto"))
    close = ipywidgets.Button(layout=ipywidgets.Layout(width="auto"))
    notice = ipywidgets.Box([words, close], layout=ipywidgets.Layout(display="none")).add_class("workbench-notice")
    close.on_click(lambda _: setattr(notice.layout, "display", "none"))
    return notice, words, close


def _label(panel: Panel, name: str) -> str:
    """What stands on the screen beside a control, and its name in links."""
    control = panel.controls.get(name)
    return f"“{control.description}”" if control is not None else _short(name)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


def warm() -> None:
    """Import all that a page may need, for a process that pages are forked from."""
    for panel in PANELS:
        import_module(f"widgets.panels.{panel.module}")
    warm_figures()
    for code in LANGUAGES:
        catalogue(code)


def build_app() -> App:
    """The app with all panels behind its start page, opened at the link that the page was asked for."""
    return App(PANELS, os.environ.get("QUERY_STRING", ""), GROUPS)
