"""`Fig`: plotly's FigureWidget, made to live on a page with many of its kind.

The stock class sends 5 MB of script with every figure and each figure runs its own copy, one second of work for the
page. anywidget 0.11 gives a model two seconds to get ready, so on a page of four figures some are drawn and then never
move again. Here a page loads plotly.js once, and of it only what draws scatter, bar and heatmap where that is all that
is needed (workbench/serving/bundles.py). Figures wait for it without missing an edit, a page that opens late or is
reloaded gets the figure as it is now, a figure fits its box also after a hidden tab is opened (static/fit.js), and data
that moves within its axes is drawn alone, in half the time (static/quick_redraw.js).

It builds on what plotly 7.1 and anywidget 0.11 do inside; `workbench doctor` names a version that it was not tried
with. The proof is tests/browser/.
"""

import math
import sys
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any, ClassVar, Literal

# jsonschema, which plotly imports through nbformat, builds a grammar with this module at import: 1.4 s of every
# kernel's start. It only serves to check internationalised addresses, and jsonschema goes without it when missing.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

import anywidget  # noqa: E402
import plotly.graph_objects as go  # noqa: E402
import traitlets  # noqa: E402
from plotly.basedatatypes import BaseFigure  # noqa: E402
from plotly.serializers import custom_serializers  # noqa: E402

from widgets.drawing.handles import Handle  # noqa: E402
from widgets.drawing.quick_traces import quicken  # noqa: E402
from widgets.drawing.spoken import spoken  # noqa: E402
from widgets.drawing.theme import template  # noqa: E402
from widgets.drawing.twin import Twinned, twin_script  # noqa: E402
from workbench.language import say  # noqa: E402
from workbench.serving import is_served  # noqa: E402
from workbench.serving.bundles import CORE, TRACES, core_fits  # noqa: E402

HEIGHT = 320  # pixels
_STATIC = files("widgets") / "static"
_SHARED = (_STATIC / "shared_plotly.js").read_text("utf-8")
_PATCHES = twin_script() + "".join(
    (_STATIC / f"{name}.js").read_text("utf-8")
    for name in ("element", "live", "quick_redraw", "fit", "handles", "predict")
)
_UNUSED_BUTTONS = ["toImage", "sendDataToCloud", "sendChartToCloud", "shareChart"]
_UNUSED_BUTTONS += ["zoomIn2d", "zoomOut2d", "pan2d", "zoom2d", "autoScale2d", "select2d", "lasso2d"]

Bundle = Literal["core", "full"]  # of plotly.js, on a page


class _PlotlyLoader(anywidget.AnyWidget):
    """Carries a bundle of plotly.js to the page, unless the server gives it. Made with the first figure for it."""

    _esm = _SHARED + _PATCHES + (_STATIC / "plotly_loader.js").read_text("utf-8")
    bundle = traitlets.Unicode().tag(sync=True)
    source = traitlets.Bytes().tag(sync=True)

    _made: ClassVar[dict[Bundle, "_PlotlyLoader"]] = {}

    @classmethod
    def ensure(cls, bundle: Bundle) -> None:
        loader = cls._made.get(bundle)
        if loader is None or loader.comm is None:
            source = b"" if is_served() else _script(bundle)
            cls._made[bundle] = cls(bundle=bundle, source=source)


def _script(bundle: Bundle) -> bytes:
    return CORE.read_bytes() if bundle == "core" else str(go.FigureWidget._esm).encode("utf-8")


class Fig(Twinned):
    """A live plotly figure: create it once, then change its traces inside `with fig.batch_update():`.

    `data` and `layout` are what plotly takes; `layout` is laid over the workbench's template. `alt` names the picture
    for a screen reader. These texts are English and are shown in the language of the page; `subject` is `alt` as it was
    given. What is set later goes through `say` before. The height in `layout` is the natural one: a box of definite
    height, whose style has `--workbench-fit: 100%`, is filled by the figure. Clicks reach Python
    (`fig.data[0].on_click`), hovers stay on the page.

    A figure of scatter, bar and heatmap traces takes the small bundle of plotly.js, one with others the full bundle by
    itself. To add another trace later, say `full=True` when the figure is made.

    >>> fig = Fig([{"y": [1, 2, 3]}], {"xaxis": {"title": {"text": "time (steps)"}}}, alt="A straight line")
    >>> with fig.batch_update():
    ...     fig.data[0].y = [3, 2, 1]
    """

    _esm = _SHARED + (_STATIC / "figure.js").read_text("utf-8")
    _css = (_STATIC / "figure.css").read_text("utf-8")
    alt = traitlets.Unicode().tag(sync=True)
    _bundle: Any = traitlets.Unicode().tag(sync=True)
    _complete = False

    subject: str = ""
    dragged = traitlets.Dict().tag(sync=True, echo_update=False)
    _grips = traitlets.List().tag(sync=True)
    _handles: tuple[Handle, ...] = ()
    data: Any  # plotly is typed in part only
    layout: Any

    def __init__(self, data: Any = None, layout: dict | None = None, *, alt: str, full: bool = False) -> None:
        foreign = full or not core_fits() or not TRACES.issuperset(_types(data))
        self._bundle = "full" if foreign else "core"
        _PlotlyLoader.ensure(self._bundle)
        super().__init__(spoken(data), {"template": template(), "height": HEIGHT, **spoken(layout or {})})
        quicken(self.data)
        self.alt, self.subject = say(alt), alt
        self._config = {"displaylogo": False, "modeBarButtonsToRemove": _UNUSED_BUTTONS}
        self._complete = True
        self.open()

    def open(self) -> None:
        """Tell the page of a figure that is complete. plotly opens it empty and sends afterwards what it holds."""
        if self._complete:
            super().open()

    def add_traces(self, data: Any, *args: Any, **settings: Any) -> "Fig":
        """As plotly's; a trace that the figure's bundle cannot draw is refused."""
        other = set() if self._bundle == "full" else {*_types(data)} - TRACES
        if other:
            known = ", ".join(sorted(TRACES))
            raise ValueError(
                f"a trace of type {min(other)!r} was added to {self!r}, which was made to draw {known} only; "
                "make the figure with this trace, or with Fig(..., full=True)"
            )
        super().add_traces(spoken(data), *args, **settings)
        quicken(self.data)
        return self

    @property
    def handles(self) -> tuple[Handle, ...]:
        """What can be dragged; `dragged` says what was, in the words of `widgets.drawing.handles.pulled`."""
        return self._handles

    @handles.setter
    def handles(self, handles: Sequence[Handle]) -> None:
        self._handles = tuple(handles)
        self._grips = [{"trace": each.trace, "point": each.point, "train": bool(each.train)} for each in handles]

    def _send_update_msg(
        self, restyle_data: dict, relayout_data: dict, trace_indexes: Any = None, source_view_id: Any = None
    ) -> None:
        """Tell the page of an update in one message; plotly takes four, of which one takes the update back."""
        number: Any = self._last_trace_edit_id
        layout_number: Any = self._last_layout_edit_id
        with self.hold_sync():
            self._last_trace_edit_id, self._last_layout_edit_id = number + 1, layout_number + 1
            self._trace_edit_in_process = self._layout_edit_in_process = True
            self._py2js_update = {
                "style_data": restyle_data,
                "layout_data": relayout_data,
                "style_traces": self._normalize_trace_indexes(trace_indexes),
                "trace_edit_id": self._last_trace_edit_id,
                "layout_edit_id": self._last_layout_edit_id,
                "source_view_id": source_view_id,
            }
        self._trait_values["_py2js_update"] = None  # for pages that open later; one that is open takes each update once

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict:
        """The state as sent to a page that opens now. plotly keeps data and layout of the constructor only."""
        state = super().get_state(key, drop_defaults)
        live = {"_widget_data": "_data", "_widget_layout": "_layout"}
        current = {name: getattr(self, live[name]) for name in live.keys() & state.keys()}
        return _with_gaps(state | {name: custom_serializers["to_json"](value, self) for name, value in current.items()})

    def __repr__(self) -> str:
        return f"Fig({self.alt!r})"


def _with_gaps(told: Any) -> Any:
    """The same with None for each NaN and infinity in a list: JSON has neither, plotly.js draws a gap for all three.

    >>> _with_gaps({"x": [0.0, math.nan], "y": (1, -math.inf)})
    {'x': [0.0, None], 'y': [1, None]}
    """
    if isinstance(told, dict):
        return {name: _with_gaps(value) for name, value in told.items()}
    if isinstance(told, list | tuple):
        return [_with_gaps(value) for value in told]
    return None if isinstance(told, float) and not math.isfinite(told) else told


def _types(data: Any) -> Iterator[str]:
    """The types of traces in what plotly takes as `data`: traces or dicts, one or several, or a whole figure."""
    if isinstance(data, BaseFigure) or (isinstance(data, dict) and "data" in data):
        data = data["data"]
    for trace in data if isinstance(data, list | tuple) else [] if data is None else [data]:
        kind = trace["type"] if "type" in trace else None  # noqa: SIM401, traces of plotly have no `get`
        yield kind or "scatter"


def warm_figures() -> None:
    """Load what plotly loads at the first figure: its descriptions of traces and layouts, 10 MB."""
    dot, axis = {"color": "#000"}, {"title": {"font": {"size": 12}}}
    traces = [go.Scatter(x=[0], y=[0], line=dot, marker=dot), go.Bar(y=[0], marker=dot), go.Heatmap(z=[[0]])]
    layout = {"xaxis": axis, "yaxis": axis, "font": dot, "legend": {"font": dot}, "margin": {"t": 0}}
    go.Figure(traces, {**layout, "hoverlabel": {"font": dot}})
