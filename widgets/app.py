"""The app: every panel in a tab of its own, and the whole state in the page's link.

`notebooks/app.ipynb` shows what `build_app` returns; Voila serves that notebook.
"""

import html
import os
from collections.abc import Sequence

import ipywidgets

from widgets.link import PageLink, read_link, write_link
from widgets.panel import Panel

HEADER = """<header><h1>Local Learning Workbench</h1>
<p>How can a network learn when each synapse knows only what happens beside it? Move the sliders and see.</p>
</header>"""


def all_panels() -> list[Panel]:
    """One of each panel, in the order of the tabs."""
    return []


class App:
    """The panels in tabs under a header. `view` is the box to display, `tabs` and `notice` are parts of it.

    The link is read twice: from the environment, where Voila puts it for a kernel that it starts for this page, and
    from the page itself, for a kernel that was started before anyone asked.
    """

    def __init__(self, panels: Sequence[Panel], query: str = "") -> None:
        self.panels = {panel.name: panel for panel in panels}
        self.tabs = ipywidgets.Tab(
            [panel.view for panel in panels], titles=[panel.title for panel in panels]
        ).add_class("workbench-tabs")
        self.notice = ipywidgets.HTML(layout=ipywidgets.Layout(display="none")).add_class("workbench-notice")
        self.link = PageLink(opened=query)
        self.view = ipywidgets.VBox([ipywidgets.HTML(HEADER), self.notice, self.tabs]).add_class("workbench-app")
        self.open(query)
        self.link.observe(lambda change: self.open(change["new"]), "opened")
        self.tabs.observe(lambda _: self.write(), "selected_index")
        for panel in panels:
            for control in panel.controls.values():
                if control.has_trait("value"):
                    control.observe(lambda _: self.write(), "value")

    def open(self, query: str) -> None:
        """Show the tab and the states of a link; what it gets wrong is named in a notice and left as it is."""
        tab, states = read_link(query)
        wrong = []
        for name, state in states.items():
            wrong += self._set(name, state)
        if tab in self.panels:
            self.tabs.selected_index = list(self.panels).index(tab)
        elif tab is not None:
            wrong.append(f"there is no tab {tab!r}; there are {', '.join(self.panels)}")
        self.notice.value = html.escape(f"This link could not be followed in full: {'; '.join(wrong)}.")
        self.notice.layout.display = "" if wrong else "none"

    def write(self) -> None:
        """Put what differs from the start into the page's link."""
        changed = {
            name: {k: v for k, v in panel.state.items() if v != panel.defaults[k]}
            for name, panel in self.panels.items()
        }
        tab = list(self.panels)[self.tabs.selected_index] if self.tabs.selected_index else None
        self.link.shown = write_link(tab, changed)

    def _set(self, name: str, state: dict) -> list[str]:
        if name not in self.panels:
            return [f"there is no panel {name!r}; there are {', '.join(self.panels)}"]
        try:
            self.panels[name].state = state
        except ValueError as error:
            return [str(error)]
        return []

    def __repr__(self) -> str:
        return "App()"

    def _repr_mimebundle_(self, **_: object) -> dict:
        return {**(self.view._repr_mimebundle_() or {}), "text/plain": repr(self)}


def build_app() -> App:
    """The app with all panels, opened at the link that the page was asked for."""
    return App(all_panels(), os.environ.get("QUERY_STRING", ""))
