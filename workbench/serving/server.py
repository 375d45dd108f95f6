"""The server of the app: Voila for one notebook, and a clean page for every other address."""

from typing import Any

from tornado.web import HTTPError
from voila.app import Voila
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
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
            await super().get(path)


class EndKernel(VoilaShutdownKernelHandler):
    """Ends the kernel of a page that is closed.

    Voila's page asks for it without the token that Voila's server expects and is refused, so its kernels stay until they
    are culled. The random name of the kernel is known to its page only; that and the origin of the request are enough.
    """

    def check_xsrf_cookie(self) -> None:
        if not self.check_origin():
            raise HTTPError(403)


class AppServer(Voila):
    """Serves the app's notebook, what its page needs, and nothing else: no other notebook and no file beside it."""

    def init_handlers(self) -> list[Any]:
        if not self.notebook_path:
            raise ValueError("the app server serves one notebook: give its path as the argument")
        ours = {VoilaShutdownKernelHandler: EndKernel, TornadoVoilaHandler: AppPage}
        return [
            (pattern, ours.get(handler, handler), *settings)
            for pattern, handler, *settings in super().init_handlers()
            if handler is not AllowListFileHandler
        ]
