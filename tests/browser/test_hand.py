"""What can be dragged is dragged, by mouse and by finger, and gives what slider, key and link give."""

import re
from pathlib import Path

from playwright.sync_api import expect

RESULTS = Path(__file__).resolve().parents[2] / "test-results"
ALL = """import ipywidgets
from widgets.panels import stdp, lif, traces, eligibility, surrogate, conceptors, compression
panels = [stdp.STDPWindow(), lif.LIFExplorer(input="spikes you place", strength=0.4),
  traces.TraceDecay(), eligibility.EligibilityTimeline(), surrogate.SurrogateExplorer(),
  conceptors.ConceptorSubspaces(), compression.ActivationCompression()]
ipywidgets.VBox([panel.view for panel in panels])"""
HANDLES = [4, 4, 4, 3, 6, 3, 6, 3, 2]  # that are in view, of the figures that have any
TIMING = "from widgets.panels.stdp import STDPWindow\nSTDPWindow()"
APP = """import os
from widgets.app import App
from widgets.panels.stdp import STDPWindow
App([STDPWindow], os.environ.get("QUERY_STRING", ""))"""
RINGS = """(figure) => [...document.querySelectorAll('.js-plotly-plot')[figure]
  .querySelectorAll('.workbench-rings circle')].map((ring) => { const box = ring.getBoundingClientRect();
    return [+ring.dataset.handle, box.x + box.width / 2, box.y + box.height / 2] })"""
ALL_DRAWN = """() => document.querySelectorAll('.workbench-rings').length
  === document.querySelectorAll('.workbench-figure').length"""
POINTS = "([figure, trace]) => [...document.querySelectorAll('.js-plotly-plot')[figure].data[trace].x]"
WORDS = """(figure) => document.querySelectorAll('.js-plotly-plot')[figure].closest('.workbench-panel')
  .querySelector('.workbench-status').innerText.trim()"""
MOVED = f"""([figure, number, [words, x, y]]) => {{
  const ring = ({RINGS})(figure).find(([each]) => each === number);
  return ({WORDS})(figure) !== words || Math.hypot(ring[1] - x, ring[2] - y) > 3 }}"""
SETTLED = """() => new Promise((done) => {
  let still = 0;
  const watch = new MutationObserver(() => { still = 0 });
  document.querySelectorAll('.workbench-rings').forEach((rings) => watch.observe(rings, { childList: true }));
  const look = () => { if (++still < 25) return requestAnimationFrame(look); watch.disconnect(); done() };
  look();
})"""
PICTURE = """() => [...document.querySelectorAll('.js-plotly-plot')].map((figure) => figure.data.map(({ x, y }) =>
  [x, y].map((values) => [...(values ?? [])].map((value) => Number.isFinite(value) ? value : null))))"""


def ready(page, count: int = 2):
    page.wait_for_function(f"() => document.querySelectorAll('.workbench-rings').length >= {count}")
    page.wait_for_selector(".workbench-rings circle", state="attached")
    return page


def rings(page, figure: int) -> dict[int, tuple[float, float]]:
    page.evaluate("(k) => document.querySelectorAll('.js-plotly-plot')[k].scrollIntoView({ block: 'center' })", figure)
    return {number: (x, y) for number, x, y in page.evaluate(RINGS, figure)}


def drag(page, at, to) -> None:
    page.mouse.move(*at)
    page.mouse.down()
    page.mouse.move(*[(a + b) / 2 for a, b in zip(at, to, strict=True)])
    page.mouse.move(*to)
    page.mouse.up()


def wait_for_points(page, figure: int, trace: int, points: list) -> None:
    page.wait_for_function(f"(asked) => `${{({POINTS})(asked[0])}}` === `${{asked[1]}}`", arg=[[figure, trace], points])


def words(page, figure: int = 0) -> str:
    """What the panel of a figure says."""
    return page.evaluate(WORDS, figure)


def settled(page) -> None:
    """Come back once no ring has moved for 25 frames: a figure takes ten to come to rest."""
    page.evaluate(SETTLED)


def test_every_handle_follows_the_mouse(page_of, open_page):
    page = ready(open_page(page_of(ALL)), len(HANDLES))
    page.wait_for_function(ALL_DRAWN)
    settled(page)
    found = [len(rings(page, figure)) for figure in range(page.locator(".workbench-rings").count())]
    assert [count for count in found if count] == HANDLES
    for figure, count in enumerate(found):
        for k in sorted({0, count - 1}) if count else ():  # the first and the last; a drag takes two seconds
            there = list(rings(page, figure).items())
            number, (x, y) = there[min(k, len(there) - 1)]  # a drag may take another handle out of view
            before = [words(page, figure), x, y]
            page.mouse.move(x + 5, y)
            expect(page.locator(".js-plotly-plot").nth(figure)).to_have_class(re.compile("workbench-graspable"))
            drag(
                page, (x + 5, y), (x + (45 if k % 2 else -35), y - 30)
            )  # there and back, so that no control stays at its end
            page.wait_for_function(MOVED, arg=[figure, number, before])
            settled(page)


def slide_to(page, name: str, key: str, times: int) -> None:
    handle = page.get_by_role("slider", name=name)
    for _ in range(times):
        handle.press(key)


def test_drag_key_and_link_give_the_same(serve, open_page):
    page = ready(open_page(f"{serve(APP)}/?tab=stdp"))
    settled(page)
    spikes = rings(page, 1)
    step = (spikes[1][0] - spikes[0][0]) / 40  # from step 20 to step 60
    drag(page, spikes[0], (spikes[0][0] + 13 * step, spikes[0][1]))
    wait_for_points(page, 1, 0, [33, 60])
    page.wait_for_url("**stdp.pre_1=33**")
    settled(page)
    dragged = page.evaluate(PICTURE), words(page)
    slide_to(page, "pre spike 1 (step)", "ArrowRight", 4)
    wait_for_points(page, 1, 0, [37, 60])
    slide_to(page, "pre spike 1 (step)", "ArrowLeft", 4)
    wait_for_points(page, 1, 0, [33, 60])
    settled(page)
    assert (page.evaluate(PICTURE), words(page)) == dragged
    opened = ready(open_page(f"{serve(APP)}/?tab=stdp&stdp.pre_1=33"))
    wait_for_points(opened, 1, 0, [33, 60])
    settled(opened)
    assert (opened.evaluate(PICTURE), words(opened)) == dragged
    drag(page, rings(page, 1)[0], spikes[0])  # the same place again, after the slider has been elsewhere
    wait_for_points(page, 1, 0, [20, 60])


def test_a_click_adds_a_spike_and_a_double_click_removes_it(page_of, open_page):
    page = ready(open_page(page_of(TIMING)))
    settled(page)
    (x, y), (after, _) = rings(page, 1)[0], rings(page, 1)[1]
    page.mouse.click((x + after) / 2, y)
    wait_for_points(page, 1, 0, [20, 60, 40])
    settled(page)
    drag(page, rings(page, 1)[0], ((3 * x + after) / 4, y))  # the click that ends a drag adds none
    page.wait_for_function(f"() => ({POINTS})([1, 0])[0] === 30")
    page.mouse.click(x + 4, y)  # three is the most
    settled(page)
    wait_for_points(page, 1, 0, [30, 60, 40])
    page.mouse.dblclick(*rings(page, 1)[0])
    wait_for_points(page, 1, 0, [60, 40])
    wait_for_points(page, 1, 1, [28, 48])
    settled(page)
    assert words(page).startswith("Pre spikes at step 40 and 60, post spikes at step 28 and 48.")


RANGE = "() => document.querySelectorAll('.js-plotly-plot')[1]._fullLayout.xaxis.range.map(Math.round)"


def test_a_double_click_beside_the_spikes_resets_the_axes_and_adds_none(page_of, open_page):
    page = ready(open_page(page_of(TIMING)))
    settled(page)
    whole = page.evaluate(RANGE)
    (x, y), (after, _) = rings(page, 1)[0], rings(page, 1)[1]
    drag(page, (x - 30, y + 150), (after + 30, y + 230))  # in the row below: a box to zoom into
    page.wait_for_function(f"(whole) => `${{({RANGE})()}}` !== `${{whole}}`", arg=whole)
    settled(page)
    (x, y), (after, _) = rings(page, 1)[0], rings(page, 1)[1]
    page.mouse.dblclick((x + after) / 2, y)
    page.wait_for_function(f"(whole) => `${{({RANGE})()}}` === `${{whole}}`", arg=whole)
    settled(page)
    wait_for_points(page, 1, 0, [20, 60])


def finger(session, kind: str, *at) -> None:
    points = [{"x": x, "y": y} for x, y in at]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_a_finger_drags_a_spike_and_scrolls_the_page_beside_it(page_of, chromium):
    context = chromium.new_context(viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(page_of(TIMING))
    ready(page)
    settled(page)
    session = context.new_cdp_session(page)
    x, y = rings(page, 1)[0]
    top = "document.querySelectorAll('.js-plotly-plot')[1].getBoundingClientRect().top"
    start = page.evaluate(top)
    finger(session, "touchStart", (x - 10, y + 12))
    for k in range(1, 6):
        finger(session, "touchMove", (x - 10 + 10 * k, y + 12))
    finger(session, "touchEnd")
    page.wait_for_function(f"() => ({POINTS})([1, 0])[0] > 30")
    assert page.evaluate(top) == start
    settled(page)
    points = page.evaluate(POINTS, [1, 0])
    finger(session, "touchStart", (x + 100, y + 100))
    for k in range(1, 8):
        finger(session, "touchMove", (x + 100, y + 100 + 20 * k))
    finger(session, "touchEnd")
    page.wait_for_function(f"(start) => {top} > start + 50", arg=start)
    assert page.evaluate(POINTS, [1, 0]) == points
    page.screenshot(path=RESULTS / "hand-390.png")
    context.close()


def test_a_line_is_drawn_before_the_result_is_seen(page_of, open_page):
    page = ready(open_page(page_of(TIMING)))
    settled(page)
    figure = page.locator(".js-plotly-plot").first
    button = figure.locator(".workbench-predict-button")
    button.click()
    page.wait_for_function("() => document.querySelector('.js-plotly-plot').data[1].opacity === 0")
    expect(button).to_have_text("Show the result")
    assert rings(page, 0) == {}
    surface = figure.get_by_role("slider", name="your prediction of the weight change")
    box = surface.bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    page.mouse.up()
    for key in ("ArrowLeft", "ArrowUp", "ArrowUp"):
        surface.press(key)
    expect(surface).to_have_attribute("aria-valuetext", re.compile(r"^at 58: 0\.\d"))
    button.click()
    expect(figure.get_by_role("status")).to_have_text(
        re.compile("^On average your line is .* away from the weight change")
    )
    page.wait_for_function("() => document.querySelector('.js-plotly-plot').data[1].opacity !== 0")
    assert figure.locator(".workbench-predicted path").get_attribute("d").count("L") > 50
    page.screenshot(path=RESULTS / "predicted.png")
    button.click()
    expect(surface).to_be_hidden()
