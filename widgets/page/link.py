"""The state of the app in the address of its page: `?tab=lif&lif.decay=0.9&lif.reset=hard`.

A link that someone sends opens the same picture. Only what differs from the start is written. Keys without a point
other than `tab` and `lang` belong to others; the page leaves them alone, and `lang` too.
"""

import json
import math
from collections.abc import Mapping
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, urlencode

import anywidget
import traitlets

_LARGEST = 2**53  # beyond it a whole number is no number of JavaScript, and none of a control


MOST = 200  # parts of a link that are read; the app has about a hundred controls


def read_link(query: str) -> tuple[str | None, dict[str, dict[str, Any]]]:
    """The tab and the states of the panels by name, from the part of an address behind the question mark.

    >>> read_link("?tab=lif&lif.decay=0.9&lif.reset=hard&theme=dark")
    ('lif', {'lif': {'decay': 0.9, 'reset': 'hard'}})
    """
    tab, states = None, {}
    for key, text in parse_qsl(query.removeprefix("?"))[:MOST]:
        panel, point, control = key.partition(".")
        if key == "tab":
            tab = text
        elif point:
            states.setdefault(panel, {})[control] = _value(text)
    return tab, states


def read_language(query: str) -> str | None:
    """The code of the language that a link asks for; None where it asks for none.

    >>> read_language("?tab=lif&lang=es"), read_language("?tab=lif")
    ('es', None)
    """
    return dict(parse_qsl(query.removeprefix("?"))[:MOST]).get("lang") or None


def write_link(tab: str | None, states: Mapping[str, Mapping[str, Any]]) -> str:
    """The part of an address behind the question mark that `read_link` turns into `tab` and `states`.

    >>> write_link("lif", {"lif": {"decay": 0.9, "reset": "hard"}})
    'tab=lif&lif.decay=0.9&lif.reset=hard'
    """
    pairs = [("tab", tab)] if tab else []
    for panel, state in states.items():
        pairs += [(f"{panel}.{control}", _text(value)) for control, value in state.items()]
    return urlencode(pairs)


class PageLink(anywidget.AnyWidget):
    """`opened` is the query that the page was opened with, `shown` the one it should show. Has no view.

    `returned` is the tab to which the browser's Back or Forward has gone, with the number of such steps. `lang` is the
    language of the page's words, for those who hear it read.
    """

    _esm = (files("widgets") / "static" / "link.js").read_text("utf-8")
    opened = traitlets.Unicode().tag(sync=True)
    shown = traitlets.Unicode().tag(sync=True)
    returned = traitlets.Dict().tag(sync=True)
    lang = traitlets.Unicode("en").tag(sync=True)


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if _fits(value) else text


def _fits(value: Any) -> bool:
    """Whether a control may hold it: no NaN or infinity, no whole number that JavaScript would round."""
    if isinstance(value, list):
        return all(map(_fits, value))
    if isinstance(value, dict):
        return all(map(_fits, value.values()))
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or abs(value) <= _LARGEST


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
