"""Many figures on one page are all alive: in Voila and in Lab, visible or hidden, after a reload, on a slow machine."""

import pytest

EIGHT = "from wave_panel import eight_figures\neight_figures()"
TITLES = """() => [...document.querySelectorAll('.js-plotly-plot')].map(figure => figure.layout?.title?.text)"""
WIDTHS = """() => [...document.querySelectorAll('.js-plotly-plot')].filter(figure => figure.clientWidth)
  .map(figure => [figure.clientWidth, figure.querySelector('.main-svg').clientWidth])"""


def wait_for_titles(page, value: int) -> None:
    page.wait_for_function(
        f"() => {{ const t = ({TITLES})(); return t.length === 8 && t.every(x => x === 'at {value}') }}"
    )


def press(page, key: str, times: int) -> None:
    handle = page.get_by_role("slider").first
    for _ in range(times):
        handle.press(key)


def check_eight(page) -> None:
    """All eight follow the slider, those in the tab that was never opened too, and fit their box once it is opened."""
    page.wait_for_selector(".js-plotly-plot .main-svg", state="attached")
    wait_for_titles(page, 0)
    press(page, "ArrowRight", 3)
    wait_for_titles(page, 3)
    page.get_by_role("tab", name="second").click()
    press(page, "ArrowRight", 2)
    wait_for_titles(page, 5)
    page.wait_for_function(f"() => ({WIDTHS})().length === 4 && ({WIDTHS})().every(([box, plot]) => box === plot)")


def test_eight_figures_in_voila(page_of, open_page):
    check_eight(open_page(page_of(EIGHT)))


WAITS = """window.waits = []; const given = AbortSignal.timeout.bind(AbortSignal);
AbortSignal.timeout = (ms) => { window.waits.push(ms); return given(ms); };"""


def test_a_widget_that_is_not_ready_after_two_seconds_is_waited_for(page_of, bare_page):
    bare_page.add_init_script(WAITS)
    bare_page.goto(page_of(EIGHT))
    wait_for_titles(bare_page, 0)
    waits = bare_page.evaluate("() => waits")
    assert 2000 not in waits  # after which anywidget 0.11 gives a widget up
    assert waits.count(60_000) >= 8


@pytest.mark.parametrize("slowdown", [4.0])
def test_eight_figures_on_a_slow_machine(page_of, open_page, slowdown):
    check_eight(open_page(page_of(EIGHT), slowdown=slowdown))


def test_figures_fit_a_phone_and_a_window_that_changes(page_of, open_page):
    page = open_page(page_of(EIGHT), width=390)
    check_eight(page)
    page.wait_for_function("() => document.documentElement.scrollWidth <= 390")
    page.set_viewport_size({"width": 800, "height": 900})
    page.wait_for_function(f"() => ({WIDTHS})().every(([box, plot]) => box === plot && box > 500)")


def test_only_one_button_stands_over_a_figure(page_of, open_page):
    page = open_page(page_of(EIGHT))
    buttons = page.locator(".js-plotly-plot").first.locator(".modebar-btn")
    buttons.first.wait_for(state="attached")
    assert buttons.evaluate_all("all => all.map(button => button.dataset.title)") == ["Reset axes"]


def test_eight_figures_in_lab_also_after_a_reload(open_in_lab):
    page = open_in_lab(EIGHT)
    check_eight(page)
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    page.wait_for_selector(".js-plotly-plot .main-svg", state="attached")
    wait_for_titles(page, 5)
    press(page, "ArrowRight", 2)
    wait_for_titles(page, 7)


EARLY = """from IPython.display import display
from widgets.drawing.figure import Fig
fig = Fig([{"y": [0, 1, 0]}], {"title": {"text": "at the start"}}, alt="a figure")
display(fig)"""
EDITS = """for k in range(10):
    fig.layout.title.text = f"at {k}"
print("all were sent")"""
# plotly.js is loaded when the page has nothing else to do: here, when the test says so.
IDLE = """() => {
    window.held = []
    window.given = window.requestIdleCallback
    window.requestIdleCallback = (run) => window.held.push(run)
}"""
GO_ON = "() => { window.requestIdleCallback = window.given; window.held.forEach((run) => requestIdleCallback(run)) }"


def test_edits_that_come_while_plotly_loads_are_not_lost(open_in_lab):
    page = open_in_lab(EARLY, EDITS, before=IDLE)
    page.get_by_text("all were sent", exact=True).wait_for()
    page.wait_for_function("() => held.length > 0")
    assert page.locator(".js-plotly-plot").count() == 0
    page.evaluate(GO_ON)
    page.wait_for_function(f"() => ({TITLES})()[0] === 'at 9'")


WATCH = """() => document.querySelectorAll('.js-plotly-plot').forEach(figure => {
  figure.drawn = { alone: 0, whole: 0 };
  figure.on('plotly_animated', () => figure.drawn.alone++);
  figure.on('plotly_update', () => figure.drawn.whole++);
})"""
SHOWN = """() => [...document.querySelectorAll('.js-plotly-plot')].map(figure => ({
  y: figure.data.map(trace => [...(trace.y ?? [])].map(value => Number.isFinite(value) ? value : null)),
  paths: [...figure.querySelectorAll('path.js-line')].map(path => path.getAttribute('d')),
  ranges: Object.entries(figure._fullLayout).filter(([name]) => /^[xy]axis/.test(name)).map(([, axis]) => axis.range),
}))"""
DRAWN = "() => [...document.querySelectorAll('.js-plotly-plot')].map(figure => figure.drawn)"


def open_lif(page_of, open_page, state: str = ""):
    drawn_by_python = "from widgets.panels import lif\nlif.Twin = lambda *_: None"
    page = open_page(page_of(f"{drawn_by_python}\nlif.LIFExplorer({state})"))
    page.wait_for_function("() => document.querySelectorAll('.js-plotly-plot path.js-line').length >= 5")
    return page


SAME = f"(shown) => JSON.stringify(({SHOWN})()) === JSON.stringify(shown)"


@pytest.mark.parametrize(
    ("slider", "key", "state"),
    [("decay γ", "ArrowRight", "decay=0.91"), ("strength I", "End", "strength=2.0")],
    ids=["within its axes", "out of its axes"],
)
def test_what_moves_ends_as_if_drawn_whole(page_of, open_page, slider, key, state):
    page = open_lif(page_of, open_page)
    page.evaluate(WATCH)
    page.get_by_role("slider", name=slider).press(key)
    page.wait_for_function(f"() => ({DRAWN})().every(drawn => drawn.alone + drawn.whole >= 1)")
    opened = open_lif(page_of, open_page, state)
    page.wait_for_function(SAME, arg=opened.evaluate(SHOWN))  # the axes have settled


LEAVES = """import ipywidgets
from widgets.drawing.figure import Fig
lines = [{"x": [0, 1], "y": [0, 1], "mode": "lines"}, {"x": [0, 1], "y": [1, 1], "mode": "lines"}]
fig = Fig(lines, {"xaxis": {"range": [0, 1]}}, alt="two lines")
move = ipywidgets.Button(description="move")
def draw(_):
    with fig.batch_update():
        fig.data[0].y = [0, 5]
move.on_click(draw)
ipywidgets.VBox([move, fig])"""
FIRST_DRAWN = """() => { const figure = document.querySelector('.js-plotly-plot');
  const all = (place, read) => [...figure.querySelectorAll(place)].map(read);
  const picture = () => [figure._fullLayout.yaxis.range.slice(), all('.ytick text', (text) => text.textContent),
    all('.js-line', (line) => line.getAttribute('d'))];
  figure.on('plotly_animated', () => { window.alone = picture(); });
  figure.on('plotly_update', () => { window.whole = picture(); }); }"""


def test_axes_follow_at_once_what_leaves_them(page_of, open_page):
    page = open_page(page_of(LEAVES))
    page.wait_for_selector(".js-plotly-plot .js-line", state="attached")
    page.evaluate(FIRST_DRAWN)
    page.get_by_role("button", name="move").click()
    page.wait_for_function("() => window.alone && window.whole")
    alone, whole = page.evaluate("() => [alone, whole]")
    (low, high), ticks, _ = alone
    assert low <= 0 < 5 <= high
    assert "5" in ticks
    assert alone == whole


LAYERS = """import ipywidgets
from widgets.drawing.figure import Fig
heat = {"type": "heatmap", "z": [[0, 1], [2, 3]], "zmin": 0, "zmax": 3, "showscale": False}
bars = {"type": "bar", "x": [0, 1], "y": [0.5, 0.5]}
lines = [{"x": [0, 1], "y": [0, y], "mode": "lines+text", "text": ["a", str(y)]} for y in (0.2, 0.4, 0.6)]
layout = {"xaxis": {"range": [-1, 2]}, "yaxis": {"range": [-1, 2]}, "barmode": "overlay"}
fig = Fig([heat, bars, *lines], layout, alt="a map, bars and lines")
move = ipywidgets.Button(description="move")
def draw(_):
    with fig.batch_update():
        fig.data[2].update(y=[1, 0], text=["one", "b"])
        fig.data[4].y = [1, 1]
        fig.data[0].z = [[3, 2], [1, 0]]
move.on_click(draw)
ipywidgets.VBox([move, fig])"""
ORDER = """() => {
  const figure = document.querySelector('.js-plotly-plot');
  const all = (place, read) => [...figure.querySelectorAll(place)].map(read);
  return JSON.stringify([
    all('.mlayer', (layer) => layer.getAttribute('class')), all('.barlayer path', (bar) => bar.getAttribute('d')),
    all('.scatterlayer .js-line', (line) => [line.getAttribute('d'), line.getAttribute('style')]),
    all('.hm image', (image) => image.getAttribute('href')), all('.textpoint text', (text) => text.textContent)]); }"""


def test_lines_and_maps_move_by_themselves_and_everything_else_stays(page_of, open_page):
    page = open_page(page_of(LAYERS))
    page.wait_for_selector(".js-plotly-plot .hm image", state="attached")
    page.evaluate(WATCH)
    before = page.evaluate(ORDER)
    page.get_by_role("button", name="move").click()
    page.wait_for_function(f"() => ({DRAWN})()[0].alone === 1")
    alone = page.evaluate(ORDER)
    assert alone != before
    assert all(f'"{word}"' in alone for word in ("one", "0.4", "0.6"))
    page.set_viewport_size({"width": 1199, "height": 900})  # which draws it whole
    page.set_viewport_size({"width": 1200, "height": 900})
    page.wait_for_function(f"(alone) => ({ORDER})() === alone", arg=alone)


TIMING = "from widgets.panels.stdp import STDPWindow\nSTDPWindow()"
FITS = """() => [...document.querySelectorAll('.js-plotly-plot')].map((figure) => {
  const [legend, plot] = [figure.querySelector('.legend'), figure.querySelector('.nsewdrag')].map((part) =>
    part.getBoundingClientRect());
  return { width: figure.clientWidth, drawn: figure.querySelector('.main-svg').clientWidth,
    clear: Math.abs(legend.bottom - plot.top) < 2 && legend.top >= figure.getBoundingClientRect().top };
})"""


def test_the_legend_stays_clear_of_the_curves_when_the_page_gets_wider_and_narrower(page_of, open_page):
    page = open_page(page_of(TIMING), width=390)
    fits = f"(width) => {{ const all = ({FITS})(); return all.length === 2 && all.every((figure) =>"
    fits += " figure.clear && figure.width === figure.drawn && (figure.width < 400) === (width < 400)) }"
    page.wait_for_function(fits, arg=390)
    for width in (900, 390, 1200):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(fits, arg=width)


BOX = """import ipywidgets
from widgets.drawing.figure import Fig
fig = Fig([{"y": [0, 1]}], {"height": 250}, alt="a figure")
taller = ipywidgets.Button(description="taller")
taller.on_click(lambda _: fig.update_layout(height=400))
ipywidgets.VBox([taller, ipywidgets.VBox([fig]).add_class("box")])"""


def test_the_height_is_the_layout_s_unless_a_box_says_otherwise(page_of, open_page):
    page = open_page(page_of(BOX))
    drawn = """(height) => { const figure = document.querySelector('.js-plotly-plot');
      return figure?.clientHeight === height && figure.querySelector('.main-svg')?.clientHeight === height }"""
    page.wait_for_function(drawn, arg=250)
    page.get_by_role("button", name="taller").click()
    page.wait_for_function(drawn, arg=400)
    page.add_style_tag(content=".box { height: 300px; overflow: hidden; --workbench-fit: 100% }")
    page.wait_for_function(drawn, arg=300)


MIXED = """import ipywidgets
from widgets.drawing.figure import Fig
bars = {"type": "bar", "x": [0, 1, 2], "y": [3, 2, 1], "text": ["c", "b", "a"], "marker": {"pattern": {"shape": "/"}}}
heat = {"type": "heatmap", "z": [[0, 1], [2, 3]], "xaxis": "x2", "yaxis": "y2", "texttemplate": "%{z}"}
words = {"x": [0, 1], "y": [1, 2], "mode": "text", "text": ["left", "right"]}
layout = {"xaxis": {"domain": [0, 0.4]}, "xaxis2": {"domain": [0.6, 1]}, "yaxis2": {"anchor": "x2"}}
fig = Fig([bars, heat, words], layout, alt="bars, a map and words")
turn = ipywidgets.Button(description="turn")
def draw(_):
    with fig.batch_update():
        fig.data[0].update(y=[1, 2, 3], text=["a", "b", "c"])
        fig.data[1].z = [[9, 2], [1, 0]]
        fig.data[2].update(y=[2, 1], text=["one", "two"])
turn.on_click(draw)
ipywidgets.VBox([turn, fig])"""
PICTURES = """() => {
  const figure = document.querySelector('.js-plotly-plot');
  const all = (place, read) => [...figure.querySelectorAll(place)].map(read);
  const picture = () => JSON.stringify([
    all('.barlayer path', (bar) => [bar.getAttribute('d'), bar.getAttribute('style')]),
    all('.hm image', (image) => image.getAttribute('href')), all('text', (text) => text.textContent),
    all('.bars text, .textpoint text, .heatmap-label text', (text) => text.getAttribute('transform'))]);
  window.pictures = { before: picture() };
  figure.on('plotly_animated', () => pictures.alone = picture());
  figure.on('plotly_update', () => pictures.whole = picture());
}"""


def test_bars_maps_and_words_drawn_alone_look_as_if_drawn_whole(page_of, open_page):
    page = open_page(page_of(MIXED))
    page.wait_for_selector(".js-plotly-plot .hm image", state="attached")
    page.evaluate(PICTURES)
    page.get_by_role("button", name="turn").click()
    page.wait_for_function("() => pictures.alone && pictures.whole")
    pictures = page.evaluate("() => pictures")
    assert pictures["alone"] == pictures["whole"] != pictures["before"]
    assert all(f'"{word}"' in pictures["alone"] for word in ("a", "one", "two", "9", "8"))


BARS = """import ipywidgets
from widgets.drawing.figure import Fig
bars = [{"type": "bar", "marker": {"color": c, "pattern": {"shape": "/"}}} for c in ("#0072B2", "#D55E00")]
fig = Fig(bars, {"yaxis": {"range": [0, 2]}, "xaxis": {"range": [-1, 20]}}, alt="bars")
count = ipywidgets.IntSlider(value=0, min=0, max=15, description="count")
def draw(_):
    with fig.batch_update():
        for k in (0, 1):
            fig.data[k].update(x=list(range(count.value)), y=[1.0] * count.value)
count.observe(draw, "value")
ipywidgets.VBox([count, fig])"""
COLOURS = """() => { window.odd = []; window.most = 0; const look = () => {
  const bars = [...document.querySelectorAll('.barlayer .point path')];
  window.most = Math.max(window.most, bars.length);
  window.odd.push(...bars.map((bar) => bar.getAttribute('style') ?? '').filter((style) => !style.includes('url(')));
  requestAnimationFrame(look); }; look(); }"""


def test_bars_that_come_while_others_move_have_their_colours(page_of, open_page):
    page = open_page(page_of(BARS))
    page.wait_for_selector(".js-plotly-plot .main-svg", state="attached")
    page.evaluate(COLOURS)
    press(page, "ArrowRight", 5)
    page.wait_for_function("() => most === 10")
    assert page.evaluate("() => odd") == []


def test_what_is_read_off_a_step_is_of_that_step(page_of, open_page):
    page = open_lif(page_of, open_page)
    place = """(step) => { const figure = document.querySelector('.js-plotly-plot');
      const box = figure.getBoundingClientRect();
      const { xaxis, yaxis2 } = figure._fullLayout;
      return [box.left + xaxis._offset + xaxis.d2p(step), box.top + yaxis2._offset + yaxis2._length / 2] }"""
    read = """(step) => { const lines = [...document.querySelectorAll('.hoverlayer text')].map((t) => t.textContent);
      return lines[0] === `time t (steps): ${step}` && lines.slice(1) }"""
    page.mouse.move(*page.evaluate(place, 34))
    lines = page.wait_for_function(read, arg=34).json_value()
    assert lines == ["membrane before the reset u = 0.578", "after it u⁺ = 0.578"]
    page.mouse.move(*page.evaluate(place, 35))
    lines = page.wait_for_function(read, arg=35).json_value()
    assert lines == ["membrane before the reset u = 0.620", "after it u⁺ = 0.020"]


BOTH = """import ipywidgets
from widgets.drawing.figure import Fig
pie = Fig([{"type": "pie", "values": [1, 2, 3]}], alt="a pie")
ipywidgets.VBox([Fig([{"y": [0, 1]}, {"z": [[1]], "type": "heatmap"}, {"y": [1], "type": "bar"}], alt="three"), pie])"""
KINDS = """() => ["path.js-line", ".hm image", ".barlayer path", ".pielayer path"].every(
  (place) => document.querySelector(`.js-plotly-plot ${place}`))"""


def check_both(page) -> None:
    page.wait_for_function(KINDS)
    page.evaluate("() => Promise.all([workbenchPlotly.core.loaded, workbenchPlotly.full.loaded])")


def test_a_figure_of_other_traces_brings_the_full_plotly_in_voila(page_of, open_page):
    check_both(open_page(page_of(BOTH)))


def test_a_figure_of_other_traces_brings_the_full_plotly_in_lab(open_in_lab):
    check_both(open_in_lab(BOTH))


def test_a_page_of_our_own_traces_asks_for_the_small_bundle_only(page_of, open_page):
    page = open_page(page_of(EIGHT))
    page.wait_for_selector(".js-plotly-plot .main-svg", state="attached")
    asked = page.evaluate("() => performance.getEntriesByType('resource').map((entry) => new URL(entry.name).pathname)")
    assert "/workbench/static/plotly_core.js" in asked
    assert "/voila/plotly/widgetbundle.js" not in asked
