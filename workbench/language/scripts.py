"""The words that a script of a page says, in the language of the page or in all."""

import re
from contextvars import copy_context

from workbench.language.catalogue import LANGUAGES, say, speak_here

_SAID = re.compile(r"""\bsay\(\s*"((?:[^"\\]|\\.)+)"|\bspeaker\(model\)\("((?:[^"\\]|\\.)+)\"""")


def words_of(source: str, *more: str) -> dict[str, str]:
    """What stands in `source` as say("…"), and `more`, each with its translation; nothing where there is none.

    >>> words_of('button(say("Undo"))')
    {}
    """
    texts = [first or second for first, second in _SAID.findall(source)]
    return {text: told for text in (*texts, *more) if (told := say(text)) != text}


def in_each_language(source: str, *more: str) -> dict[str, dict[str, str]]:
    """`words_of` for each language by its code, for a script that is there before anyone has said which it is.

    >>> in_each_language('button(say("Undo"))')["es"]
    {'Undo': 'Deshacer'}
    """
    return {code: copy_context().run(_words_in, code, source, *more) for code in LANGUAGES}


def _words_in(code: str, source: str, *more: str) -> dict[str, str]:
    speak_here(code)
    return words_of(source, *more)
