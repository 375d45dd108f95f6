"""Servers that the command line starts end with it."""

import os
import signal
import subprocess
import sys

import pytest

from workbench.cli import serve as serving
from workbench.cli.main import main


@pytest.mark.parametrize(("command", "package"), [("app", "voila"), ("lab", "jupyterlab")])
def test_without_the_extra_it_says_what_to_install(monkeypatch, capsys, command, package):
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    assert main([command]) == 1
    told = capsys.readouterr().err
    assert f"the package {package}, which is not installed" in told
    assert "local-learning-workbench[app]" in told


def test_a_server_ends_with_the_program_that_started_it():
    """The program starts a server that tells its number and waits; SIGTERM to the program must end the server too."""
    server = "import os, threading; print(os.getpid(), flush=True); threading.Event().wait()"
    code = f"from workbench.cli.serve import serve; import sys; serve([sys.executable, '-c', {server!r}])"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as program:
        number = int(program.stdout.readline())
        program.terminate()
        program.wait(timeout=120)
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_a_server_ends_when_the_program_is_told_to_end_while_it_starts_it(monkeypatch):
    """SIGTERM that comes between the start of the server and the next line finds it all the same."""
    told = []

    class Started:
        def __init__(self, command):
            signal.raise_signal(signal.SIGTERM)

        def terminate(self):
            told.append("terminate")

        def wait(self):
            return 0

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(serving.subprocess, "Popen", Started)
    try:
        assert serving.serve_as_child(["a server"]) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told == ["terminate"]
