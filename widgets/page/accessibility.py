"""Names, values and a visible focus for the controls of ipywidgets, for a whole page at once.

The sliders of ipywidgets 8 have no accessible name and read "1.0000000000000002", its toggle buttons do not say that
they are pressed, the focus is invisible, and what a label means is told to the mouse alone. A small observer in the
browser mends what is on the page and what comes.
"""

from importlib.resources import files

import anywidget
import traitlets

from widgets.page.glossary import glossary

_STATIC = files("widgets") / "static"


class _Accessibility(anywidget.AnyWidget):
    """Has no view: the browser runs it as soon as the page knows the model."""

    _esm = (_STATIC / "accessibility.js").read_text("utf-8")
    _css = (_STATIC / "panel.css").read_text("utf-8")
    glossary = traitlets.Dict().tag(sync=True)

    _only: "_Accessibility | None" = None


def make_page_accessible() -> None:
    """Mend the controls on the page of this kernel, now and later, and explain its symbols in the page's language.

    Every panel calls it; a second call in the same language does nothing.
    """
    if _Accessibility._only is None or _Accessibility._only.comm is None:
        _Accessibility._only = _Accessibility()
    _Accessibility._only.glossary = glossary()
