"""A panel on a real page: moved, read, reloaded, in light and dark, wide and narrow, in Voila and in Lab."""

import json
import re

import pytest
from contrast import contrast
from gate import wait_for
from playwright.sync_api import expect

WAVE = "from wave_panel import Wave\nwave = Wave()\nwave"
APP = """import os
from wave_panel import Wave
from widgets.app import App
class Second(Wave):
    name, title = "second", "Another wave"
App([Wave, Second], os.environ.get("QUERY_STRING", ""))"""


def panel_page(open_page, url: str, **options):
    page = open_page(url, **options)
    page.wait_for_selector(".workbench-figure .main-svg", state="attached")
    return page


def expect_text(page, pattern: str):
    status = page.get_by_role("status").filter(has_text=re.compile(pattern)).filter(visible=True)
    status.first.wait_for()


def test_each_slider_to_both_ends(serve, open_page):
    page = panel_page(open_page, serve(WAVE))
    points = page.get_by_role("slider", name="points")
    points.press("End")
    expect_text(page, "has 500 points")
    page.wait_for_function("() => document.querySelector('.workbench-figure').data[0].y.length === 500")
    points.press("Home")
    expect_text(page, "has 10 points")
    frequency = page.get_by_role("slider", name="frequency")
    frequency.press("Home")
    expect_text(page, "reaches 0.00")
    figure = "document.querySelector('.workbench-figure').data[0].y"
    page.wait_for_function(f"() => {figure}.length === 10 && {figure}.every((y) => y === 0)")
    frequency.press("End")
    page.get_by_role("combobox", name="shape").select_option("cosine")
    expect_text(page, "reaches 1.00")


def test_an_error_is_read_in_the_text_line(serve, open_page):
    page = panel_page(open_page, serve(WAVE))
    points = page.get_by_role("slider", name="points")
    points.press("Home")
    for _ in range(3):
        points.press("ArrowRight")
    expect_text(page, "thirteen points are one too many")
    points.press("ArrowRight")
    expect_text(page, "has 14 points")


def test_names_values_and_focus_of_the_controls(serve, open_page):
    page = panel_page(open_page, serve(WAVE))
    slider = page.get_by_role("slider", name="frequency f (Hz)", exact=True)
    slider.press("ArrowRight")
    expect_text(page, "200 points")
    page.wait_for_function("() => document.querySelector('.noUi-handle').ariaValueText === '1.10'")
    expect(slider).to_have_css("outline-width", "3px")
    expect(slider).to_have_css("outline-style", "solid")
    expect(page.get_by_role("figure", name="A wave over time")).to_have_count(1)
    expect(page.get_by_role("img", name="Where the wave is high")).to_have_count(1)
    expect(page.get_by_role("button", name="Show the code", pressed=False)).to_have_count(1)
    status = page.locator(".workbench-status .widget-html-content")
    expect(status).to_have_attribute("aria-live", "polite")
    expect(status).to_have_attribute("aria-busy", "false")


def test_the_code_is_shown(serve, open_page):
    page = panel_page(open_page, serve(WAVE))
    page.get_by_role("button", name="Show the code").click()
    code = page.locator("pre.workbench-code")
    code.wait_for()
    page.get_by_role("slider", name="points").press("End")
    page.wait_for_function("() => document.querySelector('pre.workbench-code').textContent.includes('500)')")
    code.click()
    page.wait_for_function("() => getSelection().toString().includes('np.sin(2.0 * np.pi')")
    expect(page.get_by_role("button", name="Show the code", pressed=True)).to_have_count(1)


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (1200, True), (390, False), (390, True)])
def test_legible_in_light_and_dark_wide_and_narrow(serve, open_page, width, dark):
    page = panel_page(open_page, serve(WAVE) + f"?theme={'dark' if dark else 'light'}", width=width)
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)
    page.wait_for_function(
        "width => { const all = [...document.querySelectorAll('.widget-slider')];"
        " return all.length && all.every((box) => box.getBoundingClientRect().right <= width) }",
        arg=width,
    )
    text = page.locator(".workbench-figure .xtitle").evaluate("text => getComputedStyle(text).fill")
    background = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert contrast(text, background) > 7


def test_a_link_opens_the_picture_it_names_and_follows_it(serve, open_page):
    url = serve(APP)
    page = panel_page(open_page, f"{url}/?tab=second&second.points=50&second.square=true&theme=dark")
    expect_text(page, "has 50 points")
    expect(page.get_by_role("tab", name="Another wave", selected=True)).to_have_count(1)
    page.get_by_role("slider", name="points").filter(visible=True).press("Home")
    expect_text(page, "has 10 points")
    page.wait_for_url("**second.points=10**")
    assert "theme=dark" in page.url
    page.reload()
    expect_text(page, "has 10 points")


def test_a_link_with_mistakes_opens_and_names_them(serve, open_page):
    page = panel_page(open_page, serve(APP) + "/?tab=none&wave.points=9000&nothing.x=1")
    page.get_by_text("points must lie from 10 to 500, got 9000").wait_for()
    expect_text(page, "has 200 points")


@pytest.mark.parametrize(
    "path", ["nothing", "voila/files/page.ipynb", "page.ipynb", "?theme=nothing", "../../etc/passwd"]
)
def test_a_bad_address_gets_a_clean_page(serve, bare_page, path):
    requests = []
    bare_page.on("request", lambda request: requests.append(request.url))
    answer = bare_page.goto(f"{serve(APP)}/{path}")
    assert answer.status == 404
    bare_page.get_by_role("heading", name="There is no such page here").wait_for()
    assert all(url.startswith(("http://127.0.0.1", "data:")) for url in requests)
    bare_page.get_by_role("link", name="Open the workbench").wait_for()


def test_the_sources_stay_on_the_server(serve, bare_page):
    bare_page.goto(serve(APP))
    bare_page.wait_for_selector(".workbench-figure .main-svg", state="attached")
    assert "QUERY_STRING" not in bare_page.content()


def test_lab_shows_the_live_view_and_keeps_a_still_picture(open_in_lab):
    page = open_in_lab(WAVE)
    page.wait_for_selector(".workbench-figure .main-svg", state="attached")
    assert page.locator(".jp-OutputArea-output img").count() == 0
    page.get_by_role("slider", name="points").press("End")
    expect_text(page, "has 500 points")
    saved = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.model.toJSON()")
    data = saved["cells"][0]["outputs"][0]["data"]
    assert data["text/plain"] in ("Wave()", ["Wave()"])
    assert "image/png" in data
    assert "widgets" not in json.loads(json.dumps(saved["metadata"]))


def test_closing_a_page_ends_its_kernel(serve, bare_page):
    url, context = serve(WAVE), bare_page.context
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector(".workbench-figure .main-svg", state="attached")
    kernel = page.evaluate("() => JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId")
    address = f"{url}/api/kernels/{kernel}"
    assert context.request.get(address).status == 200
    page.close(run_before_unload=True)
    wait_for(lambda: context.request.get(address).status == 404, "the end of the closed page's kernel")
