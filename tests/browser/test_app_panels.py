"""The app as it is served: each panel opened by its link, moved to all ends, started and stopped where it trains."""

import re

import pytest
from barriers import barriers
from held_app import APP

from widgets.app import PANELS

TRAINED = {  # panels that train, with the least to do before their first step, or measure
    "cost": "&cost.steps=300&cost.width=1000",
    "training": "&training.per_class=50",
    "basis": "&basis.view=training",
    "overlap": "&overlap.tasks=2",
    "matrix": "&matrix.tasks=2",
    "playground": "&playground.epochs=1",
}
# From now on, keep what a text line says while it is the line of an error.
WATCH = """() => {
  window.wrong = [];
  const look = () => document.querySelectorAll('.workbench-wrong').forEach((line) => wrong.push(line.textContent));
  new MutationObserver(look).observe(document.body,
    { subtree: true, childList: true, attributes: true, attributeFilter: ['class'] });
  look();
}"""
# As many tabs as there should be, none cut off, low or on another.
TABS_ARE_WHOLE = """([count, width]) => {
  const boxes = [...document.querySelectorAll('[role=tab]')].map((tab) => tab.getBoundingClientRect());
  return boxes.length === count && boxes.every(({ left, right, height }) => left >= 0 && right <= width && height >= 24)
    && new Set(boxes.map(({ x, y }) => `${x} ${y}`)).size === count;
}"""
# What of a panel does not lie in view, at the top of its page: question, sentence, pictures, controls, challenge.
OUT_OF_VIEW = """() => [".workbench-question", ".workbench-status", ".workbench-picture", ".workbench-main",
  ".workbench-challenge", ".workbench-tools"].filter((part) => [...document.querySelectorAll(part)]
  .filter((node) => node.offsetParent).some((node) => {
    const { top, bottom, left, right } = node.getBoundingClientRect();
    return top < 0 || left < 0 || bottom > innerHeight + 1 || right > innerWidth + 1; }))"""
START = re.compile("Start|Measure")
IN_USE = "handle => Boolean(handle.offsetParent) && !handle.closest('[disabled]')"
AT_THE_END = "handle => handle.getAttribute('aria-valuenow') === handle.getAttribute('aria-valuemax')"


def open_tab(serve, open_page, name: str, more: str = ""):
    page = open_page(f"{serve(APP)}/?tab={name}{more}")
    page.locator(".workbench-figure .main-svg, .workbench-raster canvas").filter(visible=True).first.wait_for()
    page.evaluate(WATCH)
    return page


def text_line(page):
    return page.locator(".workbench-status").filter(visible=True)


def open_more(page) -> None:
    """Show the settings that wait behind the main ones, where there are any."""
    for switch in page.locator(".workbench-more").filter(visible=True).all():
        switch.click()
        page.locator(".workbench-rest").filter(visible=True).first.wait_for()


def move_all(page) -> int:
    """Each slider in use to both ends, last to the one where it was not before: how many there are."""
    open_more(page)
    moved = 0
    for handle in page.get_by_role("slider").filter(visible=True).element_handles():
        if not handle.evaluate(IN_USE):
            continue
        for key in ("End", "Home") if handle.evaluate(AT_THE_END) else ("Home", "End"):
            handle.press(key)
        moved += 1
    return moved


@pytest.mark.parametrize("name", [panel.name for panel in PANELS])
def test_a_panel_is_in_view_and_each_slider_goes_to_both_ends(serve, open_page, name):
    page = open_tab(serve, open_page, name)
    page.set_viewport_size({"width": 1280, "height": 720})
    page.wait_for_function(f"() => ({OUT_OF_VIEW})().length === 0")
    assert barriers(page) == []
    moved = move_all(page)
    # The link is written after the redraw: it tells when Python has drawn the last value.
    count = f"[...new URLSearchParams(location.search).keys()].filter(key => key.startsWith('{name}.')).length"
    page.wait_for_function(f"() => {count} >= {moved}")
    assert len(text_line(page).inner_text()) > 20
    assert page.evaluate("wrong") == []
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function("() => document.documentElement.scrollWidth <= 390")


@pytest.mark.parametrize("name", TRAINED)
def test_start_and_stop(serve, open_page, name):
    page = open_tab(serve, open_page, name, TRAINED[name])
    before = text_line(page).inner_text()
    page.get_by_role("button", name=START).filter(visible=True).click()
    page.wait_for_function(
        "(before) => [...document.querySelectorAll('.workbench-status')].some(line => line.offsetParent"
        " && line.innerText.length > 20 && line.innerText !== before)",
        arg=before,
    )
    page.get_by_role("button", name="Stop").filter(visible=True).click()
    page.get_by_role("button", name=START, disabled=False).filter(visible=True).wait_for()
    assert page.evaluate("wrong") == []


def test_one_update_is_played_and_held(serve, open_page):
    page = open_tab(serve, open_page, "step", "&step.at=7")
    page.locator(".workbench-formula mark").first.wait_for()
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => Number(new URLSearchParams(location.search).get('step.at')) >= 9")
    page.get_by_role("button", name="Hold").click()
    page.get_by_role("button", name="Play").wait_for()
    page.get_by_role("button", name="Back").click()
    assert "Step" in text_line(page).inner_text()
    assert page.evaluate("wrong") == []


def test_a_tab_that_is_opened_later_is_whole(serve, open_page):
    page = open_tab(serve, open_page, "trace")
    page.get_by_role("tab", name="Neuron").click()
    page.get_by_role("slider", name="threshold v_th").wait_for()
    page.wait_for_function("""() => [...document.querySelectorAll('.workbench-figure')].some(figure =>
      figure.data?.some(trace => trace.name === 'threshold v_th' && trace.x.length === 2 && trace.y.length === 2))""")


def test_the_tabs_are_reached_by_keyboard_and_none_is_cut_off(serve, open_page):
    page = open_tab(serve, open_page, "lif")
    page.get_by_role("tab", name="Neuron").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("tab=trace"))
    page.go_back()
    page.get_by_role("tab", name="Neuron", selected=True).wait_for()
    for width in (1200, 800, 390):
        page.set_viewport_size({"width": width, "height": 900})
        if width < 600:
            page.get_by_role("button", name="All panels").click()
        page.wait_for_function(TABS_ARE_WHOLE, arg=[len(PANELS) + 1, width])
