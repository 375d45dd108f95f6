"""`workbench app`: what is served."""

from workbench.cli import app
from workbench.cli.main import main


def test_options_reach_the_server(monkeypatch, tmp_path):
    commands = []
    monkeypatch.setattr(app, "serve", lambda command: commands.append(command) or 0)
    notebook = tmp_path / "mine.ipynb"
    notebook.write_text("{}")
    assert main(["app", "--notebook", str(notebook), "--port", "9000", "--dark", "--places", "3"]) == 0
    assert {str(notebook), "--port=9000", "--theme=dark", "--AppServer.places=3"} <= set(commands[0])
