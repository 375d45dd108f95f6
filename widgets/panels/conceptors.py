"""`ConceptorSubspaces`: two clouds of data, their conceptors as ellipses, and what NOT, AND and OR make of them."""

import math
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from widgets.drawing.figure import Fig
from widgets.drawing.handles import ANGLE, Handle, Pull, R
from widgets.drawing.rows import bars, curve, dots
from widgets.drawing.theme import COLOURS, DASHES, GREY, line, marker
from widgets.drawing.twin import Twin
from widgets.frame.controls import choice, slider, switch
from widgets.frame.panel import Panel
from widgets.lessons.conceptors import CONCEPTORS
from workbench.continual.clouds import Pair, Shape, cloud, looking, matrix, outline, pair, singular_values
from workbench.continual.conceptors import capacity, similarity
from workbench.language import say

LIFT = 25.0  # degrees from which three dimensions are looked down on
NAMES = ("A", "B", "NOT A", "A AND B", "A OR B")
HATCHES = ("", "/", "x", ".", "-")
MOVING = (*(f"{name}_{side}" for side in "ab" for name in ("spread", "roundness", "turn", "tilt")), "aperture", "look")


class View(NamedTuple):
    """The pair, the directions that the picture shows, the edges of both clouds and of each conceptor."""

    pair: Pair
    view: Tensor
    cloud_edges: tuple[Tensor, Tensor]
    edges: dict[str, Tensor]
    shown: tuple[str, ...]


class ConceptorSubspaces(Panel):
    """Two clouds in two or three dimensions, conceptors of any aperture, their logic, and all singular values.

    Controls: space, aperture, spread, roundness, turn and tilt of A and B, not_a, a_and_b, a_or_b, look. In the hand,
    in two dimensions: the ends of the axes of both clouds, which stretch and turn them.
    """

    name = "conceptors"
    title = "Conceptors"
    lesson = CONCEPTORS

    def __init__(self, **state: Any) -> None:
        self.plane, self.values_figure = _plane_figure(), _values_figure()
        self.plane.twin, self.values_figure.twin = Twin("conceptorPlane", MOVING), Twin("conceptorValues", MOVING)
        super().__init__(_controls(), [self.plane, self.values_figure], state)

    def compute(self, space: int, aperture: float, look: float, **rest: Any) -> View:
        a, b = (_shape(rest, side) for side in ("a", "b"))
        made, view = pair(a, b, aperture, space), looking(look, LIFT, space)
        edges = {name: outline(matrix(c), view) for name, c in made.conceptors.items()}
        clouds = (outline(made.roots[0], view), outline(made.roots[1], view))
        switches = {"NOT A": rest["not_a"], "A AND B": rest["a_and_b"], "A OR B": rest["a_or_b"]}
        return View(made, view, clouds, edges, tuple(name for name in NAMES if switches.get(name, True)))

    def draw(self, numbers: View) -> None:
        self.plane.given = {"white": _white(self.values["space"])}
        points, edges = self.plane.data[:2], self.plane.data[2:4]
        for k in (0, 1):
            x, y = numbers.view @ numbers.pair.samples[k]
            points[k].x, points[k].y = x.numpy(), y.numpy()
            x, y = numbers.cloud_edges[k]
            edges[k].x, edges[k].y = x.numpy(), y.numpy()
        for k, name in enumerate(NAMES):
            x, y = numbers.edges[name]
            values = singular_values(numbers.pair.conceptors[name])
            shown = name in numbers.shown
            edge, bars = self.plane.data[5 + k], self.values_figure.data[k]
            edge.x, edge.y, edge.visible = x.numpy(), y.numpy(), shown
            labels = [f"{value:.2f}" for value in values]
            places = [k + (i - (len(values) - 1) / 2) * 0.27 for i in range(len(values))]
            bars.x, bars.y, bars.text, bars.visible = places, values, labels, shown
        in_space = self.values["space"] == 3
        for name in ("tilt_a", "tilt_b", "look"):
            self.controls[name].layout.display = "" if in_space else "none"
        clouds = [] if in_space else [_shape(self.values, side) for side in "ab"]
        ends = [end for cloud in clouds for end in _ends(cloud)]
        self.plane.data[10].update(x=[x for x, _ in ends], y=[y for _, y in ends])
        self.plane.handles = [handle for k, cloud in enumerate(clouds) for handle in _handles(k, cloud)]
        axes = ("seen to the right", "seen upwards") if in_space else ("direction 1", "direction 2")
        axes = tuple(map(say, axes))
        layout = self.plane.layout
        if layout.xaxis.title.text != axes[0]:
            layout.update(xaxis_title_text=axes[0], yaxis_title_text=axes[1])
            layout.update(xaxis2_title_text=axes[0], yaxis2_title_text=axes[1])

    def describe(self, numbers: View) -> str:
        C = numbers.pair.conceptors
        claims = [
            say("{name} claims {share:.0f} %", name=say(name), share=100 * capacity(C[name])) for name in numbers.shown
        ]
        alike = similarity(C["A"], C["B"])
        return say(
            "Of the {dimensions}-dimensional space, {claims} and {last} (quota Θ, the mean of the bars). A and B are "
            "{alike} (similarity {similarity:.2f}).",
            dimensions=len(numbers.pair.samples[0]),
            claims=", ".join(claims[:-1]),
            last=claims[-1],
            alike=_alike(alike),
            similarity=alike,
        )

    def source(self, space: int, aperture: float, look: float, **rest: Any) -> str:
        a, b = (_shape(rest, side) for side in ("a", "b"))
        return f"""
            from workbench.continual import Shape, capacity, looking, matrix, outline, pair, similarity, singular_values

            clouds = pair({a}, {b}, aperture={aperture}, d={space})
            view = looking({look}, {LIFT}, {space})
            edges, values = {{}}, {{}}
            for name, c in clouds.conceptors.items():
                edges[name], values[name] = outline(matrix(c), view), singular_values(c)
                print(f"{{name:8}} quota {{capacity(c):.3f}}, singular values", [round(s, 3) for s in values[name]])
            print("similarity of A and B:", round(similarity(clouds.conceptors["A"], clouds.conceptors["B"]), 3))
        """


@cache
def _white(d: int) -> list[list[list[float]]]:
    """The points of both clouds, coordinate by coordinate, before they are stretched and turned."""
    axes, deviations = torch.eye(d, dtype=torch.float64), torch.ones(d)
    return [cloud(axes, deviations, seed=seed).tolist() for seed in (0, 1)]


def _shape(controls: dict[str, Any], side: str) -> Shape:
    return Shape(*(controls[f"{name}_{side}"] for name in ("spread", "roundness", "turn", "tilt")))


def _ends(cloud: Shape) -> list[tuple[float, float]]:
    """Both ends of the long axis of a cloud in two dimensions, and one of the short axis."""
    angle, short = math.radians(cloud.turn), cloud.spread * cloud.roundness
    along, across = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))
    sizes = (along, cloud.spread), (along, -cloud.spread), (across, short)
    return [(size * x, size * y) for (x, y), size in sizes]


def _handles(k: int, cloud: Shape) -> list[Handle]:
    """The handles of `_ends` of cloud number `k`."""
    side = "ab"[k]
    long = {f"spread_{side}": Pull(R), f"turn_{side}": Pull(ANGLE)}
    turned = Pull(ANGLE, lambda degrees: (degrees - 90.0) % 180.0)
    short = {f"roundness_{side}": Pull(R, lambda size: size / cloud.spread), f"turn_{side}": turned}
    return [Handle(10, 3 * k + point, pulls) for point, pulls in enumerate((long, long, short))]


def _alike(similarity: float) -> str:
    if similarity > 0.95:
        return say("nearly the same")
    if similarity > 0.7:
        return say("quite alike")
    return say("partly alike") if similarity > 0.3 else say("mostly different")


def _controls() -> dict:
    few = "the conceptor claims a direction when its σ is well above 1/α"
    controls: dict = {
        "space": choice("space", {"2-D": 2, "3-D": 3}, "dimensions of the space the clouds live in"),
        "aperture": slider("aperture α", 1.5, 0.1, 10.0, 0.1, few, 1),
    }
    for side, spread, roundness, turn in (("a", 1.5, 0.3, 20.0), ("b", 1.2, 0.3, 110.0)):
        cloud = side.upper()
        longest, second = (
            f"longest standard deviation of cloud {cloud}",
            f"second axis of cloud {cloud} against its first",
        )
        controls |= {
            f"spread_{side}": slider(f"spread σ₁ of {cloud}", spread, 0.1, 2.0, 0.05, longest),
            f"roundness_{side}": slider(f"shape σ₂/σ₁ of {cloud}", roundness, 0.0, 1.0, 0.05, second),
            f"turn_{side}": slider(f"angle of {cloud} (°)", turn, 0.0, 180.0, 5.0, f"where cloud {cloud} points", 0),
            f"tilt_{side}": slider(f"tilt of {cloud} (°)", 0.0, -90.0, 90.0, 5.0, "lifts it out of the plane", 0),
        }
    return controls | {
        "look": slider("view from (°)", 60.0, 0.0, 180.0, 5.0, "the angle from which you look at the space", 0),
        "not_a": switch("NOT A", False, "I − A: what A leaves free, where a later step may still go"),
        "a_and_b": switch("A AND B", False, "what both claim"),
        "a_or_b": switch("A OR B", True, "what either claims: the conceptor of both clouds together"),
    }


def _plane_figure() -> Fig:
    place = "x %{x:.2f}, y %{y:.2f}"
    clouds = [
        dots(
            name, {**marker(k), "size": 5, "opacity": 0.7}, say("a sample of {cloud}: {place}", cloud=name, place=place)
        )
        for k, name in enumerate("AB")
    ]
    deviations = [
        curve(
            name,
            {**line(k), "width": 1.5},
            say("standard deviation of {cloud}: {place}", cloud=name, place=place),
            showlegend=False,
        )
        for k, name in enumerate("AB")
    ]
    in_right = {"xaxis": "x2", "yaxis": "y2"}
    unit = outline_of_one()
    ball = curve(
        "value 1", {"color": GREY, "width": 1}, f"the edge of all that can be claimed: {place}", x=unit[0], y=unit[1]
    )
    conceptors = [
        curve(
            f"C({name})" if k < 2 else name, _style(k), say("conceptor of {name}: {place}", name=say(name), place=place)
        )
        | in_right
        for k, name in enumerate(NAMES)
    ]
    ends = dots("ends of the axes", {"color": GREY, "size": 5}, "drag: stretch and turn the cloud", showlegend=False)
    square = {"constrain": "domain", "nticks": 5}
    layout = {
        "xaxis": {"domain": [0.0, 0.46], "range": [-3.4, 3.4], "title": {"text": "direction 1"}, **square},
        "yaxis": {
            "range": [-3.4, 3.4],
            "title": {"text": "direction 2"},
            "scaleanchor": "x",
            "constraintoward": "top",
            **square,
        },
        "xaxis2": {
            "domain": [0.57, 1.0],
            "range": [-1.1, 1.1],
            "title": {"text": "direction 1"},
            "anchor": "y2",
            **square,
        },
        "yaxis2": {
            "range": [-1.1, 1.1],
            "title": {"text": "direction 2"},
            "scaleanchor": "x2",
            "constraintoward": "top",
            "anchor": "x2",
            **square,
        },
        "hovermode": "closest",
        "height": 390,
    }
    alt = "Left both clouds with their ellipses of one standard deviation, right the ellipses of their conceptors"
    return Fig([*clouds, *deviations, ball | in_right, *conceptors, ends], layout, alt=alt)


def outline_of_one() -> tuple[list[float], list[float]]:
    """The unit circle."""
    x, y = outline(looking(0.0, 0.0, 2), looking(0.0, 0.0, 2))
    return x.tolist(), y.tolist()


def _style(k: int) -> dict:
    return {"color": COLOURS[k], "dash": DASHES[k], "width": 2.5}


def _values_figure() -> Fig:
    traces = [
        bars(
            name,
            COLOURS[k],
            say("{name}: value %{{text}} along one of its own directions", name=say(name)),
            marker={"color": COLOURS[k], "pattern": {"shape": HATCHES[k]}},
            width=0.24,
            textposition="outside",
            constraintext="none",
            textfont={"size": 10},
            cliponaxis=False,
            showlegend=False,
        )
        for k, name in enumerate(NAMES)
    ]
    layout = {
        "height": 230,
        "xaxis": {
            "tickvals": list(range(len(NAMES))),
            "ticktext": [say(name).replace(" ", "<br>") for name in NAMES],
            "tickangle": 0,
            "range": [-0.6, len(NAMES) - 0.4],
        },
        "yaxis": {"title": {"text": "singular values s"}, "range": [0, 1.12]},
        "hovermode": "closest",
        "margin": {"t": 12},
    }
    return Fig(traces, layout, alt="Singular values of each conceptor, from 0 (free) to 1 (claimed)")
