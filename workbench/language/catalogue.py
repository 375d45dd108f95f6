"""`say(text)`: a text in the language of the page. The English text is its own key.

A catalogue is a folder of TOML files, `es/` for Spanish, each line of them an English text and what stands for it. The
standard library reads them; gettext would want a compiled file beside each, and a step that builds it.

A process speaks one language at a time, for each visitor of the app has one. It is chosen by the page (`speak`) or by
the variable WORKBENCH_LANG, when something is said: processes of visitors are copies of one that has imported all
modules already. So a text is handed to `say` where it is shown, and never where a module is imported. The server is one
process for all visitors; it chooses for one answer (`speak_here`).
"""

import os
import re
import tomllib
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = {"en": "English", "es": "Español"}  # by the code that a page names in its `lang`
VARIABLE = "WORKBENCH_LANG"  # of the environment
_WEIGHT = re.compile(r"[01](\.\d{0,3})?")  # of a language that is wanted
_chosen: str | None = None
_here: ContextVar[str | None] = ContextVar("the language of this task", default=None)


def speak(code: str | None) -> None:
    """Speak this language from now on; None: the one of the environment. ValueError for one that there is not."""
    global _chosen
    _chosen = None if code is None else _known(code, "the language")


def speak_here(code: str | None) -> None:
    """Speak this language in the asyncio task that runs now and in those that it starts, before all others; None: as
    elsewhere. ValueError for one that there is not."""
    _here.set(None if code is None else _known(code, "the language"))


def language() -> str:
    """The code of the language that is spoken: the chosen one, that of WORKBENCH_LANG ("es", "es_ES.UTF-8"), English.

    Raises ValueError where the variable names one that there is not.
    """
    return _here.get() or _chosen or _known(os.environ.get(VARIABLE, "") or "en", VARIABLE)


def say(text: str, /, **values: Any) -> str:
    """A text in the language of the page, with `values` put in for what stands in braces.

    A text that the catalogue does not have stays English.

    >>> say("{number} of {of}", number=2, of=3)
    '2 of 3'
    """
    told = catalogue(language()).get(text, text)
    return told.format(**values) if values else told


def wanted(header: str) -> str | None:
    """The language that there is and that a browser wants most, by its header Accept-Language; None: it names none.

    >>> wanted("eu, es-MX;q=0.8, en;q=0.5"), wanted("en;q=0.3, es;q=0"), wanted("fr, *"), wanted("es;q=x")
    ('es', 'en', None, None)
    """
    weighed = []
    for place, part in enumerate(header.split(",")):
        name, *rest = (piece.strip() for piece in part.split(";"))
        weight = next((piece.removeprefix("q=") for piece in rest if piece.startswith("q=")), "1")
        short = name.partition("-")[0].lower()
        if short in LANGUAGES and _WEIGHT.fullmatch(weight) and float(weight):
            weighed.append((-float(weight), place, short))
    return min(weighed)[2] if weighed else None


@cache
def catalogue(code: str) -> Mapping[str, str]:
    """English texts and those that stand for them; nothing for English.

    Raises ValueError where one text stands in two files.
    """
    found: dict[str, str] = {}
    folder = files("workbench.language") / code
    for path in sorted(folder.iterdir(), key=lambda path: path.name) if folder.is_dir() else ():
        texts = tomllib.loads(path.read_text("utf-8"))
        if twice := found.keys() & texts.keys():
            raise ValueError(f"{code}/{path.name} has texts that stand in another file too: {sorted(twice)[0]!r}")
        found |= texts
    return found


def _known(code: str, what: str) -> str:
    short = code.replace("-", "_").partition("_")[0].lower()
    if short not in LANGUAGES:
        raise ValueError(f"{what} must be one of {', '.join(LANGUAGES)}, got {code!r}")
    return short
