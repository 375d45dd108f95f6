"""`python -m workbench.serving.forking.parent`: imports what pages need, once, and forks a kernel at each request.

Its standard input is a socket to the server (SOCK_SEQPACKET). A request is JSON: the arguments of the kernel, its
environment, its folder and its limit of memory. The answer is the process id, with a file descriptor of the process
(pidfd) beside it, by which the server can wait for it and signal it without ever meeting another process of that id.

Linux only. The parent has one thread and opens nothing that two processes may not share; the generators of numpy and
torch are seeded anew in each kernel, as in a fresh process.
"""

import gc
import json
import os
import resource
import select
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, NoReturn

LARGEST = 180_000  # bytes of a request: what one packet of a socket holds
READY = b"ready"
# Imported here, they are shared; imported in a kernel, each has a copy of its own.
MODULES = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "IPython.core.debugger",
    "IPython.core.completerlib",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "IPython.utils.wildcard",
    "argcomplete",
    "encodings.ascii",
    "encodings.idna",
    "encodings.latin_1",
    "faulthandler",
    "logging.config",
    "matplotlib_inline.backend_inline",
    "matplotlib_inline.config",
    "numpy.random",
    "pdb",
    "psutil",
    "pydoc",
    "sqlite3",
    "tornado.gen",
    "tornado.locks",
    "tornado.platform.asyncio",
    "tornado.queues",
)
# What torch imports by itself at the first `backward()` and at the first optimiser, and the compiled loops: 130 MB for
# each who trains. The first page need not wait for them.
LATER = ("torch.fx.experimental.symbolic_shapes", "torch._dynamo", "workbench.kernels.compiled")
QUIET = 500  # milliseconds without a request until one of them is imported


def warm(own: str) -> None:
    """Import what kernels need; `own` names a module whose function `warm` imports the rest."""
    torch: Any = import_module("torch")
    torch.set_num_threads(1)  # no pool of threads, which a fork would not take along
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # 12 MB a kernel for what no page may ask for
    for name in MODULES:
        bring(name)
    import_module(own).warm()


def bring(name: str) -> None:
    """Import a module, if it is there: another version of a library has others, and each kernel imports what it has.

    Whatever hinders it, the parent lives on; the kernel that needs the module will say what is wrong with it.
    """
    with suppress(Exception):
        import_module(name)


def settle_down() -> None:
    """Collect what is garbage, and let no kernel look at the rest when it collects: what it writes is shared no longer.

    Here nothing is collected in between, for the same reason.
    """
    gc.collect()
    gc.freeze()


def serve(server: socket.socket, process: int) -> None:
    """Fork a kernel at each request, until the server closes its end; `process` is a pidfd of the server."""
    wakeup, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    poll = select.poll()
    for descriptor in (server.fileno(), wakeup):
        poll.register(descriptor, select.POLLIN)
    server.send(READY)
    later = list(LATER)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll(QUIET if later else None)}
        if not ready and later:
            bring(later.pop(0))
            settle_down()
        if wakeup in ready:
            os.read(wakeup, 4096)
            bury()
        if server.fileno() in ready:
            request = server.recv(LARGEST)
            if not request:
                return
            answer(server, process, json.loads(request), (wakeup, wake))


def bury() -> None:
    """Take the ends of kernels to notice, so that none stays as a zombie."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def answer(server: socket.socket, process: int, request: dict[str, Any], pipes: tuple[int, int]) -> None:
    child = os.fork()
    if child == 0:
        live(server, process, request, pipes)
    descriptor = os.pidfd_open(child)  # before anyone waits for the child: the id is still its own
    try:
        socket.send_fds(server, [str(child).encode()], [descriptor])
    finally:
        os.close(descriptor)


def live(server: socket.socket, process: int, request: dict[str, Any], pipes: tuple[int, int]) -> NoReturn:
    """The life of a kernel, from the fork to its end."""
    status = 1
    try:
        settle(server, request, pipes)
        threading.Thread(target=end_with, args=(process,), daemon=True).start()
        run(request["arguments"])
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)


def settle(server: socket.socket, request: dict[str, Any], pipes: tuple[int, int]) -> None:
    """Become a process of one's own: group, signals, descriptors, environment, limits, chance.

    All kernels stay in one session: Linux shares the processor between sessions first (autogroup), and among the
    threads of one by their nice values.
    """
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    server.close()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for descriptor in (*pipes, nothing):
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    if request["memory"]:
        resource.setrlimit(resource.RLIMIT_DATA, (request["memory"], request["memory"]))
    import_module("numpy.random").seed()
    torch: Any = import_module("torch")
    torch.seed()
    torch.set_num_threads(threads_in(request["environment"]))
    gc.enable()


def threads_in(environment: Mapping[str, str]) -> int:
    """The first number of OMP_NUM_THREADS, as OpenMP reads it when a process begins; 1 where it is not there.

    >>> threads_in({"OMP_NUM_THREADS": "4,2"})
    4
    """
    first = environment.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return max(int(first), 1) if first.isdecimal() else 1


def end_with(process: int) -> None:
    """End this kernel at once when the server has ended, however it did."""
    poll = select.poll()
    poll.register(process, select.POLLIN)
    poll.poll()
    os._exit(1)


@contextmanager
def no_modules_to_list() -> Iterator[None]:
    """Inside, ipykernel finds no modules when it makes a list of all their files, for a debugger that is not there.

    To look at a module is to count a reference to it, and what is written to is shared no longer: 10 MB a kernel.
    """
    kernels: Any = import_module("ipykernel.ipkernel")
    kernels.sys = type("sys", (), {"modules": {}, "__getattr__": lambda self, name: getattr(sys, name)})()
    try:
        yield
    finally:
        kernels.sys = sys


def run(arguments: list[str]) -> None:
    """An IPython kernel. ipywidgets was imported when there was none, and so is told of it now."""
    application: Any = import_module("ipykernel.kernelapp").IPKernelApp.instance()
    with no_modules_to_list():
        application.initialize([*arguments, "--HistoryManager.enabled=False", "--IPKernelApp.log_level=CRITICAL"])
    import_module("ipywidgets").register_comm_target()
    application.start()


def main(own: str, server_process: str) -> None:
    """Warm up and serve; `own` as in `warm`, `server_process` the number of a pidfd of the server."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the server's
    gc.disable()
    server = socket.socket(fileno=os.dup(0))
    warm(own)
    settle_down()
    serve(server, int(server_process))


if __name__ == "__main__":
    main(*sys.argv[1:])
