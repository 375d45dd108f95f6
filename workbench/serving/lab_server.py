"""JupyterLab that ends whenever it is told to, with a terminal or without one, while it starts too."""

import signal

from jupyter_server.serverapp import ServerApp
from jupyterlab.labapp import LabApp


class LabServer(ServerApp):
    """Jupyter's server takes care of SIGINT only where it has a terminal to ask in, and runs on for ever when it is
    told to end while its extensions are still starting; this one does not."""

    def init_signal(self) -> None:
        """SIGINT without a terminal ends the server as SIGTERM does."""
        super().init_signal()
        if signal.getsignal(signal.SIGINT) != self._handle_sigint:
            signal.signal(signal.SIGINT, self._signal_stop)

    async def _stop(self) -> None:
        try:
            await self._cleanup()
        except Exception as error:  # of whatever extension
            self.log.error("not all parts could be put away: %s", error)
            await self.cleanup_kernels()
        finally:
            self.io_loop.stop()


class Lab(LabApp):
    """JupyterLab on this server."""

    serverapp_class = LabServer

    @classmethod
    def get_extension_package(cls) -> str:
        """The package that is the extension: that of the class above, not this one."""
        return "jupyterlab"
