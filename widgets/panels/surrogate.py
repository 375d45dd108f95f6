"""`SurrogateExplorer`: the bump Ψ that takes the place of the derivative which a spike does not have."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from widgets.drawing.ends import standing_ends
from widgets.drawing.figure import Fig
from widgets.drawing.handles import Handle, Pull, X, Y
from widgets.drawing.rows import curve, dots, stacked_rows
from widgets.drawing.theme import FAINT, GREY, line, marker
from widgets.drawing.twin import Twin
from widgets.frame.controls import choice, slider
from widgets.frame.panel import Panel
from widgets.lessons.surrogate import SURROGATE
from workbench.language import say
from workbench.neurons.lif import Neuron, run_lif
from workbench.neurons.stimuli import random_spikes
from workbench.neurons.surrogate import (
    Psi,
    arctan,
    area,
    area_up_to,
    fast_sigmoid,
    heaviside,
    logistic,
    passing_interval,
    psi_flow,
    psi_gesture,
    psi_images,
    psi_images_printed,
    psi_speech,
    triangle,
)

POINTS = 401
STEPS, NEURON, STRENGTH, INTERVAL = 80, Neuron(0.9, 1.0), 0.35, 4  # of the neuron whose steps learn or not
FRACTION = 0.1  # of the peak, where a gradient still counts as passed
FORMS: dict[str, Callable] = {form.__name__: form for form in (triangle, fast_sigmoid, arctan, logistic)}
TAKES = {
    "triangle": ("height", "width"),
    "fast_sigmoid": ("slope",),
    "arctan": ("slope",),
    "logistic": ("slope", "height"),
}
PUBLISHED: dict[str, Psi | None] = {
    "gesture, and all of TESS": psi_gesture,
    "speech": psi_speech,
    "images, as released": psi_images,
    "images, as printed": psi_images_printed,
    "optical flow": psi_flow,
    "none": None,
}


class SurrogateCurve(NamedTuple):
    """Ψ over v, the step that it is the slope of, its whole area and the interval that lets gradients pass."""

    psi: Tensor
    step: Tensor
    area: float
    passing: tuple[float, float]


class Curves(NamedTuple):
    """v, the spike z, your Ψ and the published one beside it (or None); v of a neuron over time, and your Ψ there."""

    v: Tensor
    spike: Tensor
    yours: SurrogateCurve
    published: SurrogateCurve | None
    over_time: Tensor
    felt: Tensor


class SurrogateExplorer(Panel):
    """Secondary activations Ψ(v) around the threshold, their integral beside the spike, a published one to compare, and
    the steps of a neuron that learn by it.

    Controls: form, slope, height, width, published, span. In the hand: the peak of your Ψ, and either end of the bar
    that shows where it passes gradients.
    """

    name = "surrogate"
    title = "Surrogate"
    lesson = SURROGATE

    def __init__(self, **state: Any) -> None:
        self.fig, self.time = _figure(), _time_figure()
        follows = ("form", "slope", "height", "width")
        self.fig.twin, self.time.twin = Twin("surrogateBump", follows), Twin("surrogateSteps", follows)
        self.time.given = {"v": (_membrane() - NEURON.threshold).tolist()}
        super().__init__(_controls(), [self.fig, self.time], state)

    def compute(self, form: str, slope: float, height: float, width: float, published: str, span: float) -> Curves:
        other = PUBLISHED[published]
        v = torch.linspace(-span, span, POINTS, dtype=torch.float64)
        yours = partial(FORMS[form], **_taken(form, slope, height, width))
        over_time = _membrane() - NEURON.threshold
        beside = None if other is None else _curve(other, v)
        return Curves(v, heaviside(v), _curve(yours, v), beside, over_time, yours(over_time))

    def draw(self, numbers: Curves) -> None:
        v = numbers.v.numpy()
        yours, published, yours_pass, published_pass, spike, yours_step, published_step = self.fig.data
        spike.update(x=v, y=numbers.spike.numpy())
        _show(numbers.yours, v, yours, yours_pass, yours_step)
        _show(numbers.published, v, published, published_pass, published_step)
        curves = [each for each in (numbers.yours, numbers.published) if each is not None]
        peaks, areas = ([float(getattr(each, name).max()) for each in curves] for name in ("psi", "step"))
        self.fig.layout.update(yaxis_range=standing_ends(peaks), yaxis2_range=standing_ends([1.0, *areas]))
        self.fig.layout.xaxis.range = [v[0], v[-1]]
        self.fig.handles = _handles(numbers.yours, self.values)
        learns, steps = _learns(numbers), torch.arange(STEPS)
        low, high = numbers.yours.passing
        band, _, inside, outside = self.time.data
        band.update(y=[low, low, high, high])
        for trace, which in ((inside, learns), (outside, ~learns)):
            trace.update(x=steps[which].numpy(), y=numbers.over_time[which].numpy(), text=_digits(numbers.felt[which]))
        taken = TAKES[self.controls["form"].value]
        for name in ("slope", "height", "width"):
            self.controls[name].layout.display = "" if name in taken else "none"

    def describe(self, numbers: Curves) -> str:
        told = say(
            "Your Ψ (the {form}) {measures}", form=self.controls["form"].label, measures=_measures(numbers.yours)
        )
        if numbers.published is not None:
            label, measures = self.controls["published"].label, _measures(numbers.published)
            told += say("; the published one ({label}) {measures}", label=label, measures=measures)
        learning = int(_learns(numbers).sum())
        beside = say("Of the neuron beside it {count} of {steps} steps learn.", count=learning, steps=STEPS)
        return f"{told}. {beside}"

    def source(self, form: str, slope: float, height: float, width: float, published: str, span: float) -> str:
        taken = _taken(form, slope, height, width)
        other: str | None = getattr(PUBLISHED[published], "__name__", None)
        names: list[str] = sorted({form, "heaviside"} | ({other} if other else set()))
        arguments = ", ".join(f"{name}={value}" for name, value in taken.items())
        return f"""
            from functools import partial

            import torch
            from workbench.neurons import area, area_up_to, passing_interval, {", ".join(names)}

            v = torch.linspace({-span}, {span}, {POINTS}, dtype=torch.float64)
            spike = heaviside(v)
            yours = partial({form}, {arguments})
            published = {other}
            for psi in filter(None, (yours, published)):
                print("area", area(psi), "passes gradients for v in", passing_interval(psi, {FRACTION}))
            psi, step = yours(v), area_up_to(yours, v)

            from workbench.neurons import Neuron, random_spikes, run_lif

            neuron = {NEURON}
            u = run_lif({STRENGTH} * random_spikes({STEPS}, {INTERVAL}), neuron).potential
            felt = yours(u - neuron.threshold)  # {say("how much each step of this neuron learns")}
        """


def _handles(yours: SurrogateCurve, values: dict[str, Any]) -> list[Handle]:
    """The peak sets the height, either end of the bar the width or the slope: each form has one or both."""
    taken, peak, (_, end) = TAKES[values["form"]], float(yours.psi.max()), yours.passing
    reach = "width" if "width" in taken else "slope"
    change = values[reach] / end if reach == "width" else values[reach] * end

    def reached(v: float) -> float:
        return change * abs(v) if reach == "width" else change / max(abs(v), 1e-9)

    ends = [Handle(2, k, {reach: Pull(X, reached)}) for k in (0, 1)]
    top = Handle(0, POINTS // 2, {"height": Pull(Y, lambda y: y * values["height"] / peak)})
    return [*ends, top] if "height" in taken else ends


@cache
def _membrane() -> Tensor:
    """u of a neuron that random spikes drive."""
    return run_lif(STRENGTH * random_spikes(STEPS, INTERVAL), NEURON).potential


def _learns(numbers: Curves) -> Tensor:
    """The steps at which Ψ is at least a tenth of its peak."""
    return numbers.felt >= FRACTION * numbers.yours.psi.max()


def _digits(values: Tensor) -> list[str]:
    return [f"{value:.3f}" for value in values.tolist()]


def _show(bump: SurrogateCurve | None, v: Any, curve: Any, passing: Any, step: Any) -> None:
    """Set the three traces of one Ψ, or hide them."""
    for trace in (curve, passing, step):
        trace.visible = bump is not None
    if bump is not None:
        curve.update(x=v, y=bump.psi.numpy())
        step.update(x=v, y=bump.step.numpy())
        passing.update(x=list(bump.passing), y=[FRACTION * float(bump.psi.max())] * 2)


def _taken(form: str, slope: float, height: float, width: float) -> dict[str, float]:
    values = {"slope": slope, "height": height, "width": width}
    return {name: values[name] for name in TAKES[form]}


def _curve(psi: Psi, v: Tensor) -> SurrogateCurve:
    return SurrogateCurve(psi(v), area_up_to(psi, v), area(psi), passing_interval(psi, FRACTION))


def _controls() -> dict:
    steep = "how steep Ψ falls off on both sides of the threshold"
    return {
        "form": choice(
            "your Ψ", {name.replace("_", " "): name for name in FORMS}, "the form of the secondary activation"
        ),
        "slope": slider("slope", 4.0, 0.5, 100.0, 0.5, steep, 1),
        "height": slider("height", 1.0, 0.1, 4.0, 0.1, "Ψ at the threshold (four times that for the logistic)", 1),
        "width": slider("width", 1.0, 0.1, 2.0, 0.1, "how far from the threshold the triangle reaches", 1),
        "published": choice(
            "published Ψ", {label: label for label in PUBLISHED}, "what S-TLLR and TESS used for this task"
        ),
        "span": slider("range of v", 2.0, 0.1, 5.0, 0.1, "how much is drawn on both sides of the threshold", 1),
    }


def _figure() -> Fig:
    step = {"color": GREY, "width": 3, "shape": "hv"}
    traces = [
        curve("your Ψ", line(0), "your Ψ(v) = %{y:.3f}"),
        curve("published Ψ", line(1), "published Ψ(v) = %{y:.3f}"),
        _interval(0),
        _interval(1),
        curve("spike z", step, "spike z = 1[v > 0] = %{y:.0f}", 1),
        curve("∫ your Ψ", line(2), "area under your Ψ up to here %{y:.3f}", 1),
        curve("∫ published Ψ", line(3), "area under the published Ψ up to here %{y:.3f}", 1),
    ]
    layout = stacked_rows(["Ψ (dimensionless)", "z and ∫Ψ dv"], [1, 1], "v = u − v_th (dimensionless)")
    alt = "Secondary activations against the distance from the threshold, and their integrals beside the spike"
    return Fig(traces, {**layout, "height": 480}, alt=alt)


def _time_figure() -> Fig:
    """v of a neuron over time; the steps that learn are filled, the band says how near the threshold they must be."""
    ends = [0, STEPS - 1, STEPS - 1, 0]
    band = {"fill": "toself", "fillcolor": FAINT, "hoverinfo": "skip", "hovertemplate": None, "showlegend": False}
    quiet = {"color": GREY, "symbol": "circle-open", "size": 7}
    traces = [
        curve("Ψ is at least a tenth of its peak", {"width": 0}, "", x=ends, **band),
        curve("threshold", {"color": GREY, "width": 1.5, "dash": "dash"}, "threshold", x=ends[:2], y=[0, 0]),
        dots("learns", {**marker(0), "size": 9}, "step %{x}: v = %{y:.2f}, Ψ = %{text}: it learns"),
        dots("does not learn", quiet, "step %{x}: v = %{y:.2f}, Ψ = %{text}: it does not learn"),
    ]
    layout = {
        "xaxis": {"title": {"text": "time t (steps)"}, "range": [-1, STEPS]},
        "yaxis": {"title": {"text": "v = u − v_th of a neuron"}, "range": [-1.15, 0.5]},
        "hovermode": "closest",
        "height": 320,
    }
    return Fig(traces, layout, alt="The membrane of a neuron over time: which of its steps learn with your Ψ")


def _interval(k: int) -> dict:
    """A bar between two v at a tenth of the peak."""
    trace = curve("passes gradients", {**line(k), "width": 1}, "Ψ is a tenth of its peak at v = %{x:.3f}")
    ends = {"color": line(k)["color"], "symbol": "line-ns-open", "size": 14}
    return {**trace, "mode": "lines+markers", "marker": ends, "showlegend": False}


def _measures(bump: SurrogateCurve) -> str:
    _, edge = bump.passing
    told = say(
        "has the area {area:.2f} and passes gradients while u is within {edge:.2g} of the threshold",
        area=bump.area,
        edge=edge,
    )
    return told if bump.area <= 1.0005 else f"{told} {say('(the paper asks for an area of at most 1)')}"
