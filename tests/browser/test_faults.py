"""What a page says when the computation or the server behind it is gone, and what it gets back."""

import os
import signal

import pytest
from visitors import process_of

WAVE = """import os
from wave_panel import Wave
from widgets.app import App
App([Wave], os.environ.get("QUERY_STRING", ""))"""
KERNEL = "() => JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId"


def wave_page(context, url: str):
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector(".workbench-figure .main-svg", state="attached")
    return page


def banner(page, text: str):
    line = page.get_by_role("alert").filter(has_text=text)
    line.wait_for()
    return line


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_kernel_is_said_and_a_reload_brings_the_state_and_the_pictures_back(serve, bare_page, signum):
    page = wave_page(bare_page.context, f"{serve(WAVE)}/")
    page.get_by_role("slider", name="points").press("Home")
    page.wait_for_url("**wave.points=10**")
    kernel = page.evaluate(KERNEL)
    os.kill(process_of(kernel), signum)
    line = banner(page, "The computation behind this page has ended")
    assert "the link keeps the state" in line.inner_text()
    line.get_by_role("button", name="Reload").click()
    page.get_by_role("status").filter(has_text="has 10 points").wait_for()
    assert page.evaluate(KERNEL) != kernel
    assert page.get_by_role("alert").count() == 0
    page.get_by_text("The pictures as they were").click()
    image = page.locator("#workbench-kept img").first
    assert image.get_attribute("alt") == "A wave over time"
    page.wait_for_function("() => document.querySelector('#workbench-kept img').naturalWidth > 100")
