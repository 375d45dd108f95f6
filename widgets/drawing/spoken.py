"""The texts of a figure in the language of the page: one place for all that plotly writes on the screen."""

from collections.abc import Mapping
from typing import Any

from workbench.language import say

# what plotly takes words under: of traces, of axes and their titles, of annotations
TEXTS = frozenset({"name", "text", "hovertext", "hovertemplate", "ticktext"})


def spoken(part: Any) -> Any:
    """Data or a layout as plotly takes them, dicts in lists in dicts, with their texts in the language of the page.

    What a template says in a second box, behind `<extra>`, and objects of plotly stay as they are.

    >>> spoken([{"name": "u", "y": [1, 2], "line": {"dash": "dot"}}])
    [{'name': 'u', 'y': [1, 2], 'line': {'dash': 'dot'}}]
    """
    if isinstance(part, Mapping):
        return {key: _told(value) if key in TEXTS else spoken(value) for key, value in part.items()}
    if isinstance(part, list | tuple) and part and isinstance(part[0], Mapping):
        return [spoken(each) for each in part]
    return part


def _told(text: Any) -> Any:
    if isinstance(text, list | tuple):
        return [_told(each) for each in text]
    if not isinstance(text, str) or not text:
        return text
    words, extra, box = text.partition("<extra>")
    return f"{say(words)}{extra}{box}"
