#!/bin/sh
# The Littlest JupyterHub: run once as root on a machine that has it. An example: tljh itself was not run here.
set -eu
/opt/tljh/user/bin/pip install -c /opt/workbench/constraints.txt "/opt/workbench[app,fast]"
cat > /opt/tljh/config/jupyterhub_config.d/workbench.py <<'EOF'
c.Spawner.cmd = ["/opt/tljh/user/bin/workbench", "lab", "local-learning", "--hub"]
c.Spawner.default_url = "/lab/tree/00_start_here.ipynb"  # or "/workbench/app"
c.Spawner.environment = {"OMP_NUM_THREADS": "1"}
EOF
tljh-config set limits.memory 2G
tljh-config set limits.cpu 2
tljh-config set services.cull.timeout 3600
tljh-config reload
