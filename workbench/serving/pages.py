"""What the server of the app answers besides Voila's own: the app behind the door, and small pages in plain words."""

import json
from typing import Any
from urllib.parse import unquote

import tornado.web
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from tornado.web import RequestHandler
from voila.static_file_handler import TemplateStaticFileHandler
from voila.tornado.handler import TornadoVoilaHandler

from workbench.language import say
from workbench.serving.door import Refusal, is_robot, refusal
from workbench.serving.headers import NONCE, marked, new_nonce
from workbench.serving.kernels import Page
from workbench.serving.metrics import exposition

THEMES = ("light", "dark")
LEFT = "workbench-left-"  # a cookie that a page sets when it is left, with its kernel and its link
_COMPARED = 1000  # characters of a link that it holds
NOT_FOUND = Refusal(404, "There is no such page here", "The address may have been typed or copied wrongly.")
FOREIGN_NAME = Refusal(
    403,
    "This request was meant for another server",
    "It calls the server by a name that it does not know; --host NAME makes a name known.",
)


def ended() -> str:
    """A script for the middle of the page that waits: its spinner gives way to a sentence."""
    page = (
        "<main role='alert' style='font: 16px/1.5 sans-serif; margin: 15vh auto; max-width: 40em'>"
        f"<h1>{say('The computation behind this page has ended')}</h1>"
        f"<p>{say('It ended before the page was whole, perhaps for want of memory.')} "
        f"<a href=''>{say('Open the page again')}</a></p></main>"
    )
    inside = json.dumps(page).replace("</", r"<\/")  # nothing in it ends the script
    return f"<script>document.body.innerHTML = {inside}</script>"


def refuse(handler: RequestHandler, reason: Refusal) -> None:
    """Answer with a page that says why there is no app."""
    handler.set_status(reason.status)
    if reason.retry is not None:
        handler.set_header("Retry-After", reason.retry)
    template = handler.settings["voila_jinja2_env"].get_template("refused.html")
    handler.finish(template.render(reason=reason, base_url=handler.settings["base_url"]))


def show_rules(handler: RequestHandler) -> None:
    """Answer with the page that says what this server allows."""
    template = handler.settings["voila_jinja2_env"].get_template("rules.html")
    handler.finish(template.render(rules=handler.settings["rules"], base_url=handler.settings["base_url"]))


class RulesPage(RequestHandler):
    """What this server allows, for people."""

    def get(self) -> None:
        show_rules(self)


class Health(RequestHandler):
    """For whoever watches the server: it answers."""

    def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.finish({"status": "ok"})


class Metrics(RequestHandler):
    """Places and visitors in the text format of Prometheus."""

    def get(self) -> None:
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.finish(exposition(self.settings["kernel_manager"]))


class Robots(RequestHandler):
    """For programs that read pages: please do not."""

    def get(self) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("User-agent: *\nDisallow: /\n")


class Refusing(RequestHandler):
    """Refuses whatever is asked; `reason` is why."""

    def initialize(self, reason: Refusal) -> None:
        self._reason = reason

    def prepare(self) -> None:
        refuse(self, self._reason)


class AppPage(TornadoVoilaHandler):
    """The notebook at the root, for people, as long as there are places; any other address has a page that says so."""

    def set_cookie(self, name: str, value: str | bytes, *arguments: Any, **settings: Any) -> None:
        more = {"samesite": "Lax", "secure": self.request.protocol == "https", "path": self.base_url}
        super().set_cookie(name, value, *arguments, **{**settings, **more})

    @tornado.web.authenticated
    async def get(self, path: str | None = None) -> None:
        if path or self.get_argument("theme", THEMES[0]) not in THEMES:
            return refuse(self, NOT_FOUND)
        if reason := refusal(self.request.headers, self.request.query):
            return refuse(self, reason)
        manager: Any = self.kernel_manager
        if self.settings["rules"].public and is_robot(self.request.headers.get("User-Agent", "")):
            return show_rules(self)
        if again := manager.page_again(self._left(), self._visitor):
            return self._show_again(*again)
        with manager.arrival() as arrival:
            if not arrival.free:
                return refuse(self, full(manager.places, manager.wait))
            nonce, parts = self._begin(), []
            async for part in self.get_generator(path=path):
                parts.append(part)
                self.write(marked(part, nonce))
                self.flush()
                # Voila 0.5 goes on for ever with signs of life when a kernel dies before its page is whole.
                if "voila_heartbeat()" in part and arrival.kernel and await manager.ending(arrival.kernel):
                    self.write(marked(ended(), nonce))
                    break
            else:
                manager.keep(arrival.kernel, Page(self._visitor, "".join(parts)))

    def _begin(self) -> str:
        """Set the headers of a page; the nonce of its scripts."""
        # Reading the token sets its cookie, without which no page may say that it is closed.
        _ = self.xsrf_token
        nonce = new_nonce()
        self.set_header(NONCE, nonce)
        return nonce

    @property
    def _visitor(self) -> str:
        """A name that Jupyter has drawn for this browser; it stands signed in a cookie that no script can read."""
        user: Any = self.current_user
        return user.username

    def _left(self) -> list[str]:
        """The kernels whose pages this browser has just left while they had the address that it asks for."""
        link = f"?{self.request.query}"[:_COMPARED] if self.request.query else ""
        left = {name.removeprefix(LEFT): value for name, value in self.cookies.items() if name.startswith(LEFT)}
        return [kernel for kernel, value in left.items() if unquote(value.value) == link]

    def _show_again(self, kernel: str, page: Page) -> None:
        """The page as it was sent first; what has happened since then its widgets ask the kernel."""
        self.clear_cookie(f"{LEFT}{kernel}")
        self.set_header("Content-Type", "text/html")
        self.set_header("Cache-Control", "no-store")
        self.finish(marked(page.html, self._begin()))


def full(places: int, wait: int) -> Refusal:
    """All places are taken."""
    minutes = say("a minute") if wait <= 60 else say("{number} minutes", number=-(-wait // 60))
    sentence = say(
        "This server has {places} places, and somebody sits on each. One should be free in about {time}.",
        places=places,
        time=minutes,
    )
    return Refusal(503, "All places are taken", sentence, retry=wait)


class Alive(JupyterHandler):
    """Whether the computation behind a page lives, as JSON; asking does not count as use."""

    async def get(self, kernel_id: str) -> None:
        manager: Any = self.kernel_manager
        reason = await manager.ending(kernel_id)
        self.set_header("Cache-Control", "no-store")
        self.finish({"alive": False, "reason": reason} if reason else {"alive": True})


class ClosePage(APIHandler):
    """The beacon of a page that is closed or reloaded, where Voila would end its kernel at once."""

    @tornado.web.authenticated
    async def post(self, kernel_id: str) -> None:
        manager: Any = self.kernel_manager
        if kernel_id not in manager:
            raise tornado.web.HTTPError(404)
        manager.close_page(kernel_id)
        self.set_status(204)
        self.finish()


class TemplateFile(TemplateStaticFileHandler):
    """Files of the page's template; an address without a file in it is not found, where Voila 0.5 breaks."""

    def parse_url_path(self, path: str) -> str:
        parts = path.split("/", 2)
        return super().parse_url_path(path if len(parts) == 3 and parts[1] == "static" else "none/static/none")
