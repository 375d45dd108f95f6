"""The app as a lesson: the tour walked, tools used, themes switched, on a phone and without a mouse."""

import json
import os
import re
import signal

import pytest
from contrast import contrast
from gate import wait_for
from held_app import APP as HELD
from playwright.sync_api import expect
from visitors import KERNEL, gone, process_of

from widgets.tour import STATIONS

APP = "from widgets.app import build_app\nbuild_app()"
# what a visitor does at each station: the control by its label, and a key or a choice
VISITS = {
    "lif": ("threshold v_th", "End"),
    "trace": ("decay λ_pre", "End"),
    "stdp": ("post spike 1 (step)", "Home"),
    "eligibility": ("signal from (step)", "End"),
    "surrogate": ("slope", "End"),
    "locality": ("rule", "TESS"),
    "compression": ("energy ε", "Home"),
    "cost": ("learning steps K", "Home"),
    "conceptors": ("aperture α", "End"),
    "step": ("stage", "End"),
}
STROKES = """() => [...document.querySelectorAll('.workbench-figure .js-line')]
  .filter((line) => line.getBoundingClientRect().width).map((line) => getComputedStyle(line).stroke)"""


def drawn(page):
    page.locator(".workbench-figure .main-svg").filter(visible=True).first.wait_for()
    return page


def status(page, pattern: str):
    page.locator(".workbench-status").filter(has_text=re.compile(pattern)).filter(visible=True).wait_for()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_a_first_visitor_walks_the_tour(serve, open_page, width, dark):
    page = open_page(f"{serve(APP)}/?theme={'dark' if dark else 'light'}", width=width)
    page.get_by_role("button", name="Start the tour").click()
    tour = page.get_by_role("region", name="Tour")
    for number, station in enumerate(STATIONS, 1):
        expect(tour).to_contain_text(f"{number} of {len(STATIONS)}. {station.do}")
        drawn(page)
        label, action = VISITS[station.panel]
        if action in ("Home", "End"):
            page.get_by_role("slider", name=label).filter(visible=True).press(action)
        else:
            page.get_by_role("combobox", name=label, exact=True).filter(visible=True).select_option(action)
        expect(tour).to_contain_text(f"✓ {station.told}")
        page.get_by_role("button", name="Go on" if number < len(STATIONS) else "Finish").click()
    expect(tour).to_be_hidden()


def test_presets_undo_pin_reset_challenge_and_the_way_on(serve, open_page):
    page = drawn(open_page(f"{serve(APP)}/?tab=stdp"))
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    page.get_by_text("Presets", exact=True).click()
    page.get_by_role("button", name="Causal pairs only").click()
    status(page, "0 non-causal|non-causal pairs .* \\+0.000")
    page.get_by_role("button", name="Pin").click()
    page.wait_for_function(
        "() => document.querySelector('.workbench-figure').data.some((trace) => /pinned/.test(trace.name))"
    )
    page.get_by_role("button", name="Undo").click()
    status(page, "−0.751|-0.751")
    page.get_by_role("button", name="Show me").click()
    page.locator(".workbench-solved").filter(has_text="Solved").wait_for()
    page.get_by_role("button", name="Reset", exact=True).click()
    status(page, "−0.751|-0.751")
    page.get_by_role("link", name="Next: ").filter(visible=True).click()
    page.get_by_role("tab", name="Eligibility", selected=True).wait_for()
    page.wait_for_url(re.compile("tab=eligibility"))
    page.go_back()
    page.get_by_role("tab", name="Timing", selected=True).wait_for()


def test_pictures_and_numbers_are_saved_without_the_network(serve, open_page):
    page = drawn(open_page(f"{serve(APP)}/?tab=trace"))
    saved = {}
    for kind in ("Numbers (CSV)", "Picture (SVG)", "Picture (PNG)"):
        page.get_by_text("Export", exact=True).click()
        with page.expect_download() as download:
            page.get_by_role("button", name=kind).click()
        saved[kind] = download.value.path().read_bytes()
    lines = saved["Numbers (CSV)"].decode().splitlines()
    assert lines[0] == "figure,trace,x,y,z"
    numbers = page.evaluate("() => document.querySelector('.workbench-figure')._fullData.map((t) => t.y?.length ?? 0)")
    assert len(lines) == 1 + sum(numbers)
    assert saved["Picture (SVG)"].startswith(b"<svg")
    assert saved["Picture (PNG)"].startswith(b"\x89PNG")


def test_light_and_dark_are_switched_on_the_page_and_every_line_stands_out(serve, open_page):
    page = drawn(open_page(f"{serve(APP)}/?tab=stdp&theme=light"))
    for name, theme in (("Dark", "dark"), ("Light", "light")):
        page.get_by_role("button", name=name, exact=True).click()
        page.wait_for_url(re.compile(f"theme={theme}"))
        page.wait_for_function(f"() => document.body.dataset.jpThemeLight === '{json.dumps(theme == 'light')}'")
        background = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        strokes = page.evaluate(STROKES)
        assert strokes
        assert min(contrast(stroke, background) for stroke in strokes) >= 3
        assert contrast(page.locator(".workbench-question").evaluate("e => getComputedStyle(e).color"), background) > 7


def test_on_a_phone_the_picture_stays_while_the_controls_move(serve, open_page):
    page = drawn(open_page(f"{serve(APP)}/?tab=lif", width=390))
    page.locator(".workbench-more").filter(visible=True).click()
    page.locator(".workbench-show-code").filter(visible=True).scroll_into_view_if_needed()
    page.get_by_text("Next: Trace").scroll_into_view_if_needed()
    box = page.locator(".workbench-pictures").filter(visible=True).bounding_box()
    assert box["y"] >= -1
    assert box["y"] + box["height"] <= 900
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_what_a_label_means_is_told_to_the_keyboard_and_by_touch(serve, open_page):
    page = drawn(open_page(f"{serve(APP)}/?tab=lif"))
    page.get_by_role("slider", name="strength I").focus()
    page.keyboard.press("Tab")  # the number beside the slider
    page.keyboard.press("Tab")
    expect(page.get_by_role("tooltip")).to_contain_text("γ: decay of the membrane")
    page.keyboard.press("Escape")
    expect(page.get_by_role("tooltip")).to_have_count(0)
    page.locator(".widget-label", has_text="threshold v_th").filter(visible=True).click()
    expect(page.get_by_role("tooltip")).to_contain_text("v_th: threshold")


def test_lecture_mode_is_opened_by_a_link(serve, open_page):
    page = drawn(open_page(f"{serve(APP)}/?tab=stdp&present=&hide=controls,tools"))
    expect(page.locator(".workbench-side").filter(visible=True)).to_have_count(0)
    assert page.locator(".workbench-question").evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= 28
    lines = page.locator(".workbench-figure .js-line")
    assert lines.first.evaluate("e => getComputedStyle(e).strokeWidth") == "3px"


def test_a_run_outlives_a_reload_and_ends_with_its_page(serve, bare_page):
    """The browser asks first: who stays keeps the run, who reloads the page has it back, who closes it ends it."""
    page = bare_page
    page.goto(f"{serve(HELD)}/?tab=training")
    drawn(page).get_by_role("button", name="Start").filter(visible=True).click()
    status(page, "running at epoch")
    process = process_of(page.evaluate(KERNEL))
    leave(page).dismiss()
    page.get_by_role("button", name="Pause").filter(visible=True).click()
    page.get_by_role("button", name="Resume").filter(visible=True).wait_for()
    page.evaluate("globalThis.before = true")
    leave(page).accept()
    page.wait_for_function("() => !globalThis.before")
    drawn(page).get_by_role("button", name="Resume").filter(visible=True).click()
    os.kill(process, signal.SIGUSR1)
    status(page, "finished at epoch")
    expect(page.locator(".workbench-running")).to_have_count(0)
    assert page.locator("#workbench-kept").count() == 0  # pictures as they were: for a page without its computation
    page.close(run_before_unload=True)
    wait_for(lambda: gone(process))


def leave(page):
    """Reload the page: the question that the browser asks first."""
    with page.expect_event("dialog") as asked:
        page.evaluate("requestAnimationFrame(() => location.reload())")
    return asked.value


def test_a_page_in_spanish_keeps_its_language_and_goes_back(serve, open_page):
    page = open_page(f"{serve(APP)}/?lang=es")
    expect(
        page.get_by_role("heading", name="¿Cómo puede aprender una sinapsis de lo que tiene al lado?")
    ).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    page.get_by_role("tab", name="Neurona").click()
    drawn(page)
    page.get_by_role("slider", name="umbral v_th").filter(visible=True).press("End")
    status(page, "Silencio: en 100 pasos la membrana u llega a")
    page.wait_for_url("**lif.threshold=**")
    assert "lang=es" in page.url
    page.get_by_role("tab", name="Inicio").click()
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", name="How can a synapse learn from what is beside it?")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert "lang=en" in page.url
