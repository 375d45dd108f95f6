"""A hub for a class on one machine: `jupyterhub -f jupyterhub_config.py`. Try it so, then put in your own login.

Each user has JupyterLab with a copy of the course at /user/NAME/lab and the app at /user/NAME/workbench/app. The folder
of the course is filled at each start with the notebooks that it lacks; what is there stays as it is. Kernels end after
20 minutes without use, servers after an hour.
"""

import os
import sys

c = get_config()  # pyright: ignore[reportUndefinedVariable]

c.JupyterHub.bind_url = "http://127.0.0.1:8000/"  # behind nginx, which brings TLS
c.JupyterHub.cleanup_servers = True

# Who may come in. For a trial one password for all; for a course see lti_config.py, or any authenticator of yours.
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = os.environ["CLASS_PASSWORD"]
c.Authenticator.allow_all = True

# Processes of the hub's own user, in a folder for each name. With accounts on the machine: "local" instead of "simple".
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = os.path.join(os.environ.get("CLASS_HOMES", "/srv/class"), "{username}")
c.Spawner.cmd = [sys.executable, "-m", "workbench", "lab", "local-learning", "--hub"]
c.Spawner.default_url = "/lab/tree/00_start_here.ipynb"  # or "/workbench/app"
c.Spawner.environment = {"OMP_NUM_THREADS": "1"}
c.Spawner.http_timeout = c.Spawner.start_timeout = 120
c.JupyterHub.active_server_limit = 30
c.JupyterHub.concurrent_spawn_limit = 10
