"""The cell of an app that trains one step and waits."""

# The app, whose runs make one step and then wait until the computation gets SIGUSR1: none has ended before it is
# stopped or let go, on the fastest machine.
APP = """import signal, threading
from widgets.app import build_app
from workbench.training.runner import Runner
begin, let_go = Runner.__init__, threading.Event()
def held(runner, make):
    def first_step():
        yield next(iter(make()))
        let_go.wait()
    begin(runner, first_step)
Runner.__init__ = held
signal.signal(signal.SIGUSR1, lambda *_: let_go.set())
build_app()"""
