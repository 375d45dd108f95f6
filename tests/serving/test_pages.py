"""Small pages in plain words: which files are there, how long to wait, and what each page says."""

from types import SimpleNamespace

import pytest
from tornado.httputil import HTTPHeaders
from tornado.web import RequestHandler
from voila.static_file_handler import TemplateStaticFileHandler

from workbench.serving.door import Refusal
from workbench.serving.pages import Health, Robots, TemplateFile, full, refuse, show_rules


@pytest.mark.parametrize(
    ("wait", "words"), [(15, "about a minute"), (60, "about a minute"), (61, "about 2 minutes"), (600, "10 minutes")]
)
def test_a_full_server_says_when_to_come_back(wait, words):
    reason = full(30, wait)
    assert (reason.status, reason.retry) == (503, wait)
    assert "30 places" in reason.sentence
    assert words in reason.sentence


@pytest.mark.parametrize(
    ("path", "looked_for"),
    [
        ("lab/static/a/b.js", "lab/static/a/b.js"),
        ("lab/static", "none/static/none"),
        ("lab/other/b.js", "none/static/none"),
        ("lab", "none/static/none"),
        ("", "none/static/none"),
    ],
)
def test_an_address_without_a_file_is_looked_for_where_there_is_none(monkeypatch, path, looked_for):
    monkeypatch.setattr(TemplateStaticFileHandler, "parse_url_path", lambda self, path: path)
    assert TemplateFile.__new__(TemplateFile).parse_url_path(path) == looked_for


class Answer(RequestHandler):
    """A handler that keeps what it is told to answer."""

    def __init__(self):
        self.status, self.headers, self.body = 200, HTTPHeaders(), None
        template = SimpleNamespace(render=lambda **words: words)
        templates = SimpleNamespace(get_template=lambda name: template)
        settings = {"voila_jinja2_env": templates, "base_url": "/lab/", "rules": "the rules"}
        self.application = SimpleNamespace(settings=settings)

    def set_status(self, status):
        self.status = status

    def set_header(self, name, value):
        self.headers[name] = str(value)

    def finish(self, body):
        self.body = body


def test_a_refusal_has_its_status_its_words_and_when_to_come_back():
    answer, reason = Answer(), Refusal(503, "full", "all places are taken", retry=30)
    refuse(answer, reason)
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "30"
    assert answer.body == {"reason": reason, "base_url": "/lab/"}
    refuse(other := Answer(), Refusal(404, "no", "nothing"))
    assert "Retry-After" not in other.headers


def test_the_rules_are_shown_with_their_numbers():
    show_rules(answer := Answer())
    assert answer.body == {"rules": "the rules", "base_url": "/lab/"}


def test_health_is_not_kept_and_robots_are_asked_to_stay_away():
    Health.get(health := Answer())
    assert health.body == {"status": "ok"}
    assert health.headers["Cache-Control"] == "no-store"
    Robots.get(robots := Answer())
    assert robots.body == "User-agent: *\nDisallow: /\n"
