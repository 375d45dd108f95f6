"""The language in which students are spoken to: English, or one that has a catalogue."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.language.catalogue import LANGUAGES, VARIABLE, catalogue, language, say, speak

__all__ = [
    "LANGUAGES",
    "VARIABLE",
    "catalogue",
    "language",
    "say",
    "speak",
]

lazy(__name__)
