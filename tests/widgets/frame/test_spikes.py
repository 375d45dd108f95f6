"""A row of spikes: its controls by name, and which of them are in view."""

import pytest

from widgets.frame.spikes import spike_row, spike_sliders


@pytest.fixture
def controls():
    return spike_sliders("pre", (5, 9, 11), 2, 99, "when it fires")


def test_the_names_of_row_and_controls_agree(controls):
    row = spike_row("pre", 3)
    assert list(controls) == [row.number, *row.times]
    assert row.placed({name: control.value for name, control in controls.items()}) == [5, 9]
    assert [next(iter(handle.pulls)) for handle in row.handles(4)] == list(row.times)
    assert {(handle.trace, handle.train) for handle in row.handles(4)} == {(4, "pre_spikes")}


def test_only_times_of_spikes_that_are_there_are_in_view(controls):
    def shown():
        return [name for name, control in controls.items() if control.layout.display != "none"]

    row = spike_row("pre", 3)
    row.show(controls)
    assert shown() == ["pre_spikes", "pre_1", "pre_2"]
    row.show(controls, shown=False)
    assert shown() == []
    controls["pre_spikes"].value = 3
    row.show(controls)
    assert shown() == list(controls)
