"""The picture of `StepByStep`: every quantity of an update as tiles, round by round, and the present matrices."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from widgets.drawing.figure import Fig
from widgets.drawing.theme import FAINT, GREEN, ORANGE, more_and_less
from widgets.panels.step_words import ROUND, Look, number
from workbench.language import say
from workbench.watch.one_update import INPUTS, ROUNDS, OneUpdate

TINT = 0.6  # of the full colour for the largest number of a quantity: the text on it stays legible
HEIGHT = 430
NOTHING = "\u200b"  # for axes whose every row says what it is


class Strip(NamedTuple):
    """Rows of tiles, one column for each round: what the numbers are called in `Stage.found`, and in words."""

    name: str
    words: str
    symbol: str


class Matrix(NamedTuple):
    """A matrix beside the strips; of(look) finds it, None before it is known. acts: the stages that make it."""

    words: str
    symbol: str
    of: Callable[[Look], Tensor | None]
    acts: tuple[str, ...] = ()


def _given(name: str) -> Callable[[Look], Tensor]:
    return lambda look: look.update.given[name]


def _newest(name: str) -> Callable[[Look], Tensor | None]:
    """The matrix of this round, None before it is found."""

    def of(look: Look) -> Tensor | None:
        found = look.seen.get(name, [])
        return found[-1] if len(found) > look.stage.place else None

    return of


def _sum(name: str) -> Callable[[Look], Tensor]:
    return lambda look: sum(look.seen.get(name, []), torch.zeros_like(look.update.weight))


_SUM = Matrix("change so far", "ΣΔw", _sum("Δw"), ("Δw",))
_TRACED = (
    Strip("x", "input", "x"),
    Strip("q", "trace", "q"),
    Strip("u", "membrane", "u"),
    Strip("z", "spike", "z"),
    Strip("ψ", "closeness", "ψ"),
    Strip("h", "own past", "h"),
    Strip("δ", "signal", "δ"),
)
_TRACED_BESIDE = (
    Matrix("eligibility", "e", _newest("e"), ("Δw",)),
    Matrix("change now", "Δw", _newest("Δw"), ("Δw",)),
    _SUM,
)
STRIPS: Mapping[str, tuple[Strip, ...]] = {
    "stllr": _TRACED,
    "tess": _TRACED,
    "lls": (
        Strip("x", "input", "x"),
        Strip("a", "unit", "a"),
        Strip("z", "latent", "z"),
        Strip("s", "score", "s"),
        Strip("p", "chance", "p"),
        Strip("p − y", "error", "p−y"),
        Strip("∂a", "told", "g"),
    ),
    "code-cl": (
        Strip("x", "input", "x"),
        Strip("δ", "error", "δ"),
        Strip("Cx", "claimed", "Cx"),
        Strip("x − Cx", "free", "x−Cx"),
        Strip("old", "old answer moved", "o"),
    ),
    "lance": (
        Strip("x", "input", "x"),
        Strip("S", "core, kept", "S"),
        Strip("δ", "error", "δ"),
        Strip("x̂", "as if", "x̂"),
    ),
}
MATRICES: Mapping[str, tuple[Matrix, ...]] = {
    "stllr": _TRACED_BESIDE,
    "tess": _TRACED_BESIDE,
    "lls": (
        Matrix("waves", "B", _given("B")),
        Matrix("change now", "Δw", _newest("Δw"), ("Δw",)),
        _SUM,
    ),
    "code-cl": (
        Matrix("conceptor", "C", _given("C")),
        Matrix("gradient", "G", _newest("G"), ("G",)),
        Matrix("taken away", "GC", _newest("GC"), ("GC",)),
        Matrix("left", "G−GC", _newest("G(I − C)"), ("G(I − C)",)),
        _SUM,
    ),
    "lance": (
        Matrix("basis", "U", _given("U")),
        Matrix("from S", "Ĝ", _newest("Ĝ"), ("Ĝ",)),
        Matrix("from x", "G", _newest("G"), ("G",)),
        _SUM,
    ),
}
# factors of Δw, of which the tiles of w_ij are framed
FACTORS = {"stllr": ("x", "q", "ψ", "h", "δ"), "tess": ("x", "q", "ψ", "h", "δ"), "lls": ("x", "∂a")}
WITH = {"u": "ψ", "z": "ψ", "a": "z", "Cx": "GC", "x − Cx": "G(I − C)", "old": "Δw", "x̂": "Ĝ"}  # found beside a term


class Box(NamedTuple):
    """A rectangle of tiles."""

    row: int
    column: int
    rows: int = 1
    columns: int = 1


class Sheet(NamedTuple):
    """Tiles of one size: tints in [−TINT, TINT] (NaN: nothing yet), the text on them, a label for each row, the rows at
    which a new quantity begins, the tiles that act now, and those of the weight that is looked at."""

    tints: np.ndarray
    texts: list[list[str]]
    labels: list[str]
    begins: list[int]
    acting: list[Box]
    chosen: list[Box]


def small(row: int) -> str:
    """A row's number as an index, from 1 on."""
    return "₁₂₃₄₅₆₇₈₉"[row]


def strips(rule: str, look: Look) -> Sheet:
    """Every quantity with one number for a neuron or input, one column for a round."""
    sheet = Sheet(np.empty((0, ROUNDS)), [], [], [], [], [])
    whole, place = look.update.seen(len(look.update.stages) - 1), look.stage.place
    for strip in STRIPS[rule]:
        found, rows = look.seen.get(strip.name, []), len(whole[strip.name][0])
        values = torch.full((rows, ROUNDS), torch.nan, dtype=torch.float64)
        for k, vector in enumerate(found):
            values[:, k] = vector
        top, row = len(sheet.labels), _row_of(strip.name, rows, look)
        acting = [Box(top, place, rows)] if look.stage.name == WITH.get(strip.name, strip.name) else []
        chosen = [Box(top + row, place)] if acting and row is not None else []
        if row is not None and look.stage.name == "Δw" and strip.name in FACTORS.get(rule, ()):
            acting = [Box(top + row, place)]
        largest = float(torch.stack(whole[strip.name]).abs().max())
        sheet = _below(sheet, values, largest, strip.words, strip.symbol, acting, chosen)
    return sheet


def _row_of(name: str, rows: int, look: Look) -> int | None:
    """The row of a strip that belongs to the weight w_ij: that of its input, or of its neuron."""
    if name in ("x", "q", "Cx", "x − Cx", "x̂"):
        return look.j
    if name == "z" and rows == len(look.update.weight) // 2:  # latents of LLS, of two units each
        return look.i // 2
    return look.i if name in ("u", "z", "ψ", "h", "δ", "a", "∂a", "old") else None


def matrices(rule: str, look: Look) -> Sheet:
    """The matrices of this round below one another, as wide as the layer has inputs."""
    sheet = Sheet(np.empty((0, INPUTS)), [], [], [], [], [])
    for matrix in MATRICES[rule]:
        found, last = matrix.of(look), matrix.of(_at_end(look))
        assert last is not None
        rows, columns = last.shape
        values = torch.full((rows, INPUTS), torch.nan, dtype=torch.float64)
        if found is not None:
            values[:, :columns] = found
        top = len(sheet.labels)
        acting = [Box(top, 0, rows, columns)] if look.stage.name in matrix.acts else []
        chosen = [Box(top + look.i, look.j)] if matrix.acts else []
        largest = _largest(look.update, matrix)
        sheet = _below(sheet, values, largest, matrix.words, matrix.symbol, acting, chosen)
    return sheet


def _at_end(look: Look) -> Look:
    stages = look.update.stages
    return look._replace(stage=stages[-1], seen=look.update.seen(len(stages) - 1))


def _largest(update: OneUpdate, matrix: Matrix) -> float:
    """The largest number that the matrix ever shows."""
    ends = [k for k, stage in enumerate(update.stages) if stage.name == "Δw"]
    looks = [Look(update, update.stages[k], update.seen(k), 0, 0) for k in ends]
    found = [matrix.of(look) for look in looks]
    return max(float(each.abs().max()) for each in found if each is not None)


def _below(
    sheet: Sheet, values: Tensor, largest: float, words: str, symbol: str, acting: list[Box], chosen: list[Box]
) -> Sheet:
    tints = (TINT * values / (largest or 1.0)).numpy()
    texts = [["" if value != value else _short(value) for value in row] for row in values.tolist()]
    labels = [f"{say(words)} {symbol}{small(row)}" for row in range(len(values))]
    return Sheet(
        np.concatenate([sheet.tints, tints]),
        [*sheet.texts, *texts],
        [*sheet.labels, *labels],
        [*sheet.begins, len(sheet.labels)],
        [*sheet.acting, *acting],
        [*sheet.chosen, *chosen],
    )


def _short(value: float) -> str:
    """Whole numbers as such, small ones with three digits."""
    if value == round(value) and abs(value) < 100:
        return number(value, 0)
    return number(value, 3 if abs(value) < 0.1 else 2)


def tiles(alt: str) -> Fig:
    """One sheet of tiles, without numbers yet."""
    trace = {
        "type": "heatmap",
        "name": "tiles",
        "zmin": -1.0,
        "zmax": 1.0,
        "colorscale": more_and_less(),
        "showscale": False,
        "showlegend": False,
        "texttemplate": "%{text}",
        "textfont": {"size": 13},
        "xgap": 3,
        "ygap": 2,
        "hovertemplate": "%{y}, %{x}: %{text}<extra></extra>",
    }
    plain = {"showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True}
    layout = {
        "xaxis": {**plain, "side": "top", "title": {"text": ""}},
        "yaxis": {
            **plain,
            "tickfont": {"size": 12},
            "autorange": "reversed",
            "title": {"text": NOTHING, "standoff": 0},
        },
        "hovermode": "closest",
        "dragmode": False,
        "height": HEIGHT,
        "margin": {"t": 52, "b": 8, "l": 8, "r": 8},
    }
    return Fig([trace], layout, alt=alt).add_class("workbench-tiles")


def rounds_figure() -> Fig:
    """Tiles of every quantity, one column for a round."""
    return tiles("Every quantity of one weight update as tiles, one column for each round")


def matrices_figure() -> Fig:
    """Tiles of the matrices, one column for an input."""
    return tiles("The matrices of the present round of the update, and the change of the weights so far, as tiles")


def draw_tiles(rounds: Fig, beside: Fig, rule: str, look: Look) -> None:
    """Set the tiles to the numbers up to this stage."""
    _draw_sheet(rounds, strips(rule, look), "time step t" if ROUND[rule] == "Step" else "sample b")
    _draw_sheet(beside, matrices(rule, look), "input j")


def _draw_sheet(fig: Fig, sheet: Sheet, title: str) -> None:
    rows, columns = sheet.tints.shape
    fig.data[0].update(z=sheet.tints, text=sheet.texts, x=list(range(columns)), y=list(range(rows)))
    names = [str(k + 1) for k in range(columns)]
    fig.layout.xaxis.update(tickvals=list(range(columns)), ticktext=names, range=[-0.5, columns - 0.5])
    fig.layout.yaxis.update(tickvals=list(range(rows)), ticktext=sheet.labels)
    fig.layout.xaxis.title.text = say(title)
    frames = [_frame(box, ORANGE, 4) for box in sheet.acting] + [_frame(box, GREEN, 2) for box in sheet.chosen]
    fig.layout.shapes = [*_lines(sheet, columns), *frames]


def _lines(sheet: Sheet, columns: int) -> list[dict]:
    """A thin line between two quantities."""
    style = {"type": "line", "line": {"color": FAINT, "width": 2}, "x0": -0.5, "x1": columns - 0.5}
    return [{**style, "y0": k - 0.5, "y1": k - 0.5} for k in sheet.begins[1:]]


def _frame(box: Box, colour: str, width: int) -> dict:
    place = {"x0": box.column - 0.5, "x1": box.column + box.columns - 0.5}
    place |= {"y0": box.row - 0.5, "y1": box.row + box.rows - 0.5}
    return {"type": "rect", **place, "line": {"color": colour, "width": width}}
