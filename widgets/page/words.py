"""The words that a module of the browser says, in the language of the page."""

import re

from workbench.language import say

_SAID = re.compile(r"""\bsay\(\s*"((?:[^"\\]|\\.)+)"|\bspeaker\(model\)\("((?:[^"\\]|\\.)+)\"""")


def words_of(source: str, *more: str) -> dict[str, str]:
    """What stands in `source` as say("…"), and `more`, each with its translation; nothing where there is none.

    >>> words_of('button(say("Undo"))')
    {}
    """
    texts = [first or second for first, second in _SAID.findall(source)]
    return {text: told for text in (*texts, *more) if (told := say(text)) != text}
