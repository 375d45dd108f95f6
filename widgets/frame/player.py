"""`Player`: a slider that walks on by itself, as a button says."""

import threading
from collections.abc import Callable
from typing import Any

from workbench.background import start_thread
from workbench.language import say


class Player:
    """Moves a whole slider on by one every `period()` seconds to its end; from the end again from its beginning.

    A click on the button begins, another one holds. `thread` is the last one that walked, None before.
    """

    def __init__(self, slider: Any, button: Any, period: Callable[[], float]) -> None:
        self.slider, self.button, self.period = slider, button, period
        self.thread: threading.Thread | None = None
        self._stop: threading.Event | None = None
        button.on_click(lambda _: self.toggle())

    @property
    def playing(self) -> bool:
        """Whether it walks by itself."""
        return self._stop is not None

    def toggle(self) -> None:
        """Walk on; while it walks: hold."""
        if self._stop is not None:
            self._stop.set()
            return
        if self.slider.value == self.slider.max:
            self.slider.value = self.slider.min
        stop = self._stop = threading.Event()
        self._show()
        self.thread = start_thread(lambda: self._walk(stop), stop.set, "play")

    def _walk(self, stop: threading.Event) -> None:
        while self.slider.value < self.slider.max and not stop.wait(self.period()):
            self.slider.value = min(self.slider.value + 1, self.slider.max)
        self._stop = None
        self._show()

    def _show(self) -> None:
        self.button.description = say("Hold") if self.playing else say("Play")
        self.button.icon = "pause" if self.playing else "play"
