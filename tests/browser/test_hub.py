"""The app and the notebooks of each user behind a JupyterHub, with the file of docs/serving."""

import pytest
from gate import PATIENCE
from hubs import hub_with
from visitors import notebook

from workbench.shipped import notebooks_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the hub runs, with the homes of its users; one of them has worked in the course before."""
    folder = tmp_path_factory.mktemp("hub")
    course = folder / "homes" / "ada" / "local-learning"
    course.mkdir(parents=True)
    notebook(course / "00_start_here.ipynb", "print('mine')")
    return folder


@pytest.fixture(scope="module")
def hub(folder):
    with hub_with("jupyterhub_config.py", folder) as address:
        yield address


def enter(chromium, hub: str, name: str):
    page = chromium.new_context().new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(f"{hub}/hub/login")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill("open")
    page.get_by_role("button", name="Sign in").click()
    return page


def test_the_course_and_the_app_of_a_user(hub, folder, chromium):
    page = enter(chromium, hub, "ada")
    page.wait_for_url(f"{hub}/user/ada/lab/tree/00_start_here.ipynb**")
    page.get_by_text("print('mine')").first.wait_for()
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first.wait_for()  # over the websocket
    course = folder / "homes" / "ada" / "local-learning"
    assert "mine" in (course / "00_start_here.ipynb").read_text()
    assert {path.name for path in notebooks_folder().glob("[!.]*.ipynb")} <= {path.name for path in course.iterdir()}

    page.goto(f"{hub}/user/ada/workbench/app?tab=lif&lif.seed=3")
    page.wait_for_selector(".workbench-figure .main-svg", state="attached")
    page.get_by_role("slider", name="strength I").press("Home")
    page.wait_for_url(f"{hub}/user/ada/workbench/app?**lif.strength=0.0**")
    assert "lif.seed=3" in page.url
    with page.expect_response(f"{hub}/user/ada/workbench/alive/**") as answer:
        page.evaluate("dispatchEvent(new Event('online'))")  # asks at once
    assert answer.value.json() == {"alive": True}
    page.context.close()


def test_nobody_sees_the_server_of_another(hub, chromium):
    page = enter(chromium, hub, "bob")
    answer = page.goto(f"{hub}/user/ada/workbench/app")
    assert answer.status in (403, 404)
    assert page.get_by_text("Local Learning Workbench").count() == 0
    page.context.close()
