"""`Nav`: the top line of the app: its name, the tabs in their groups, and the switches of the page."""

from importlib.resources import files

import anywidget
import traitlets

from workbench.language import words_of

_STATIC = files("widgets") / "static"


class Nav(anywidget.AnyWidget):
    """`groups` are lists of tabs under a word and a colour, `selected` the name of the open tab.

    A group is `{"title": ..., "accent": ..., "tabs": [{"name": ..., "title": ...}]}`; `accent` names a colour of
    widgets/static/app.css. Any link of the page that carries `data-tab` opens the tab of that name.
    """

    _esm = (_STATIC / "element.js").read_text("utf-8") + (_STATIC / "nav.js").read_text("utf-8")
    _css = (_STATIC / "app.css").read_text("utf-8")
    heading = traitlets.Unicode().tag(sync=True)
    groups = traitlets.List().tag(sync=True)
    selected = traitlets.Unicode().tag(sync=True)
    tour = traitlets.Bool(False).tag(sync=True)  # whether there is a tour to start
    words = traitlets.Dict().tag(sync=True)

    def learn(self) -> None:
        """Take the words of the page's language."""
        self.words = words_of(self._esm)
