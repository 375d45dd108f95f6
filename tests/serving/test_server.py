"""The commands that serve the notebooks, and the settings they bring."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from traitlets.utils.importstring import import_item

import workbench.serving
from workbench.serving.connection import NoDelayConnection
from workbench.serving.frames import PROTOCOL

SETTINGS = Path(workbench.serving.__file__).parent / "jupyter" / "config"


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
