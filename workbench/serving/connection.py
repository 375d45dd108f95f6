"""The server's end of the websocket between a page and its kernel."""

from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class NoDelayConnection(ZMQChannelsWebsocketConnection):
    """Sends small messages at once.

    jupyter_server leaves Nagle's algorithm on, and a browser acknowledges late: each redraw of a widget then waits
    40 ms. Without it a plotly figure follows a dragged slider at nearly twice the rate. `jupyter/config/voila.json` and
    `jupyter/config/jupyter_server_config.json` name this class.
    """

    def connect(self) -> Any:
        self.websocket_handler.set_nodelay(True)  # type: ignore[attr-defined]
        return super().connect()
