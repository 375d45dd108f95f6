"""The cell of an app that trains one step and waits."""

# The app, whose runs make one step and then wait: none has ended before it is stopped, on the fastest machine.
APP = """import threading
from widgets.app import build_app
from workbench.training.runner import Runner
begin = Runner.__init__
def held(runner, make):
    def first_step():
        for record in make():
            yield record
            threading.Event().wait()
    begin(runner, first_step)
Runner.__init__ = held
build_app()"""
