"""A person comes from a learning platform (LTI 1.3), with the file of docs/serving, and finds the course.

The platform here says who somebody is, as Moodle and Canvas do: it signs with its own key and sends the browser on.
What this needs stands in `hubs`.
"""

import html
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from gate import PATIENCE
from hubs import PACKAGES, hub_with, need_hub

CLAIM = "https://purl.imsglobal.org/spec/lti/claim"
CLIENT = "local-learning"
FORM = """<form method="post" action="{to}"><input name="id_token" value="{token}"><input name="state" value="{state}">
</form><script>document.forms[0].submit()</script>"""


class Platform(BaseHTTPRequestHandler):
    """`/auth` and `/certs` of a platform, and `/course`: a page of it with a link to the hub."""

    key: ClassVar[Any]
    jwt: ClassVar[Any]
    own = hub = ""
    changed: ClassVar[dict] = {}  # claims that a forger has changed

    def do_GET(self) -> None:
        path, query = urlsplit(self.path)[2:4]
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        answers = {"/course": self.course, "/auth": lambda: self.auth(asked), "/certs": self.certs}
        answers.get(path, lambda: self.send_error(404))()

    def course(self) -> None:
        start = {"iss": self.own, "login_hint": "17", "client_id": CLIENT, "target_link_uri": f"{self.hub}/hub"}
        launch = f"{self.hub}/hub/lti13/oauth_login?{urlencode(start)}"
        self._page(f'<a target="_blank" href="{html.escape(launch)}">The workbench</a>')

    def auth(self, asked: dict[str, str]) -> None:
        now = int(time.time())
        claims = {
            "iss": self.own,
            "aud": asked["client_id"],
            "sub": "ada-17",
            "iat": now,
            "exp": now + 60,
            "nonce": asked["nonce"],
            f"{CLAIM}/message_type": "LtiResourceLinkRequest",
            f"{CLAIM}/version": "1.3.0",
            f"{CLAIM}/deployment_id": "1",
            f"{CLAIM}/target_link_uri": f"{self.hub}/hub",
            f"{CLAIM}/resource_link": {"id": "1"},
            f"{CLAIM}/roles": [],
            f"{CLAIM}/context": {"id": "1"},
        }
        token = self.jwt.encode(claims | self.changed, self.key, "RS256", headers={"kid": "one"})
        self._page(FORM.format(to=html.escape(asked["redirect_uri"]), token=token, state=html.escape(asked["state"])))

    def certs(self) -> None:
        public = json.loads(self.jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        self._send(json.dumps({"keys": [public | {"kid": "one", "use": "sig", "alg": "RS256"}]}), "application/json")

    def _page(self, body: str) -> None:
        self._send(f"<!doctype html><title>A platform</title>{body}", "text/html")

    def _send(self, text: str, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def signing():
    """The packages that sign, from beside the environment, and a key."""
    need_hub()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PACKAGES)
        jwt = import_module("jwt")
        rsa = import_module("cryptography.hazmat.primitives.asymmetric.rsa")
    return jwt, rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def platform(signing):
    """The class of a platform that runs at its address `own`."""
    jwt, key = signing
    serving = type("Serving", (Platform,), {"jwt": jwt, "key": key, "changed": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), serving)
    serving.own = f"http://localhost:{server.server_port}"  # another site than the hub's, for a browser
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield serving
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def hub(platform, tmp_path_factory):
    settings = f"""
c.LTI13Authenticator.issuer = {platform.own!r}
c.LTI13Authenticator.authorize_url = "{platform.own}/auth"
c.LTI13Authenticator.jwks_endpoint = "{platform.own}/certs"
c.LTI13Authenticator.client_id = [{CLIENT!r}]
"""
    with hub_with("lti_config.py", tmp_path_factory.mktemp("lti"), settings) as platform.hub:
        yield platform.hub


@pytest.fixture
def course(chromium, hub, platform):
    """A page of the platform."""
    context = chromium.new_context()
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    page.goto(f"{platform.own}/course")
    yield page
    context.close()


def follow(course):
    with course.expect_popup() as opened:
        course.get_by_role("link").click()
    return opened.value


def test_who_comes_from_the_platform_finds_the_course(hub, course):
    page = follow(course)
    page.wait_for_url(f"{hub}/user/ada-17/lab/tree/00_start_here.ipynb**")
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first.wait_for()  # over the websocket


FORGED = [{"aud": "another tool"}, {"iss": "https://elsewhere.example"}, {"nonce": "of another login"}, {"exp": 1}]


@pytest.mark.parametrize("changed", FORGED, ids=["another tool", "another platform", "said before", "too late"])
def test_what_a_platform_did_not_say_to_this_hub_lets_nobody_in(hub, platform, course, monkeypatch, changed):
    monkeypatch.setattr(platform, "changed", changed)
    page = follow(course)
    page.wait_for_url(f"{hub}/hub/lti13/oauth_callback")
    page.get_by_text(re.compile("^40[01] :")).wait_for()
    assert page.goto(f"{hub}/hub/home").url.startswith(f"{hub}/hub/login")
