"""The server of the notebooks ends, whatever stands in its way."""

import asyncio
import signal

import pytest
from jupyterlab.labapp import LabApp

from workbench.serving.lab_server import Lab, LabServer


class Loop:
    """An event loop that notes that it was stopped."""

    stopped = False

    def stop(self):
        self.stopped = True


@pytest.mark.parametrize("fails", [False, True])
def test_it_stops_also_when_an_extension_fails_to_end(monkeypatch, fails):
    server, ended = LabServer(), []

    async def cleanup():
        if fails:
            raise RuntimeError("still starting")

    async def cleanup_kernels():
        ended.append("kernels")

    monkeypatch.setattr(server, "_cleanup", cleanup)
    monkeypatch.setattr(server, "cleanup_kernels", cleanup_kernels)
    monkeypatch.setattr(server, "io_loop", Loop(), raising=False)
    asyncio.run(server._stop())
    assert server.io_loop.stopped
    assert ended == (["kernels"] if fails else [])


def test_an_interrupt_without_a_terminal_ends_it(monkeypatch):
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = {each: signal.getsignal(each) for each in signals}
    monkeypatch.setattr("sys.stdin", None)
    server = LabServer()
    try:
        server.init_signal()
        assert signal.getsignal(signal.SIGINT) == signal.getsignal(signal.SIGTERM) == server._signal_stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert Lab.serverapp_class is LabServer
    assert Lab.get_extension_package() == LabApp.get_extension_package()
