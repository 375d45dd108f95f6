"""Names that people type: what to say when there is no such name."""

import difflib
from collections.abc import Iterable
from typing import Any

from workbench.language import say


class UnknownName(ValueError):
    """Somebody asked for a name that there is not."""


def unknown(beginning: str, name: str, known: Iterable[str], have: str = "there are", **values: Any) -> UnknownName:
    """The error for a name that is not among the `known` ones; it proposes the nearest and lists all.

    It speaks the language of the page; `values` are put in for what stands in braces in its `beginning`.

    >>> print(unknown("there is no rule", "stlr", ["bptt", "stllr"]))
    there is no rule 'stlr'; did you mean 'stllr'? (there are bptt, stllr)
    """
    names = list(known)
    near = nearest(name, names)
    listed = f"{say(have)} {', '.join(names)}"
    proposed = f"{did_you_mean(near)} ({listed})" if near else listed
    return UnknownName(f"{say(beginning, **values)} '{name}'; {proposed}")


def did_you_mean(near: str) -> str:
    """The question whether somebody meant this name.

    >>> did_you_mean("train")
    "did you mean 'train'?"
    """
    return say("did you mean '{near}'?", near=near)


def nearest(name: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """The known name that looks most like this one; None when none does. `likeness`: from 0, any, to 1, the same.

    >>> nearest("trian", ["train", "audit"])
    'train'
    """
    names = {each.casefold(): each for each in known}
    begun = [each for each in names if len(name) > 2 and each.startswith(name.casefold())]
    alike = begun if len(begun) == 1 else difflib.get_close_matches(name.casefold(), names, 1, likeness) or begun
    return names[alike[0]] if alike else None
