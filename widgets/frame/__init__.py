"""What every panel is made of: controls, state, text line, runs."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from widgets.frame.controls import (
        button,
        choice,
        is_setting,
        read_value,
        slider,
        switch,
        text_field,
        whole_slider,
        write_value,
    )
    from widgets.frame.lesson import Challenge, Lesson, Place
    from widgets.frame.panel import Panel
    from widgets.frame.race import PERIOD, Race
    from widgets.frame.race_panel import RacePanel
    from widgets.frame.streams import MOST_TASKS, STREAMS, StreamPanel
    from widgets.frame.try_all import ends, try_all_controls

__all__ = [
    "MOST_TASKS",
    "PERIOD",
    "STREAMS",
    "Challenge",
    "Lesson",
    "Panel",
    "Place",
    "Race",
    "RacePanel",
    "StreamPanel",
    "button",
    "choice",
    "ends",
    "is_setting",
    "read_value",
    "slider",
    "switch",
    "text_field",
    "try_all_controls",
    "whole_slider",
    "write_value",
]

lazy(__name__)
