"""The pictures of `Playground`: film, spikes, answer and weights of one network, and the curves of all that race."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from widgets.drawing.figure import Fig
from widgets.drawing.raster import Raster, image_grid, signs
from widgets.drawing.rows import bars, curve
from widgets.drawing.rule_look import rule_line
from widgets.drawing.theme import DASHES, GREEN, GREY
from workbench.language import say
from workbench.watch.playground import INPUTS, SIDE, STEPS, WIDTH, Film

LANES = 4  # mixes that can run side by side
NAMES = ("T-shirt", "trousers", "pullover", "dress")  # of the kinds of clothes, in short
CAMERA, ACROSS, TILES = 34, 5, 4  # pixels of a frame, frames in a row, weights of neurons in a row
DOWN = STEPS // ACROSS
OF_LANE = 4  # traces of a mix: accuracy on task 1 and on task 2, loss, bytes


def film_raster() -> Raster:
    """All frames of the recording, from left to right and from above to below."""
    rows, columns = DOWN * (CAMERA + 1) - 1, ACROSS * (CAMERA + 1) - 1
    return Raster(rows, columns, alt="The event film: 20 frames of a recording", x_label="event film, 20 frames")


def spikes_raster(neurons: int, words: str, alt: str) -> Raster:
    """Neurons over time."""
    return Raster(neurons, STEPS, alt=alt, x_label=words, height=150)


def inputs_raster() -> Raster:
    """What the network is given."""
    return spikes_raster(INPUTS, f"{INPUTS} inputs over time", "Events of all inputs over 20 time steps")


def layer_raster(number: int) -> Raster:
    """What a layer answers."""
    return spikes_raster(WIDTH, f"layer {number} over time", f"Spikes of layer {number} over 20 time steps")


def tiles_raster() -> Raster:
    """Weights of layer 1: a tile for each neuron, one half for each polarity."""
    rows, columns = WIDTH // TILES * (SIDE + 1) - 1, TILES * (2 * SIDE + 1) - 1
    alt = "Weights of layer 1: a tile of 9 × 18 inputs for each of 40 neurons"
    return Raster(rows, columns, alt=alt, colours=signs(), x_label="weights of layer 1")


def matrix_raster() -> Raster:
    """Weights of layer 2."""
    alt = "Weights of layer 2: a row for each of 40 neurons, a column for each neuron of layer 1"
    return Raster(WIDTH, WIDTH, alt=alt, colours=signs(), x_label="weights of layer 2")


def answer_figure() -> Fig:
    """Bars of the classes: those that are wrong, and the right one."""
    hover = "%{x}: probability %{y:.2f}"
    traces = [
        bars("other kinds", GREY, hover, textposition="outside", cliponaxis=False, width=0.7, showlegend=False),
        bars("the right kind", GREEN, hover, textposition="outside", cliponaxis=False, width=0.7, showlegend=False),
    ]
    layout = {
        "xaxis": {"title": {"text": "answer"}, "tickangle": -35, "tickfont": {"size": 11}},
        "yaxis": {"title": {"text": "probability"}, "range": [0, 1.12], "tickvals": [0, 0.5, 1]},
        "height": 200,
        "margin": {"t": 8},
        "barmode": "overlay",
        "hovermode": "closest",
    }
    return Fig(traces, layout, alt="How probable the network holds each kind of clothes for this recording")


def curves_figure() -> Fig:
    """Accuracy, loss and bytes side by side, of each mix."""
    traces = [trace for lane in range(LANES) for trace in _curves_of_lane(lane)]
    thirds = [[0.0, 0.24], [0.38, 0.62], [0.76, 1.0]]
    titles = ("accuracy (%)", "loss", "bytes kept")
    layout: dict[str, Any] = {"height": 220, "margin": {"t": 28, "r": 8}}
    for k, (domain, title) in enumerate(zip(thirds, titles, strict=True)):
        number = str(k + 1) if k else ""
        layout[f"xaxis{number}"] = {"domain": domain, "anchor": f"y{number}", "title": {"text": "batches"}}
        layout[f"yaxis{number}"] = {"anchor": f"x{number}", "title": {"text": title}, "rangemode": "tozero"}
    layout["yaxis"]["range"] = [0, 101]
    layout["yaxis3"]["exponentformat"] = "SI"
    return Fig(traces, layout, alt="Accuracy, loss and kept bytes of each mix while it trains")


def _curves_of_lane(lane: int) -> list[dict]:
    style = lane_line(None, lane)
    return [
        curve("", style, "%{y:.0f} % right on held-out recordings"),
        curve("", {**style, "width": 1.5}, "task 2: %{y:.0f} % right", showlegend=False, opacity=0.6),
        curve("", style, "loss %{y:.2f}", 1, showlegend=False),
        curve("", style, "%{y:.3s}B kept", 2, showlegend=False),
    ]


def lane_line(rule: str | None, lane: int) -> dict:
    """The colour of the rule, and a dash of its own for each lane."""
    return {**rule_line(rule or ""), "dash": DASHES[lane], "width": 2.5}


def filmstrip(film: Film) -> np.ndarray:
    """ON 1, OFF 2, nothing 0: all frames in a grid."""
    off, on = film.frames[:, 0].numpy(), film.frames[:, 1].numpy()
    return image_grid(np.where(on, 1, np.where(off, 2, 0)).astype(np.uint8), ACROSS)


def input_spikes(film: Film) -> np.ndarray:
    """Inputs that got an event, OFF above ON: `(inputs, time)`."""
    active = (film.x[:, 0] > 0).numpy().T
    code = np.repeat([2, 1], INPUTS // 2)[:, None]
    return (active * code).astype(np.uint8)


def spikes_over_time(spikes: Tensor) -> np.ndarray:
    """`(neurons, time)`."""
    return spikes.numpy().T.astype(np.uint8)


def shades(weights: Tensor, scale: float) -> np.ndarray:
    """Weights from −scale to scale as bytes around 128."""
    return np.clip(np.rint(128 + 127 * weights.numpy() / scale), 1, 255).astype(np.uint8)


def weight_tiles(weights: Tensor, scale: float) -> np.ndarray:
    """A tile for each neuron: OFF on the left, ON on the right."""
    tiles = shades(weights, scale).reshape(len(weights), 2, SIDE, SIDE)
    grid = image_grid(np.concatenate([tiles[:, 0], tiles[:, 1]], axis=2), TILES)
    return np.where(grid == 0, 128, grid).astype(np.uint8)  # the gaps


def short_names(kinds: Sequence[int]) -> list[str]:
    """The kinds that can be answered."""
    return [say(NAMES[kind]) for kind in kinds]
