"""Who is let in: every answer that starts a computation is weighed first, from the request alone.

A page costs a process of its own. A picture or a script of a foreign page, a prefetch or a robot must not start one.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from workbench.language import say

LOOPBACK = ("localhost", "127.0.0.1", "::1")
LONGEST_LINK = 8_000  # characters behind the question mark
_PAGE = ("document", "iframe")  # what a person looks at (Fetch Metadata, W3C)
_ROBOT = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|externalhit|embedly|monitor|scrapy|python|curl|wget|httpclient|go-http|java/|headlesschecker",
    re.IGNORECASE,
)


class Refusal(NamedTuple):
    """What is answered instead of the app: HTTP status, heading, sentence, and after how many seconds to try again.

    In English, or said already; the page says both in its language.
    """

    status: int
    heading: str
    sentence: str
    retry: int | None = None


def refusal(headers: Mapping[str, str], query: str) -> Refusal | None:
    """Why a request may not start a computation, or None where it may.

    Browsers tell since 2020 to 2023 what a request is for and who asked for it; where they do not tell (an address
    without TLS that is not this machine's) the request passes. See `robot` for those who are no browsers.
    """
    purpose = headers.get("Sec-Fetch-Dest", "document")
    foreign = headers.get("Sec-Fetch-Site", "none") in ("cross-site", "same-site")
    if purpose not in _PAGE or (purpose == "iframe" and foreign):
        return Refusal(403, "Not as a part of another page", "Open the app in a tab or window of its own.")
    if "prefetch" in headers.get("Sec-Purpose", headers.get("Purpose", "")):
        return Refusal(503, "Not ahead of time", "The app starts when a person opens it.", retry=1)
    if len(query) > LONGEST_LINK:
        sentence = say(
            "It has {characters:,} characters, and the app reads links of up to {most:,}.",
            characters=len(query),
            most=LONGEST_LINK,
        )
        return Refusal(414, "This link is too long", sentence)
    return None


def is_robot(agent: str) -> bool:
    """Whether the name that a visitor gives itself is that of a program that reads pages, or none at all.

    >>> is_robot("Mozilla/5.0 (compatible; bingbot/2.0)"), is_robot("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
    (True, False)
    """
    return not agent.strip() or _ROBOT.search(agent) is not None


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches a server that listens on `address`."""
    return address in LOOPBACK or address.startswith("127.")


def host_pattern(address: str, names: Iterable[str] = ()) -> str:
    """A regular expression of the names under which a server on `address` may be called; `names` are more of them.

    On loopback a foreign name means that another page made the browser believe that this server is its own (DNS
    rebinding). On other addresses the server cannot know its names: without `names` every name passes.
    """
    names = tuple(names)
    if not names and not is_loopback(address):
        return ".*$"
    known = (*LOOPBACK, "[::1]", address, *names)
    return f"(?i:{'|'.join(sorted(map(re.escape, known)))})$"
