"""The language in which the server itself answers: one process speaks to all visitors, to each in their own.

The app is in the language of its link, or else of the environment. So are the pages of the server, and where both are
silent they follow what the browser wants.
"""

import os
from typing import Any
from urllib.parse import parse_qs

from tornado.httputil import HTTPServerRequest
from tornado.web import OutputTransform

from workbench.language import LANGUAGES, VARIABLE, in_each_language, language, say, speak_here, wanted
from workbench.serving.bundles import STATIC
from workbench.serving.kernels import ENDINGS


class Spoken(OutputTransform):
    """Lets an answer speak the language of its request, whichever handler gives it: it is made before the handler."""

    def __init__(self, request: HTTPServerRequest) -> None:
        speak_here(asked_language(request))


def asked_language(request: HTTPServerRequest) -> str | None:
    """The language that a request asks for; None: it leaves the choice to the environment."""
    asked = parse_qs(request.query).get("lang", [""])[-1]
    if asked or os.environ.get(VARIABLE):
        return wanted(asked)
    return wanted(request.headers.get("Accept-Language", ""))


def in_language(address: str) -> str:
    """An address of this server that keeps the language, where it is not the one of the environment."""
    usual = wanted(os.environ.get(VARIABLE, "")) or next(iter(LANGUAGES))
    return address if language() == usual else f"{address}?lang={language()}"


def let_speak(template_globals: dict[str, Any]) -> None:
    """Give templates what they need to speak."""
    template_globals.update(say=say, language=language, in_language=in_language)


def with_words(page_config: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook for what Voila writes into each page: what its script may have to say, in every language."""
    words = in_each_language((STATIC / "alive.js").read_text("utf-8"), *ENDINGS)
    return {**page_config, "workbenchWords": words, "workbenchLanguage": os.environ.get(VARIABLE, "")}
