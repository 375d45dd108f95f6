"""The pages of the server speak the language of who asks, and no word of them stays English."""

import asyncio
import json
import re
from importlib import import_module

import jinja2
import pytest
from marked import Marks, is_english
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from workbench.language import VARIABLE, catalogue, in_each_language, language, say, speak_here
from workbench.serving import door, kernels, pages
from workbench.serving.bundles import STATIC
from workbench.serving.door import Refusal, refusal
from workbench.serving.rules import PRIVATE, PUBLIC
from workbench.serving.spoken import Spoken, asked_language, in_language, let_speak, with_words

pytestmark = pytest.mark.usefixtures("english", "alone")
catalogues = import_module("workbench.language.catalogue")
TEMPLATES = STATIC.parent / "share" / "voila" / "templates" / "workbench"
ALIVE = (STATIC / "alive.js").read_text("utf-8")
SCRIPT = re.compile(r"<style>.*?</style>", re.DOTALL)
REFUSALS = {
    "no such page": lambda: pages.NOT_FOUND,
    "foreign name": lambda: pages.FOREIGN_NAME,
    "full": lambda: pages.full(30, 15),
    "full for long": lambda: pages.full(30, 600),
    "part of a page": lambda: refusal({"Sec-Fetch-Dest": "image"}, ""),
    "ahead of time": lambda: refusal({"Sec-Purpose": "prefetch"}, ""),
    "long link": lambda: refusal({}, "x" * (door.LONGEST_LINK + 1)),
}


@pytest.fixture
def alone():
    """What is spoken here is so in this test alone."""
    yield
    speak_here(None)


@pytest.fixture
def marks(monkeypatch):
    marks = Marks()
    monkeypatch.setattr(catalogues, "catalogue", lambda code: marks)
    return marks


def request(query="", accept=None):
    headers = HTTPHeaders({"Host": "here"} if accept is None else {"Host": "here", "Accept-Language": accept})
    return HTTPServerRequest(start_line=RequestStartLine("GET", f"/nothing?{query}", "HTTP/1.1"), headers=headers)


def page(name, **words):
    """A page as its template writes it, without its styles."""
    templates = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined)
    let_speak(templates.globals)
    return SCRIPT.sub("", templates.get_template(f"{name}.html").render(base_url="/lab/", **words))


@pytest.mark.parametrize(
    ("query", "accept", "environment", "spoken"),
    [
        ("", None, "", "en"),
        ("tab=lif&lang=es", "en", "", "es"),
        ("lang=en", "es", "es", "en"),
        ("", "es-MX, en;q=0.5", "", "es"),
        ("", "fr, en;q=0.5, es;q=0.4", "", "en"),
        ("", "en", "es_ES.UTF-8", "es"),
        ("lang=tlh", "es", "", "en"),
    ],
)
def test_the_link_chooses_then_the_environment_then_the_browser(monkeypatch, query, accept, environment, spoken):
    monkeypatch.setenv(VARIABLE, environment)
    Spoken(request(query, accept))
    assert language() == spoken


def test_two_answers_at_once_have_a_language_each():
    told = {}

    async def answer(code, both):
        speak_here(asked_language(request(f"lang={code}")))
        await both.wait()
        told[code] = say("Reload")

    async def together():
        both = asyncio.Barrier(2)
        await asyncio.gather(answer("en", both), answer("es", both))

    asyncio.run(together())
    assert told == {"en": "Reload", "es": "Recargar"}


def test_links_of_a_page_keep_its_language(monkeypatch):
    assert in_language("/lab/") == "/lab/"
    speak_here("es")
    assert in_language("/lab/") == "/lab/?lang=es"
    monkeypatch.setenv(VARIABLE, "es")
    assert in_language("/lab/") == "/lab/"
    speak_here("en")
    assert in_language("/lab/") == "/lab/?lang=en"


@pytest.mark.parametrize("name", ["404", "error"])
def test_pages_of_mistakes_are_in_the_catalogue(marks, name):
    text = page(name, status_code=404, status_message="×")
    assert not is_english(text), text
    assert marks.asked - catalogue("es").keys() == set()


@pytest.mark.parametrize("why", REFUSALS)
def test_refusals_are_in_the_catalogue(marks, why):
    text = page("refused", reason=REFUSALS[why]())
    assert not is_english(text.replace("Not Found", "")), text
    assert marks.asked - catalogue("es").keys() == set()


@pytest.mark.parametrize("rules", [PUBLIC, PRIVATE], ids=["public", "private"])
def test_the_rules_are_in_the_catalogue(marks, rules):
    text = page("rules", rules=rules)
    assert not is_english(re.sub(r"GiB|MB", "", text)), text
    assert marks.asked - catalogue("es").keys() == set()


def test_a_page_that_a_kernel_left_is_in_the_catalogue(marks):
    text = json.loads(re.search(r'innerHTML = (".*")</script>', pages.ended())[1].replace(r"<\/", "</"))
    assert not is_english(text), text
    assert marks.asked - catalogue("es").keys() == set()


def test_a_word_that_is_left_in_english_is_found(marks):
    assert is_english(
        page("refused", reason=Refusal(404, "", "")).replace("⟦Open the workbench⟧", "Open the workbench")
    )


def test_every_template_for_people_is_among_them():
    ours = {path.stem for path in TEMPLATES.glob("*.html")}
    assert ours == {"404", "error", "refused", "rules", "page"}


def test_all_that_the_script_of_a_page_shows_goes_through_the_catalogue():
    shown = re.findall(r"(?:banner\(|textContent = |innerHTML = )(?!text\b|\")(\w+)", ALIVE)
    assert len(shown) >= 5
    assert set(shown) == {"say"}
    texts = {*re.findall(r'\bsay\("([^"]+)"', ALIVE), *kernels.ENDINGS}
    assert len(texts) == 9
    assert texts - catalogue("es").keys() == set()
    assert not [line for line in ALIVE.splitlines() if "`" in line and re.search(r"[A-Z][a-z]+ [a-z]+ ", line)]


def test_every_ending_of_a_kernel_is_known_to_the_script():
    told = {value for name, value in vars(kernels).items() if name.isupper() and isinstance(value, str)}
    assert told == set(kernels.ENDINGS)


def test_a_page_brings_the_words_of_its_script_in_every_language(monkeypatch):
    monkeypatch.setenv(VARIABLE, "es")
    config = with_words({"kernelId": 1}, notebook_path="x")
    assert (config["kernelId"], config["workbenchLanguage"]) == (1, "es")
    assert config["workbenchWords"] == in_each_language(ALIVE, *kernels.ENDINGS)
    assert config["workbenchWords"]["es"][kernels.IDLE] == "Se terminó tras un tiempo sin uso."
    assert config["workbenchWords"]["en"] == {}
