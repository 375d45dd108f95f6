"""The server of the app: Voila for one notebook, and a clean page for every other address."""

import errno
import os
import shutil
import signal
import tempfile
from typing import Any

import tornado.web
from jupyter_core.utils import run_sync
from jupyter_server.auth.logout import LogoutHandler
from jupyter_server.utils import url_path_join
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from traitlets import Bool, Integer, List, Unicode
from voila.app import Voila
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.static_file_handler import AllowListFileHandler, TemplateStaticFileHandler
from voila.tornado.handler import TornadoVoilaHandler

from workbench.serving import kernel_environment
from workbench.serving.allowance import write_allowance
from workbench.serving.bundles import STATIC, plotly_folder
from workbench.serving.door import host_pattern
from workbench.serving.files import make_room
from workbench.serving.forking.forkserver import Forkserver
from workbench.serving.forking.provisioner import can_fork, use_for_kernels
from workbench.serving.headers import Headers
from workbench.serving.kernels import AppKernelManager
from workbench.serving.pages import (
    FOREIGN_NAME,
    NOT_FOUND,
    Alive,
    AppPage,
    ClosePage,
    Health,
    Metrics,
    Refusing,
    Robots,
    RulesPage,
    TemplateFile,
)
from workbench.serving.rules import PRIVATE, PUBLIC, Rules
from workbench.serving.spoken import Spoken, let_speak, with_words

PATIENCE = 30  # seconds that a client may take to send a request, and that an idle connection stays open
LARGEST = 1 << 20  # bytes of a request's body; pages send next to nothing
# What a page may ask of its kernel. Voila allows to end it, too; our pages do that by a beacon when they are closed.
MESSAGES = ("comm_open", "comm_close", "comm_msg", "comm_info_request", "kernel_info_request")
_NO_PLACE = r".*(\.\.|%2[eE]|%00).*"  # addresses that try to leave their folder, at some of which handlers break
_PORTS = 50  # ports that are tried when the one asked for is in use
_INSTEAD = {  # of Voila's handlers that break or say too much
    TornadoVoilaHandler: AppPage,
    TemplateStaticFileHandler: TemplateFile,
    VoilaShutdownKernelHandler: ClosePage,
    LogoutHandler: Refusing,
}


class AppServer(Voila):
    """Serves the app's notebook, what its page needs, and nothing else: no other notebook and no file beside it.

    plotly.js is one of the things that the page needs: loaded while the kernel starts, and kept by the browser.
    """

    host_names = List(Unicode(), help="names besides localhost by which browsers may call the server").tag(config=True)
    public = Bool(False, help="be ready for strangers: budgets, no robots, health and metrics").tag(config=True)
    places = Integer(None, allow_none=True, min=1, help="visitors at once").tag(config=True)
    kernel_memory = Integer(None, allow_none=True, min=0, help="bytes of a kernel (Linux), 0 for any").tag(config=True)
    fork_kernels = Bool(True, help="fork kernels from a warm process where the system can").tag(config=True)
    behind_proxy = Bool(False, help="believe X-Forwarded-Proto and X-Real-Ip of a proxy in front").tag(config=True)

    @property
    def rules(self) -> Rules:
        """What this server allows: of its profile, and what was asked for beside it."""
        rules = PUBLIC if self.public else PRIVATE
        asked = {"places": self.places, "memory": self.kernel_memory}
        return rules._replace(**{name: value for name, value in asked.items() if value is not None})

    def init_settings(self) -> Any:
        self.voila_configuration.multi_kernel_manager_class = AppKernelManager
        manager, rules = self.config.AppKernelManager, self.rules
        for name, value in (
            ("places", rules.places),
            ("cull_idle_timeout", rules.idle),
            ("cull_connected", rules.even_if_open),
        ):
            manager.setdefault(name, value)
        self.voila_configuration.page_config_hook = with_words
        settings: Any = super().init_settings()
        let_speak(settings["voila_jinja2_env"].globals)
        self.kernel_manager.allowed_message_types = list(MESSAGES)
        return settings | {
            "rules": rules,
            "transforms": [Headers, Spoken],
            "log_function": self.log_request,
            "default_handler_class": Refusing,
            "default_handler_args": {"reason": FOREIGN_NAME},
        }

    def log_request(self, handler: tornado.web.RequestHandler) -> None:
        """One line for an answer, without the visitor's address and without the link; in private for failures only."""
        status, request = handler.get_status(), handler.request
        if self.public or status >= 400:
            say = self.log.info if status < 500 else self.log.error
            say("%d %s %s %.0f ms", status, request.method, request.path, 1000 * request.request_time())

    def init_handlers(self) -> Any:
        if not self.notebook_path:
            raise ValueError("the app server serves one notebook: give its path as the argument")
        handlers: Any = super().init_handlers()
        handlers = [
            (
                pattern,
                _INSTEAD.get(handler, handler),
                *([{"reason": NOT_FOUND}] if handler is LogoutHandler else settings),
            )
            for pattern, handler, *settings in handlers
            if handler is not AllowListFileHandler
        ]
        ours = [
            (r"/voila/plotly/(widgetbundle\.js)", tornado.web.StaticFileHandler, {"path": str(plotly_folder())}),
            (r"/workbench/static/(.*)", tornado.web.StaticFileHandler, {"path": str(STATIC)}),
            (r"/workbench/alive/([0-9a-f-]{36})", Alive),
            (r"/workbench/rules", RulesPage),
        ]
        if self.public:
            ours += [(r"/healthz", Health), (r"/metrics", Metrics), (r"/robots\.txt", Robots)]
        ours = [(url_path_join(str(self.server_url), pattern), *rest) for pattern, *rest in ours]
        return [(_NO_PLACE, Refusing, {"reason": NOT_FOUND}), *ours, *handlers]

    def start(self) -> None:
        """Serve until SIGINT or SIGTERM; then end all kernels and leave the port."""
        write_allowance(self.rules.allowance)
        if short := make_room(self.rules.places):
            self.log.warning(short)
        self.forkserver = Forkserver() if self.fork_kernels and can_fork() else None
        # For the kernels that this server starts, and for what they are forked from. A kernel here has one page, which
        # need not hear again what it has just said.
        os.environ |= kernel_environment(os.environ) | {"JUPYTER_WIDGETS_ECHO": "0"}
        if self.forkserver is not None:
            self.forkserver.start()
        use_for_kernels(self.rules.memory, self.forkserver)
        self.connection_dir = tempfile.mkdtemp(prefix="workbench_", dir=self.connection_dir_root)
        self.app = tornado.web.Application(**self.init_settings())
        self.app.add_handlers(host_pattern(str(self.ip), self.host_names), self.init_handlers())
        self.listen()

    def listen(self) -> None:
        self.ioloop = IOLoop.current()
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, self._handle_signal_stop)
        server = HTTPServer(
            self.app,
            xheaders=self.behind_proxy,
            idle_connection_timeout=PATIENCE,
            body_timeout=PATIENCE,
            max_body_size=LARGEST,
        )
        self._bind(server)
        self.log.info("The app is at %s", self.display_url)
        if self.open_browser:
            self.launch_browser()
        watch = self.ioloop.asyncio_loop.create_task(self.kernel_manager.watch())  # type: ignore[attr-defined]
        try:
            self.ioloop.start()
        finally:
            server.stop()
            watch.cancel()
            self.stop()

    def stop(self) -> None:
        run_sync(self.kernel_manager.shutdown_all)(now=True)
        if self.forkserver is not None:
            self.forkserver.stop()
        shutil.rmtree(self.connection_dir, ignore_errors=True)

    def _bind(self, server: HTTPServer) -> None:
        for port in self.random_ports(self.port, _PORTS + 1):
            try:
                server.listen(port, str(self.ip))
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
                self.log.info("The port %d cannot be had (%s), trying another.", port, error.strerror)
            else:
                self.port = port
                return
        raise SystemExit(f"no port near {self.port} is free; choose another with --port")
