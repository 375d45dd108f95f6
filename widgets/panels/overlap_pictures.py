"""The pictures of `SubspaceOverlap`, with empty traces that the panel fills."""

from widgets.drawing.figure import Fig
from widgets.drawing.rows import bars, curve, number_table, table_layout
from widgets.drawing.theme import COLOURS, line
from widgets.frame.streams import MOST_TASKS
from workbench.language import say

MOST_LAYERS = 3


def shares_figure() -> Fig:
    """What each task added to each layer's claimed share, in stacked bars."""
    traces = [
        bars(
            f"task {t + 1}",
            COLOURS[t],
            say("task {task} added %{{text}} % of the space", task=t + 1),
            marker={"color": COLOURS[t], "line": {"width": 1, "color": "rgba(255,255,255,0.8)"}},
            width=0.6,
            textposition="none",
        )
        for t in range(MOST_TASKS)
    ]
    layout = {
        "barmode": "stack",
        "legend": {"traceorder": "normal"},
        "yaxis": {"title": {"text": "claimed share Θ (%)"}, "range": [0, 100]},
        "hovermode": "closest",
        "height": 300,
    }
    return Fig(traces, layout, alt="Share of each layer's input space that each task added to what is protected")


def similarity_figure() -> Fig:
    """How alike the tasks are, one cell for each pair."""
    hover = "similarity %{text} of tasks %{y} and %{x}: 1 the same, 0 nothing in common"
    cells, layout = number_table(1, "similarity", hover), table_layout("task", "task", 300)
    return Fig([cells], layout, alt="How alike the conceptors of the tasks are, one cell for each pair of tasks")


def left_figure() -> Fig:
    """What is left of a step along each direction, one curve for each layer."""
    hover = "at %{x:.0f} % of the directions a step keeps the share 1 − s = %{y:.2f}"
    layout = {
        "xaxis": {"title": {"text": "directions, the least free first (%)"}, "range": [0, 100]},
        "yaxis": {"title": {"text": "left of a step, 1 − s"}, "range": [-0.02, 1.05]},
        "hovermode": "closest",
        "height": 280,
    }
    alt = "Share of a step that is still allowed along each direction of each layer's input space"
    return Fig([curve("", line(k), hover) for k in range(MOST_LAYERS)], layout, alt=alt)
