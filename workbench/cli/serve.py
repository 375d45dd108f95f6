"""A server in the foreground: what `workbench app` and `workbench lab` become."""

import os
import signal
import subprocess
import sys
from importlib.util import find_spec


def need(package: str) -> None:
    """ValueError where the package that serves is not installed: the extra `app` brings it."""
    if find_spec(package) is None:
        raise ValueError(
            f"this needs the package {package}, which is not installed; type pip install "
            "'local-learning-workbench[app]', in a checkout pip install -e '.[app]'"
        )


def serve(command: list[str]) -> int:
    """Become the server: a signal or a kill of this process meets the server itself, and nothing is left behind."""
    if os.name != "posix":
        return serve_as_child(command)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(command[0], command)


def serve_as_child(command: list[str]) -> int:
    """Run a server that ends with this process, where a process cannot be replaced (Windows)."""
    started: list[subprocess.Popen] = []
    asked = False

    def end(*_: object) -> None:
        nonlocal asked
        asked = True
        for process in started:
            process.terminate()

    signal.signal(signal.SIGTERM, end)  # before the server starts: none may be left over
    process = subprocess.Popen(command)
    started.append(process)
    if asked:  # in the middle of the start
        process.terminate()
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the console sends it to both; the server ends, and then the wait
