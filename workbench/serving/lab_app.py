"""The app beside the notebooks: an extension of JupyterLab's server that shows it at `workbench/app`.

Under a hub it is at `/user/NAME/workbench/app`, behind the hub's login. One person has the server to themselves:
there is no door as in `workbench app`.
"""

from typing import Any

import tornado.web
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.contents.filemanager import AsyncFileContentsManager
from jupyter_server.utils import url_path_join
from traitlets.config import Config
from voila.configuration import VoilaConfiguration
from voila.paths import collect_template_paths
from voila.server_extension import load_config_file
from voila.tornado.handler import TornadoVoilaHandler

from workbench.serving.bundles import STATIC, plotly_folder
from workbench.serving.commands import kernel_environment
from workbench.serving.kernels import DIED, UNKNOWN
from workbench.shipped import notebooks_folder

PLACE = "workbench/app"


class ServedKernels:
    """A kernel manager whose next kernels know that a page of ours is before them; all else is the manager's."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    def __getattr__(self, name: str) -> Any:
        return getattr(self._manager, name)

    async def start_kernel(self, env: dict[str, str], **settings: Any) -> str:
        return await self._manager.start_kernel(env=kernel_environment(env), **settings)


class LabAppPage(TornadoVoilaHandler):
    """The app's notebook as a page, from the package and not from the folder of the user."""

    @property
    def kernel_manager(self) -> Any:
        return ServedKernels(super().kernel_manager)

    @property
    def contents_manager(self) -> Any:
        return AsyncFileContentsManager(root_dir=str(notebooks_folder()))

    @tornado.web.authenticated
    async def get(self, path: str | None = None) -> None:
        _ = self.xsrf_token  # sets its cookie, without which Voila 0.5 refuses to end the kernel of a closed page
        async for part in self.get_generator(path=path):
            self.write(part)
            self.flush()


class LabAlive(JupyterHandler):
    """Whether the computation behind a page lives, as JSON."""

    @tornado.web.authenticated
    async def get(self, kernel_id: str) -> None:
        manager: Any = self.kernel_manager
        reason = UNKNOWN if kernel_id not in manager else None
        if reason is None and not await manager.get_kernel(kernel_id).is_alive():
            reason = DIED
        self.set_header("Cache-Control", "no-store")
        self.finish({"alive": False, "reason": reason} if reason else {"alive": True})


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    configuration = VoilaConfiguration(parent=server)
    configuration.update_config(load_config_file() or Config())
    page = {
        "config": server.config,
        "template_paths": collect_template_paths(["voila", "nbconvert"], str(configuration.template)),
        "voila_configuration": configuration,
        "notebook_path": "app.ipynb",
    }
    handlers = [
        (PLACE, LabAppPage, page),
        (r"voila/plotly/(widgetbundle\.js)", tornado.web.StaticFileHandler, {"path": str(plotly_folder())}),
        (r"workbench/static/(.*)", tornado.web.StaticFileHandler, {"path": str(STATIC)}),
        (r"workbench/alive/([0-9a-f-]{36})", LabAlive, {}),
    ]
    base = server.web_app.settings["base_url"]
    server.web_app.add_handlers(".*$", [(url_path_join(base, pattern), *rest) for pattern, *rest in handlers])
