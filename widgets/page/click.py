"""What a page tells of a click: the one reader of the messages that its buttons send."""

from typing import Any


def read_click(content: Any) -> tuple[str, str]:
    """What was clicked and which of several; a page sends two short texts, whatever else comes is no click.

    >>> read_click({"action": "preset", "which": "fast"}), read_click({"action": "undo"}), read_click([3])
    (('preset', 'fast'), ('undo', ''), ('', ''))
    """
    if not isinstance(content, dict):
        return "", ""
    action, which = content.get("action"), content.get("which", "")
    return (action, which) if isinstance(action, str) and isinstance(which, str) else ("", "")
