"""Pictures and controls of `SynchronizationBasis`."""

from typing import Any

import numpy as np

from widgets.drawing.figure import Fig
from widgets.drawing.rows import curve, dots, in_row, stacked_rows
from widgets.drawing.theme import FAINT, GREY, line, marker, more_and_less
from widgets.frame.controls import button, choice, slider, whole_slider
from widgets.frame.lesson import Place
from workbench.language import say

WAVES = {"square": "square", "sine": "sine", "cosine": "cosine", "DCT": "dct"}
WINDOW = 64  # latents on the screen at first
COLUMNS = 128  # latents in the heat map
BLOCKS = 4
WAVES_VIEW, SAMPLE_VIEW, TRAINING_VIEW = "waves", "one sample", "training"
PLACES = {
    WAVES_VIEW: Place(("a a", "b c"), (1.0, 1.0), (1.3, 1.0)),
    SAMPLE_VIEW: Place(("d",)),
    TRAINING_VIEW: Place(("e", "f")),
}
IDLE = {  # controls that do nothing in a view
    WAVES_VIEW: ("share", "epochs", "seed", "start", "pause", "stop"),
    SAMPLE_VIEW: ("epochs", "seed", "start", "pause", "stop"),
    TRAINING_VIEW: ("classes", "latents", "label", "share"),
}
BARE = {"showgrid": False, "zeroline": False}  # lines would shine through the middle of the scale


def basis_controls() -> dict:
    """Everything that can be set."""
    return {
        "view": choice("view", {view: view for view in PLACES}, "the waves, what one sample learns, or training"),
        "waveform": choice(
            "waveform", {name: name for name in WAVES}, "the wave that each class gets; DCT is orthogonal"
        ),
        "classes": whole_slider("classes C", 10, 2, 256, "rows of the basis; try 114 with the sine"),
        "latents": whole_slider("latents n", 128, 32, 1024, "columns of the basis, numbers per sample of a block", 32),
        "phase": slider(
            "phase φ (latents)", 0.0, 0.0, 1.0, 0.05, "shift of the waves; at 0 the first latent learns nothing"
        ),
        "label": whole_slider("class y of the sample", 3, 0, 9, "which class the one sample belongs to"),
        "share": slider(
            "in step by", 0.1, 0.0, 1.0, 0.05, "how much of the sample's latents is its class's wave; the rest is noise"
        ),
        "epochs": whole_slider("epochs", 2, 1, 10, "how often the 5,000 training images are seen"),
        "seed": whole_slider("seed", 0, 0, 20, "fixes the first weights and the order of the images"),
        "start": button("Start", "train a small network on Fashion-MNIST with this waveform and phase", "play"),
        "pause": button("Pause", "hold after this batch, or go on", "pause"),
        "stop": button("Stop", "end the run and keep its pictures", "stop"),
    }


def waves_figure() -> Fig:
    """Three rows, one above the other."""
    hover = "latent %{x}: %{y:.2f}"
    shape = {"shape": "hvh"}
    traces = [curve(f"row {k}", {**line(k), **shape}, hover, k, showlegend=False) for k in range(3)]
    layout = stacked_rows(["class", "class", "class"], [1, 1, 1], "latent k")
    for axis in ("yaxis", "yaxis2", "yaxis3"):
        layout[axis].update(range=[-1.15, 1.15], tickvals=[-1, 0, 1])
    layout["margin"] = {"t": 8}
    layout["xaxis"]["range"] = [-0.5, WINDOW - 0.5]
    alt = "Three rows of the basis as waves: that of the sample's class, and the two rows that are closest"
    return Fig(traces, layout, alt=alt)


def rows_figure() -> Fig:
    """All rows as a heat map."""
    hover = "class %{y}, latent %{x}: B = %{z:.2f}"
    trace = _heat("B", hover, showscale=True, colorbar={"title": {"text": "B<sub>ck</sub><br> "}, "thickness": 12})
    layout = {
        "xaxis": {"title": {"text": "latent k"}, **BARE},
        "yaxis": {"title": {"text": "class c"}, "autorange": "reversed", **BARE},
    }
    return Fig(
        [trace],
        {**layout, "height": 280, "hovermode": "closest"},
        alt=f"The rows of the basis as a heat map, up to latent {COLUMNS}",
    )


def cosines_figure() -> Fig:
    """Cosines between rows, and the frequencies on the unit circle."""
    angle = np.linspace(0.0, 2.0 * np.pi, 121)
    right = {"xaxis": "x2", "yaxis": "y2"}
    told = "class %{customdata[0]}: frequency %{customdata[1]:.3f} rad per latent"
    traces = [
        _heat("cosines", "classes %{y} and %{x}: cosine %{z:.3f}"),
        curve("circle", {"color": FAINT, "width": 1}, "", x=np.cos(angle), y=np.sin(angle), showlegend=False) | right,
        dots("frequency of a class", {**marker(0), "size": 7}, told) | right,
        dots(
            "closest pair",
            {**marker(1), "size": 12, "symbol": "x-open"},
            "class %{customdata}, one of the closest pair",
        )
        | right,
    ]
    traces[1]["hoverinfo"] = "skip"
    layout = {
        "xaxis": {"domain": [0.0, 0.45], "title": {"text": "class"}, "constrain": "domain", **BARE},
        "yaxis": {
            **BARE,
            "title": {"text": "class"},
            "autorange": "reversed",
            "scaleanchor": "x",
            "constrain": "domain",
        },
        "xaxis2": {
            "domain": [0.6, 1.0],
            "anchor": "y2",
            "title": {"text": "cos f"},
            "range": [-1.2, 1.2],
            "tickvals": [-1, 0, 1],
            "constrain": "domain",
        },
        "yaxis2": {
            "anchor": "x2",
            "title": {"text": "sin f", "standoff": 2},
            "range": [-1.2, 1.2],
            "tickvals": [-1, 0, 1],
            "scaleanchor": "x2",
            "constrain": "domain",
        },
        "height": 360,
        "hovermode": "closest",
    }
    return Fig(
        traces, layout, alt="Cosines between all rows as a heat map, and the aliased frequencies on the unit circle"
    )


def sample_figure() -> Fig:
    """Latents and learning signal of one sample."""
    traces = [
        curve("latents z / ‖z‖", line(0), "latent %{x}: %{y:.3f}", 0),
        curve("learning signal −∂L/∂z", line(1), "latent %{x}: pushed by %{y:.3g}", 1),
        curve("the wave of its class, norm 1", {"color": GREY, "dash": "dot", "width": 1.5}, "wave %{y:.3f}", 0),
    ]
    layout = stacked_rows(["z / ‖z‖", "−∂L/∂z"], [1, 1], "latent k")
    layout["xaxis"]["range"] = [-0.5, WINDOW - 0.5]
    return Fig(
        traces, layout, alt="Latents of one sample beside the wave of its class, and the learning signal for them"
    )


def blocks_figure() -> Fig:
    """Class by row, one heat map per block."""
    traces, layout = [], {"height": 240, "hovermode": "closest"}
    for k in range(BLOCKS):
        axes, number = in_row(k), str(k + 1) if k else ""
        hover = say("block {number}, images of class %{{y}}, row %{{x}}: cosine %{{z:.2f}}", number=k + 1)
        traces.append({**_heat(f"block {k + 1}", hover), **axes, "zmin": -0.5, "zmax": 0.5})
        domain = [0.255 * k, 0.255 * k + 0.235]
        layout[f"xaxis{number}"] = {
            "domain": domain,
            "anchor": axes["yaxis"],
            "title": {"text": f"block {k + 1}"},
            **BARE,
        }
        title = {"text": "class"} if not k else {"text": "class", "font": {"color": "rgba(0, 0, 0, 0)"}}  # for readers
        layout[f"yaxis{number}"] = {
            "anchor": axes["xaxis"],
            "title": title,
            "autorange": "reversed",
            "showticklabels": not k,
            **BARE,
        }
    return Fig(traces, layout, alt="Mean cosine of the images of each class with each row, one heat map per block")


def course_figure() -> Fig:
    """One line per block over training."""
    traces = [
        curve(
            f"block {k}",
            line(k - 1),
            say("step %{{x}}: block {number} is closer to its own rows by %{{y:.2f}}", number=k),
        )
        for k in range(1, BLOCKS + 1)
    ]
    layout = {
        "height": 280,
        "xaxis": {"title": {"text": "training step"}},
        "yaxis": {"title": {"text": "lead of the own class"}, "rangemode": "tozero"},
    }
    return Fig(
        traces,
        layout,
        alt="How much closer each block is to the row of the right class than to the others, over training",
    )


def _heat(name: str, hover: str, **more: Any) -> dict:
    scale = {"colorscale": more_and_less(), "zmin": -1.0, "zmax": 1.0, "showscale": False, "showlegend": False}
    return {"type": "heatmap", "name": name, "hovertemplate": f"{hover}<extra></extra>", **scale, **more}
