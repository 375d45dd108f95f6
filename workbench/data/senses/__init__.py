"""What turns pictures and sound into spikes."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.data.senses.camera import LIKE_NMNIST, EventCamera, event_frames, events
    from workbench.data.senses.hearing import Ear, level_crossings, loudness, mel_filters, spikes_of_sound

__all__ = [
    "LIKE_NMNIST",
    "Ear",
    "EventCamera",
    "event_frames",
    "events",
    "level_crossings",
    "loudness",
    "mel_filters",
    "spikes_of_sound",
]

lazy(__name__)
