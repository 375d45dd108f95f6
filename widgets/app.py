"""The app: every panel in a tab of its own, and the whole state in the page's link.

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
from widgets.page.link import PageLink, read_link, write_link


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
    Later("surrogate", "Surrogate", "surrogate", "SurrogateExplorer"),
    Later("training", "Training", "training", "TrainingMonitor"),
    Later("eligibility", "Eligibility", "eligibility", "EligibilityTimeline"),
    Later("cost", "Cost", "cost", "CostExplorer"),
    Later("basis", "Basis", "basis", "SynchronizationBasis"),
    Later("locality", "Locality", "locality", "LocalityMap"),
    Later("conceptors", "Conceptors", "conceptors", "ConceptorSubspaces"),
    Later("overlap", "Overlap", "overlap", "SubspaceOverlap"),
    Later("matrix", "Forgetting", "accuracy_matrix", "AccuracyMatrix"),
    Later("compression", "Compression", "compression", "ActivationCompression"),
    Later("memory", "Memory", "memory", "MemoryTimeline"),
    Later("step", "Step by step", "step", "StepByStep"),
)
_TOLD, _LONGEST = 5, 300  # complaints about a link that are told, and characters of each
HEADER = """<header><h1>Local Learning Workbench</h1>
<p>How can a network learn when each synapse knows only what happens beside it? Move the sliders and see.</p>
</header>"""


class App:
    """The panels in tabs under a header; a panel is made when its tab is first opened, so that the page is there soon.

    `view` is the box to display, `tabs` and `notice` are parts of it, `panels` holds the panels made so far by name.
    The link is read twice: from the environment, where Voila puts it for a kernel that it starts for this page, and
    from the page itself, for a kernel that was started before anyone asked.
    """

    def __init__(self, panels: Sequence[type[Panel] | Later], query: str = "") -> None:
        self.panels: dict[str, Panel] = {}
        self._asked: dict[str, dict[str, Any]] = {}  # states of panels that nobody has opened yet
        self._classes: dict[str, Any] = {panel.name: panel for panel in panels}
        self._places = [ipywidgets.VBox() for _ in panels]
        self.tabs = ipywidgets.Tab(self._places, titles=[panel.title for panel in panels])
        self.tabs.add_class("workbench-tabs")
        self.notice = ipywidgets.HTML(layout=ipywidgets.Layout(display="none")).add_class("workbench-notice")
        self.link = PageLink(opened=query)
        self.view = ipywidgets.VBox([ipywidgets.HTML(HEADER), self.notice, self.tabs])
        self.view.add_class("workbench-app")
        self.open(query)
        self.link.observe(lambda change: self.open(change["new"]), "opened")
        self.tabs.observe(lambda _: self._show(), "selected_index")
        self._show()

    def open(self, query: str) -> None:
        """Show the tab and the states of a link; what it gets wrong is named in a notice and left as it is."""
        tab, states = read_link(query)
        self._wrong: list[str] = []
        if tab is not None and tab not in self._classes:
            self._wrong.append(f"there is no tab {_short(tab)}; {self._there_are()}")
        for name, state in states.items():
            self._ask(name, state)
        self._tell()
        if tab in self._classes:
            self.tabs.selected_index = list(self._classes).index(tab)

    def panel(self, name: str) -> Panel:
        """The panel of that name, made and put into its tab when it is first asked for."""
        if name not in self.panels:
            panel = self.panels[name] = self._classes[name]()
            self._places[list(self._classes).index(name)].children = [panel.view]
            self._set(panel, self._asked.pop(name, {}))
            self._tell()
            panel.on_change(self._write)
        return self.panels[name]

    def _show(self) -> None:
        self.panel(self._selected())
        self._write()

    def _selected(self) -> str:
        return list(self._classes)[self.tabs.selected_index or 0]

    def _write(self) -> None:
        """Put what differs from the start into the page's link."""
        changed = {
            name: {control: value for control, value in panel.state.items() if value != panel.defaults[control]}
            for name, panel in self.panels.items()
        } | self._asked
        self.link.shown = write_link(self._selected() if self.tabs.selected_index else None, changed)

    def _ask(self, name: str, state: dict[str, Any]) -> None:
        """Set the state of a panel now if it is there, else when its tab is opened: a link builds one panel."""
        if name not in self._classes:
            self._wrong.append(f"there is no panel {_short(name)}; {self._there_are()}")
        elif name in self.panels:
            self._set(self.panels[name], state)
        else:
            self._asked[name] = state

    def _set(self, panel: Panel, state: dict[str, Any]) -> None:
        try:
            panel.state = state
        except (ValueError, OverflowError) as error:
            self._wrong.append(str(error))

    def _tell(self) -> None:
        """Say in the notice what could not be followed: the first few, none at length."""
        wrong = self._wrong
        told = "; ".join(complaint[:_LONGEST] for complaint in wrong[:_TOLD])
        more = f"; and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
        self.notice.value = html.escape(f"This link could not be followed in full: {told}{more}.")
        self.notice.layout.display = "" if wrong else "none"

    def _there_are(self) -> str:
        return f"there are {', '.join(self._classes)}"

    def __repr__(self) -> str:
        return "App()"

    def _repr_mimebundle_(self, **_: object) -> dict:
        return {**(self.view._repr_mimebundle_() or {}), "text/plain": repr(self)}


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


def warm() -> None:
    """Import all that a page may need, for a process that pages are forked from."""
    for panel in PANELS:
        import_module(f"widgets.panels.{panel.module}")
    warm_figures()


def build_app() -> App:
    """The app with all panels, opened at the link that the page was asked for."""
    return App(PANELS, os.environ.get("QUERY_STRING", ""))
