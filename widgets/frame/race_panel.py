"""`RacePanel`: a panel that trains while you watch: its buttons start, pause and stop."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, final

import ipywidgets

from widgets.drawing.figure import Fig
from widgets.drawing.raster import Raster
from widgets.frame.panel import Panel
from widgets.frame.race import Race
from widgets.frame.recorded import recorded, show_recorded
from workbench.language import say
from workbench.serving import Price, read_allowance


class RacePanel(Panel):
    """A panel whose `race` is its training runs, None before the first; `controls` has start, pause and stop."""

    def __init__(
        self,
        controls: Mapping[str, ipywidgets.DOMWidget],
        pictures: Sequence[Fig | Raster],
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self.race: Race[Any] | None = None
        buttons: Mapping[str, Any] = controls
        buttons["start"].on_click(lambda _: self._start_if_allowed())
        buttons["pause"].on_click(lambda _: self.pause())
        buttons["stop"].on_click(lambda _: self.stop())
        self._recorded = recorded(self.name) if self.as_recorded else None
        super().__init__(controls, pictures, state)
        if self._recorded is not None and self.race is None:
            show_recorded(self.named_figures, self._recorded)
            self.redraw()

    @abstractmethod
    def start(self) -> None:
        """Train anew with the present settings; a run that is still going is stopped."""

    @abstractmethod
    def price(self) -> Price:
        """What a run with the present settings will take, by formula."""

    @final
    def _start_if_allowed(self) -> None:
        refusal = read_allowance().refusal(self.price(), say)
        if refusal is None:
            self._keep_for_comparison()
            self.start()
        else:
            self._say(refusal, wrong=True)

    @property
    def as_recorded(self) -> bool:
        """Whether a recorded run of this panel's name is one of what this panel trains."""
        return True

    @property
    def named_figures(self) -> dict[str, Fig]:
        """The figures by what they are of."""
        return {figure.subject: figure for figure in self._figures()}

    def forget_recorded(self) -> None:
        """Take the recorded run away; without one nothing."""
        if self._recorded is not None:
            self._recorded = None
            for figure in self._figures():
                figure.unpin()

    @property
    def pinned(self) -> bool:
        return self._recorded is None and super().pinned

    def _keep_for_comparison(self) -> None:
        """Leave the curves of the run before, pale, beside those of the next."""
        if self.race is not None:
            for figure in self._figures():
                figure.pin()

    def remark(self) -> str:
        if self._recorded is None:
            return ""
        return say(" Pale: recorded; {start} runs it here.", start=self.controls["start"].description)

    def pause(self) -> None:
        """Hold after the present batch, or go on."""
        if self.race is not None:
            self.race.toggle_pause()
            self.redraw()

    def stop(self) -> None:
        """End the run; what it has shown stays."""
        if self.race is not None:
            self.race.stop()
            self.redraw()

    def show_run(self, going: bool, paused: bool, settings: Iterable[str]) -> None:
        """Enable what can be used: `settings` stand still while a run is going; pause says what it does next."""
        if self.race is not None:  # it may have ended before anything of it was drawn
            self.forget_recorded()
            self.view.add_class("workbench-ran")
        (self.view.add_class if going else self.view.remove_class)("workbench-running")
        for name in (*settings, "start"):
            self.controls[name].disabled = going
        for name in ("pause", "stop"):
            self.controls[name].disabled = not going
        self.controls["pause"].description = say("Resume") if paused else say("Pause")
        self.controls["pause"].icon = "play" if paused else "pause"
