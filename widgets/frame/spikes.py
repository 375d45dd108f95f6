"""A row of spikes that a person places: one control for each time, and one that says how many there are."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from widgets.drawing.handles import Handle, train
from widgets.frame.controls import whole_slider


class SpikeRow(NamedTuple):
    """The names of the controls of one row: the number of its spikes, and the time of each that there may be."""

    number: str
    times: tuple[str, ...]

    def placed(self, values: Mapping[str, Any]) -> list[int]:
        """The times of the spikes, in steps, in the order of their controls."""
        return [values[name] for name in self.times[: values[self.number]]]

    def handles(self, trace: int) -> list[Handle]:
        """Drag, click and double click for the trace whose points are the spikes."""
        return train(trace, self.times, self.number)

    def show(self, controls: Mapping[str, Any], shown: bool = True) -> None:
        """Hide the times of spikes that are not there, and all of them where the row does not count."""
        used = self.times[: controls[self.number].value] if shown else ()
        for name in self.times:
            controls[name].layout.display = "" if name in used else "none"
        controls[self.number].layout.display = "" if shown else "none"


def spike_row(side: str, most: int) -> SpikeRow:
    """The row whose controls are called after a side.

    >>> spike_row("pre", 2)
    SpikeRow(number='pre_spikes', times=('pre_1', 'pre_2'))
    """
    return SpikeRow(f"{side}_spikes", tuple(f"{side}_{k}" for k in range(1, most + 1)))


def spike_sliders(side: str, starts: Sequence[int], used: int, last: int, tooltip: str) -> dict[str, Any]:
    """The controls of `spike_row(side, len(starts))`: times from 0 to `last`, of which the first `used` are there."""
    row = spike_row(side, len(starts))
    sliders = {row.number: whole_slider(f"{side} spikes", used, 1, len(starts), f"how many {side} spikes there are")}
    for k, (name, start) in enumerate(zip(row.times, starts, strict=True), 1):
        sliders[name] = whole_slider(f"{side} spike {k} (step)", start, 0, last, tooltip)
    return sliders
