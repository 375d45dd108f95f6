"""The language in which students are spoken to: English, or one that has a catalogue."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.language.catalogue import LANGUAGES, VARIABLE, catalogue, language, say, speak, speak_here, wanted
    from workbench.language.scripts import in_each_language, words_of

__all__ = [
    "LANGUAGES",
    "VARIABLE",
    "catalogue",
    "in_each_language",
    "language",
    "say",
    "speak",
    "speak_here",
    "wanted",
    "words_of",
]

lazy(__name__)
