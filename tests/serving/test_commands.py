"""The command that starts a server, and what it refuses."""

import json
import sys

import pytest
from visitors import ask, channels, notebook, open_page

from workbench.serving import app_command, commands, free_port, hub_command, lab_command, running
from workbench.shipped import notebooks_folder


def test_other_addresses_than_loopback_ask_for_a_token(tmp_path):
    command = app_command(9000, address="0.0.0.0", browser=False)
    assert "--Voila.auto_token=True" in command
    assert "--Voila.auto_token=True" not in app_command(9000)
    assert "--Voila.auto_token=True" not in app_command(9000, address="0.0.0.0", public=True)
    port = free_port()
    # The same switch, on loopback: no test listens to the network.
    command = [*app_command(port, notebook=notebook(tmp_path / "page.ipynb", "1"), browser=False), "--token=secret"]
    with running(command, f"http://127.0.0.1:{port}/login", tmp_path / "log"):
        answer = ask(port)
        assert answer.status == 302
        assert "/login" in answer.headers["location"]
        assert ask(port, "/?token=wrong").status == 302
        assert ask(port, "/workbench/alive/00000000-0000-0000-0000-000000000000").status in (302, 403)
        kernel = open_page(port, "/?token=secret")
        assert ask(port, f"/api/kernels/{kernel}").status == 403
        with pytest.raises(Exception, match="403"), channels(port, kernel):
            pass
        answer = ask(port, f"/workbench/alive/{kernel}?token=secret")
        assert json.loads(answer.text) == {"alive": True}


@pytest.mark.parametrize("path", ["lab/", "/lab", "//evil.example/", "/a b/"])
def test_a_base_url_that_is_none_is_refused(path):
    with pytest.raises(ValueError, match=r"begins and ends with '/', got"):
        app_command(base_url=path)


def test_the_app_is_the_notebook_of_the_checkout():
    command = app_command(9000, browser=False, dark=True)
    assert command[:4] == [sys.executable, "-m", "workbench.serving", "app"]
    assert command[4] == str(notebooks_folder() / "app.ipynb")
    assert {"--port=9000", "--Voila.ip=127.0.0.1", "--theme=dark", "--no-browser"} <= set(command)
    assert "--no-browser" not in app_command(9000)
    assert lab_command(9001)[4] == str(notebooks_folder())
    assert "--allow-root" in lab_command(9001, root=True)
    assert "--allow-root" not in lab_command(9001)


@pytest.mark.parametrize("port", [0, 65536, -1])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(ValueError, match=f"from 1 to 65535, got {port}"):
        app_command(port)
    with pytest.raises(ValueError, match=f"from 1 to 65535, got {port}"):
        lab_command(port)


def test_kernels_talk_over_files_where_their_names_fit(monkeypatch, tmp_path):
    private = "--KernelManager.transport=ipc"
    monkeypatch.setattr(commands, "jupyter_runtime_dir", lambda: "/run/user/1000/jupyter")
    monkeypatch.setattr(commands.tempfile, "gettempdir", lambda: "/tmp")
    assert private in lab_command()
    assert private in app_command()
    monkeypatch.setattr(commands, "jupyter_runtime_dir", lambda: f"/srv/class/{'x' * 50}/.local/share/jupyter/runtime")
    monkeypatch.setattr(commands.tempfile, "gettempdir", lambda: f"/var/{'x' * 50}")
    assert private not in lab_command()
    assert private not in app_command()


def test_a_server_under_a_hub_needs_the_hub_and_ends_what_nobody_uses(monkeypatch, tmp_path):
    monkeypatch.setattr(commands, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="needs the package jupyterhub"):
        hub_command(tmp_path)
    monkeypatch.setattr(commands, "find_spec", lambda name: name)
    command = hub_command(tmp_path, root=True)
    assert command[:4] == [sys.executable, "-m", "workbench.serving", "hub"]
    assert f"--ServerApp.root_dir={tmp_path}" in command
    assert {"--MappingKernelManager.cull_idle_timeout=1200", "--ServerApp.shutdown_no_activity_timeout=3600"} <= set(
        command
    )
    assert "--allow-root" in command
    assert "--allow-root" not in hub_command(tmp_path)
