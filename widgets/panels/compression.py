"""`ActivationCompression`: a convolution's input before and after LANCE, and what becomes of the weight gradient."""

import math
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from widgets.drawing.figure import Fig
from widgets.drawing.handles import Handle, Pull, X
from widgets.drawing.prediction import Prediction
from widgets.drawing.rows import curve, dots, stacked_rows
from widgets.drawing.theme import line, marker, more_and_less
from widgets.frame.controls import choice, slider, switch, whole_slider
from widgets.frame.panel import Panel
from widgets.lessons.compression import COMPRESSION
from workbench.compression.calibration import Modes
from workbench.experiments.new_clothes import LAYERS
from workbench.language import say
from workbench.watch.microscope import MODE_NAMES, Compression, compress_specimen, mosaic, specimens, tradeoff

ENERGIES = (*tuple(round(0.3 + 0.05 * k, 2) for k in range(14)), 0.99)
IMAGES = 16
DIGITS = 3  # of a cell, after the point


class Seen(NamedTuple):
    """The finding; each mode's singular values relative to its largest; channels before and after; the whole curve.

    photograph: what the whole network was given of this image, `(rows, columns)`. largest: of the channels before, in
    all images, so that a colour means the same in each.
    """

    finding: Compression
    curves: list[Tensor]
    before: Tensor
    after: Tensor
    factors: list[float]
    cosines: list[float]
    energy: float
    photograph: Tensor
    largest: float


class ActivationCompression(Panel):
    """The input of a fine-tuned convolution, its singular values, its channels before and after, and the gradient.

    Controls: layer, energy, batch, space, feature, image. In the hand: the marks of the ranks and those of the energy,
    all of which set the energy.
    """

    name = "compression"
    title = "Compression"
    lesson = COMPRESSION

    def __init__(self, **state: Any) -> None:
        self.maps, self.values_figure, self.cost = _maps_figure(), _values_figure(), _cost_figure()
        self._known: dict[tuple, tuple[list[float], list[float]]] = {}
        self._found: tuple[tuple, Compression] | None = None  # another image asks for the same again
        self._drawn: Compression | None = None
        super().__init__(_controls(), [self.maps, self.values_figure, self.cost], state)

    def compute(self, layer: str, energy: float, batch: bool, space: bool, feature: bool, image: int) -> Seen:
        specimen, modes = specimens()[layer], Modes(batch, space, feature)
        if (layer, modes) not in self._known:
            self._known[layer, modes] = tradeoff(specimen, ENERGIES, modes)
        asked = (layer, energy, modes)
        if self._found is None or self._found[0] != asked:
            self._found = asked, compress_specimen(specimen, energy, modes)
        finding = self._found[1]
        curves = [(e / e[0]).sqrt().float() for e in specimen.energies]
        before, after = mosaic(specimen.x[image]), mosaic(finding.approximation[image])
        photograph = specimen.photographs[image, 0]
        largest = float(specimen.x[:IMAGES].max())
        return Seen(finding, curves, before, after, *self._known[layer, modes], energy, photograph, largest)

    def draw(self, numbers: Seen) -> None:
        top = numbers.largest
        before, after, photograph = self.maps.data
        for trace, picture in ((before, numbers.before), (after, numbers.after)):
            trace.z, trace.zmin, trace.zmax = _cells(picture), -top, top
        photograph.z = numbers.photograph.numpy()
        found = numbers.finding
        if found is self._drawn:
            return  # the rest says nothing of the image
        self._drawn = found
        for k, (values, rank) in enumerate(zip(numbers.curves, found.ranks, strict=True)):
            y = values.clamp(min=1e-4).numpy()
            self.values_figure.data[k].update(x=list(range(1, len(y) + 1)), y=y)
            self.values_figure.data[4 + k].update(x=[rank] if rank else [], y=[y[rank - 1]] if rank else [])
        self.values_figure.handles = _rank_handles(numbers.curves)
        for trace, y in zip(self.cost.data, _costs(numbers), strict=True):
            trace.update(x=[numbers.energy] if len(y) == 1 else ENERGIES, y=y)
        kept, whole = (f"<br>{count / 1024:,.0f} KiB" for count in (found.kept_bytes, found.input_bytes))
        self.maps.layout.xaxis2.title.text = f"{say('from the core')}:{kept}"
        self.maps.layout.xaxis.title.text = f"{say('as it is')}:{whole}"

    def describe(self, numbers: Seen) -> str:
        found, whole = numbers.finding, self.controls["batch"]
        kept = [
            say("{rank} of {all} {name}", rank=rank, all=len(v), name=say(name))
            for rank, v, name in _rows(numbers)
            if rank
        ]
        factor = found.input_bytes / found.kept_bytes
        told = say(
            "Kept: {kept}. That is {bytes} for a batch instead of {all}, {factor:.1f} times less. The input changes by "
            "{error:.0f} % (relative error); the weight gradient has the cosine {cosine:.2f} with the exact one.",
            kept=", ".join(kept) or say("everything"),
            bytes=_bytes(found.kept_bytes),
            all=_bytes(found.input_bytes),
            factor=factor,
            error=100 * found.error,
            cosine=found.cosine,
        )
        if whole.value:
            told += say(" The batch mode mixes samples that have nothing to do with each other.")
        return told

    def source(self, layer: str, energy: float, batch: bool, space: bool, feature: bool, image: int) -> str:
        return f"""
            from workbench.compression import Modes
            from workbench.watch import compress_specimen, mosaic, specimens

            specimen = specimens()["{layer}"]
            modes = Modes(batch={batch}, space={space}, feature={feature})
            finding = compress_specimen(specimen, energy={energy}, modes=modes)
            before, after = mosaic(specimen.x[{image}]), mosaic(finding.approximation[{image}])
            print("ranks (batch, channels, height, width):", finding.ranks)
            print("bytes:", finding.kept_bytes, "instead of", finding.input_bytes)
            print("cosine of the weight gradient:", finding.cosine, "relative error of the input:", finding.error)
        """


def _rows(numbers: Seen) -> list[tuple[int | None, Tensor, str]]:
    return list(zip(numbers.finding.ranks, numbers.curves, ("samples", *MODE_NAMES[1:]), strict=True))


def _rank_handles(curves: list[Tensor]) -> list[Handle]:
    """The mark of each mode sets the energy from which it has that rank, in steps of 0.01."""
    return [
        Handle(4 + k, 0, {"energy": Pull(X, partial(_energy_for, _shares(curve)))}) for k, curve in enumerate(curves)
    ]


def _shares(curve: Tensor) -> list[float]:
    """The share of the energy in the first 1, 2, 3, … directions."""
    energies = curve.double().square()
    return (energies.cumsum(0) / energies.sum()).tolist()


def _energy_for(shares: list[float], rank: float) -> float:
    """The largest energy, in steps of 0.01, at which no more than `rank` directions are kept."""
    place = min(max(round(rank), 1), len(shares))
    return (math.ceil(100.0 * shares[place - 1] - 1e-6) - 1) / 100.0


def _cells(picture: Tensor) -> np.ndarray:
    """Rows of numbers, of `DIGITS`; gaps as None, for JSON knows no NaN. Lists of lists would take plotly 30 ms to look
    through, and all digits twice as long on their way."""
    cells = picture.double().numpy().round(DIGITS).astype(object)
    cells[picture.isnan().numpy()] = None
    return cells


def _costs(numbers: Seen) -> list[list[float]]:
    found = numbers.finding
    return [numbers.factors, numbers.cosines, [found.input_bytes / found.kept_bytes], [found.cosine]]


def _controls() -> dict:
    layers = {_spoken(name): name for name in LAYERS}
    return {
        "layer": choice("layer", layers, "the convolution whose input is compressed", _spoken(LAYERS[1])),
        "energy": slider("energy ε", 0.7, 0.3, 0.99, 0.01, "the share of each cut mode's energy that is kept"),
        "batch": switch("cut the batch mode", False, "off in the default: it can turn the gradient uphill"),
        "space": switch("cut height and width", True, "as published; it can turn the gradient uphill too, if rarely"),
        "feature": switch("cut the channels", True, "keep few mixtures of channels: projects the true gradient"),
        "image": whole_slider("image", 0, 0, IMAGES - 1, "which image of the batch is shown"),
    }


def _spoken(layer: str) -> str:
    """A convolution as people say it; `layer3.1.conv2` is the second of the second block of the last stage."""
    _, block, convolution = layer.split(".")
    return f"block {int(block) + 1}, {convolution.replace('conv', 'convolution ')}"


def _maps_figure() -> Fig:
    cells = {
        "type": "heatmap",
        "showlegend": False,
        "colorscale": more_and_less(),
        "colorbar": {"title": {"text": "input X"}, "thickness": 12},
        "hovertemplate": "pixel %{x}, %{y} of the mosaic: %{z:.2f}<extra></extra>",
    }
    bare = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False, "constrain": "domain"}
    below = {**bare, "autorange": "reversed", "domain": [0.0, 0.73]}
    layout = {
        "height": 380,
        "hovermode": "closest",
        "margin": {"t": 12},
        "xaxis": {**bare, "domain": [0.0, 0.48], "title": {"text": "as it is"}},
        "xaxis2": {**bare, "domain": [0.52, 1.0], "anchor": "y2", "title": {"text": "from the core"}},
        "xaxis3": {**bare, "domain": [0.0, 0.48], "anchor": "y3", "title": {"text": "\u200b"}},
        "yaxis": {**below, "title": {"text": "its 64 channels here"}},
        "yaxis2": {**below, "anchor": "x2", "matches": "y", "title": {"text": "\u200b"}},
        "yaxis3": {**below, "domain": [0.77, 1.0], "anchor": "x3", "scaleanchor": "x3", "title": {"text": "image"}},
    }
    second = {**cells, "xaxis": "x2", "yaxis": "y2", "showscale": False, "name": "from the core"}
    photograph = {
        **cells,
        "xaxis": "x3",
        "yaxis": "y3",
        "showscale": False,
        "name": "the image",
        "colorscale": [[0.0, "#000000"], [1.0, "#FFFFFF"]],
        "hovertemplate": "what the network is shown: pixel %{x}, %{y}<extra></extra>",
    }
    alt = "One image, and its 64 channels as the layer gets them and as the low-rank core gives them back"
    return Fig([{**cells, "name": "as it is"}, second, photograph], layout, alt=alt)


def _values_figure() -> Fig:
    curves = [
        curve(name, line(k), say("{mode}: σ %{{y:.3f}} of the largest", mode=say(name)))
        for k, name in enumerate(MODE_NAMES)
    ]
    ranks = [
        dots(
            say("rank, {mode}", mode=say(name)),
            {**marker(k), "size": 11},
            say("rank of {mode}: %{{x}}; drag it", mode=say(name)),
            showlegend=False,
        )
        for k, name in enumerate(MODE_NAMES)
    ]
    layout = {
        "height": 280,
        "hovermode": "closest",
        "xaxis": {
            "type": "log",
            "title": {"text": "direction k (mark: rank r)"},
            "dtick": "D2",
        },
        "yaxis": {"type": "log", "title": {"text": "σ_k / σ_1"}, "dtick": 1},
    }
    return Fig([*curves, *ranks], layout, alt="Singular values of each mode of the input, and the rank that is kept")


def _cost_figure() -> Fig:
    layout = stacked_rows(["times less", "cosine"], [1, 1], "energy ε")
    layout["yaxis"].update(type="log", dtick=1)
    layout["yaxis2"].update(range=[-0.1, 1.05])
    here = {**marker(1), "symbol": "diamond", "size": 12}
    traces = [
        curve("how many times less", line(0), "%{y:.1f} times less at ε = %{x}", showlegend=False),
        curve("cosine", line(0), "cosine %{y:.2f} at ε = %{x}", 1, showlegend=False),
        dots("now", here, "now %{y:.1f} times less; drag it", showlegend=False),
        dots("cosine now", here, "now cosine %{y:.2f}", 1, showlegend=False),
    ]
    alt = "How many times less is kept, and the cosine of the weight gradient, over the energy"
    figure = Fig(traces, {**layout, "height": 360}, alt=alt)
    figure.handles = [Handle(trace, 0, {"energy": Pull(X)}) for trace in (2, 3)]
    figure.prediction = Prediction((1,), ENERGIES, "the cosine of the gradient", hides=(3,))
    return figure


def _bytes(count: int) -> str:
    return f"{count / 2**20:.1f} MiB" if count >= 2**20 else f"{count / 1024:.1f} KiB"
