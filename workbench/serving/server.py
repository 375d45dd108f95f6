"""The server of the app: Voila for one notebook, and a clean page for every other address."""

from typing import Any

from voila.app import Voila
from voila.static_file_handler import AllowListFileHandler
from voila.tornado.handler import TornadoVoilaHandler

THEMES = ("light", "dark")


class AppPage(TornadoVoilaHandler):
    """The notebook at the root; any other address, and a theme that does not exist, gets the template `404.html`."""

    async def get(self, path: str | None = None) -> None:
        if path or self.get_argument("theme", THEMES[0]) not in THEMES:
            self.set_status(404)
            await self.finish(self.render_template("404.html", status_code=404, status_message="Not Found"))
        else:
            # Reading the token sets its cookie, without which Voila 0.5 refuses to end the kernel of a closed page.
            _ = self.xsrf_token
            page: Any = super().get(path)
            await page


class AppServer(Voila):
    """Serves the app's notebook, what its page needs, and nothing else: no other notebook and no file beside it."""

    def init_handlers(self) -> Any:
        if not self.notebook_path:
            raise ValueError("the app server serves one notebook: give its path as the argument")
        handlers: Any = super().init_handlers()
        return [
            (pattern, AppPage if handler is TornadoVoilaHandler else handler, *settings)
            for pattern, handler, *settings in handlers
            if handler is not AllowListFileHandler
        ]
