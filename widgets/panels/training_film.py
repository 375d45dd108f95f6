"""The film of `TrainingMonitor`: what both networks make of one held-out sample, frame by frame while they learn."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from widgets.drawing.figure import Fig
from widgets.drawing.handles import Handle, Pull, X
from widgets.drawing.raster import Raster, image_grid
from widgets.drawing.rows import curve
from widgets.drawing.rule_look import rule_label, rule_line
from widgets.drawing.theme import DASHES, GREY
from widgets.frame.lesson import Place
from workbench.language import say
from workbench.watch.filming import FRAMES, Frame, Scene

CURVES, FILM = "curves", "film"
PLACE = Place(("d e f", "g g g"), (1.0, 1.2, 1.2), (1.5, 1.0))
PERIOD = 0.25  # seconds that a frame is shown while the film is played
ACROSS = 5  # frames of the input in a row
GAP = 6  # rows of a raster between two layers


class Projected(NamedTuple):
    """The sample (None: this network has no spikes to film), the frames of both sides so far, and which of them is
    shown: `at` of `FRAMES`."""

    scene: Scene | None
    frames: tuple[Sequence[Frame], Sequence[Frame]]
    at: int

    def shown(self, side: int) -> Frame:
        """The last frame of a side that was taken up to there; the first one always."""
        first, *later = self.frames[side]
        return next((frame for frame in reversed(later) if frame.done * FRAMES < self.at + 1e-6), first)


def film_pictures() -> tuple[Raster, Raster, Raster, Fig]:
    """The input, the spikes of both networks, and how probable the right class is to them over the run."""
    left, right = (
        Raster(
            1,
            1,
            alt=f"Spikes of the {side} network over time, layer below layer",
            x_label=f"{side} network",
            height=210,
        )
        for side in ("left", "right")
    )
    sample = Raster(1, 1, alt="The held-out sample that is filmed", x_label="what both are shown", height=210)
    return sample, left, right, _course_figure()


def _course_figure() -> Fig:
    told = "after %{x:.2f} epochs: the right class has probability %{y:.2f}"
    traces = [curve("", {"dash": DASHES[k], "width": 2.5}, told, mode="lines+markers") for k in (0, 1)]
    here = {"color": GREY, "width": 2, "dash": "dot"}
    traces.append(curve("this frame", here, "drag: another frame", mode="lines", showlegend=False))
    layout = {
        "height": 220,
        "xaxis": {"title": {"text": "epochs"}},
        "yaxis": {"title": {"text": "probability"}, "range": [0, 1.04], "tickvals": [0, 0.5, 1]},
        "hovermode": "closest",
    }
    return Fig(
        traces, layout, alt="How probable the right class of the filmed sample is to both networks, over training"
    )


def draw_film(
    pictures: tuple[Raster, Raster, Raster, Fig], film: Projected, rules: tuple[str, str], epochs: int
) -> None:
    """Show the chosen frame. Without spikes to film nothing changes."""
    if film.scene is None:
        return
    sample, *spikes, course = pictures
    _show(sample, input_picture(film.scene))
    for k, raster in enumerate(spikes):
        _show(raster, layers_over_time(film.shown(k)))
        frames, trace = film.frames[k], course.data[k]
        name = f"{say(('left', 'right')[k])}: {say(rule_label(rules[k]))}"
        trace.line.color = rule_line(rules[k])["color"]
        trace.update(name=name, x=[epochs * frame.done for frame in frames], y=[frame.right for frame in frames])
    place = epochs * film.at / FRAMES
    course.data[2].update(x=[place, place], y=[0.0, 1.0])
    course.handles = [Handle(2, 1, {"frame": Pull(X, lambda x: x / epochs * FRAMES)})]
    course.layout.xaxis.range = [-0.02 * epochs, 1.02 * epochs]


def _show(raster: Raster, array: np.ndarray) -> None:
    if array.shape != tuple(raster.shape):
        raster.resize(*array.shape)
    raster.show(array)


def input_picture(scene: Scene) -> np.ndarray:
    """Events of a camera, ON 1 and OFF 2, image by image in a grid; of anything else the inputs over time."""
    active = scene.x[:, 0].numpy() > 0
    if active.ndim == 4 and active.shape[1] == 2:
        off, on = active[:, 0], active[:, 1]
        return image_grid(np.where(on, 1, np.where(off, 2, 0)).astype(np.uint8), ACROSS)
    return active.reshape(len(active), -1).T.astype(np.uint8)


def layers_over_time(frame: Frame) -> np.ndarray:
    """The spikes of all layers, `(neurons, time)`, one below the other with a gap between them."""
    parts = [spikes.numpy().T.astype(np.uint8) for spikes in frame.spikes]
    gap = np.zeros((GAP, parts[0].shape[1]), np.uint8)
    return np.concatenate([part for rows in parts for part in (gap, rows)][1:])


def told_film(film: Projected, rules: tuple[str, str], epochs: int) -> str:
    """The frame in words."""
    if film.scene is None:
        return say("This network has no spikes to film.")
    done = epochs * film.shown(0).done
    told = say("After {epochs:.2f} epochs: ", epochs=done) if done else say("Before learning: ")
    return told + "; ".join(_side(film.shown(k), say(rule_label(rule))) for k, rule in enumerate(rules)) + "."


def _side(frame: Frame, name: str) -> str:
    count = sum(int(spikes.sum()) for spikes in frame.spikes)
    told = say("{name} sends {count} spikes", name=name, count=count)
    if np.isnan(frame.right):
        return told
    return told + say(" and gives the right class {share:.0f} %", share=100 * frame.right)
