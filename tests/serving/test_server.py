"""The commands that serve the notebooks, and the settings they bring."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from ports import own_port
from traitlets.utils.importstring import import_item

import workbench.serving
from workbench.serving import app_command, lab_command, notebooks_folder
from workbench.serving.connection import PROTOCOL, NoDelayConnection
from workbench.serving.process import running

SETTINGS = Path(workbench.serving.__file__).parent / "jupyter" / "config"


def test_the_app_is_the_notebook_of_the_checkout():
    command = app_command(9000, browser=False, preheat=2, dark=True)
    assert command[:4] == [sys.executable, "-m", "workbench.serving", "app"]
    assert command[4] == str(notebooks_folder() / "app.ipynb")
    assert {"--port=9000", "--Voila.ip=127.0.0.1", "--theme=dark", "--pool_size=2", "--no-browser"} <= set(command)
    assert "--VoilaKernelManager.fill_delay=6" in command
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


def test_a_negative_number_of_kernels_is_refused():
    with pytest.raises(ValueError, match="0 or more, got -1"):
        app_command(preheat=-1)


@pytest.mark.parametrize(("name", "section"), [("voila", "Voila"), ("jupyter_server_config", "ServerApp")])
def test_both_servers_use_the_connection_without_delay(name, section):
    settings = json.loads((SETTINGS / f"{name}.json").read_text())
    assert import_item(settings[section]["kernel_websocket_connection_class"]) is NoDelayConnection


def test_the_connection_turns_the_delay_off_before_it_connects(monkeypatch):
    calls = []
    monkeypatch.setattr(ZMQChannelsWebsocketConnection, "connect", lambda _: calls.append("connect") or "done")
    handler = SimpleNamespace(set_nodelay=lambda on: calls.append(on), selected_subprotocol=PROTOCOL)
    monkeypatch.setattr(NoDelayConnection, "websocket_handler", handler)
    assert NoDelayConnection.__new__(NoDelayConnection).connect() == "done"
    assert calls == [True, "connect"]


def test_no_template_names_another_machine():
    templates = SETTINGS.parent / "share" / "voila" / "templates" / "workbench"
    pages = [page for page in templates.iterdir() if page.suffix in (".html", ".j2")]
    assert len(pages) >= 4
    assert not [page for page in pages if "//" in page.read_text().replace("</", "")]


def test_an_unknown_server_is_refused():
    done = subprocess.run([sys.executable, "-m", "workbench.serving", "tree"], capture_output=True, text=True)
    assert done.returncode != 0
    assert "app|lab" in done.stderr


def test_a_server_that_ends_at_once_is_told_with_its_log(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit('no such port')"]
    with (
        pytest.raises(RuntimeError, match=r"ended with status 1(.|\n)*no such port"),
        running(command, "http://127.0.0.1:9", tmp_path / "log"),
    ):
        pass


def test_a_server_runs_for_the_length_of_the_block(tmp_path):
    port = own_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with running(command, f"http://127.0.0.1:{port}", tmp_path / "log") as process:
        assert is_running(process)
    assert not is_running(process)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
