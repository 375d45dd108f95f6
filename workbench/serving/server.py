"""The server of the app: Voila for one notebook, and a clean page for every other address."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jupyter_server.utils import url_path_join
from tornado.web import StaticFileHandler
from voila.app import Voila
from voila.static_file_handler import AllowListFileHandler
from voila.tornado.handler import TornadoVoilaHandler

from workbench.serving import SERVED

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
    """Serves the app's notebook, what its page needs, and nothing else: no other notebook and no file beside it.

    plotly.js is one of the things that the page needs: loaded while the kernel starts, and kept by the browser.
    """

    def init_handlers(self) -> Any:
        if not self.notebook_path:
            raise ValueError("the app server serves one notebook: give its path as the argument")
        os.environ[SERVED] = "1"  # for the kernels that this server starts
        handlers: Any = super().init_handlers()
        handlers = [
            (pattern, AppPage if handler is TornadoVoilaHandler else handler, *settings)
            for pattern, handler, *settings in handlers
            if handler is not AllowListFileHandler
        ]
        bundle = url_path_join(str(self.server_url), r"/voila/plotly/(widgetbundle\.js)")
        return [(bundle, StaticFileHandler, {"path": plotly_folder()}), *handlers]


def plotly_folder() -> str:
    """The folder of plotly's scripts, found without importing plotly."""
    plotly = find_spec("plotly")
    if plotly is None or plotly.origin is None:
        raise RuntimeError("the package plotly is not installed; run `workbench doctor`")
    return str(Path(plotly.origin).parent / "package_data")
