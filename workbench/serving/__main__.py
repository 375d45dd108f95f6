"""`python -m workbench.serving app|lab|hub ARGUMENTS`: Voila, JupyterLab or one user's server under a hub."""

import os
import sys
from pathlib import Path

JUPYTER = Path(__file__).resolve().parent / "jupyter"


def put_first(variable: str, folder: Path) -> None:
    """Put `folder` at the front of a search path in the environment."""
    paths = [str(folder), *filter(None, os.environ.get(variable, "").split(os.pathsep))]
    os.environ[variable] = os.pathsep.join(paths)


def main(arguments: list[str]) -> None:
    """Run a server until it is interrupted; `arguments` are its name and what Voila or JupyterLab takes."""
    put_first("JUPYTER_CONFIG_PATH", JUPYTER / "config")
    put_first("JUPYTER_PATH", JUPYTER / "share")
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # as in widgets.drawing.figure: 1.4 s
    match arguments:
        case ["app", *rest]:
            from workbench.serving.server import AppServer

            AppServer.launch_instance(rest)
        case ["lab", *rest]:
            from workbench.serving.lab_server import Lab

            Lab.launch_instance(rest)
        case ["hub", *rest]:
            from jupyterhub.singleuser import main as serve_one_user  # type: ignore[import-not-found]

            serve_one_user(argv=rest)
        case _:
            raise SystemExit("usage: python -m workbench.serving app|lab|hub [arguments]")


if __name__ == "__main__":
    main(sys.argv[1:])
