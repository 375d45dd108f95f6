"""`workbench nir`: kept networks to files of NIR, and back."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from workbench.cli.parser import add_command, add_json, whole

RESETS = ("hard", "soft")


def add(commands: Any) -> None:
    """Its options."""
    text = "write a kept spiking network to a NIR file, or read one"
    examples = (
        "export runs/sound-stllr-0.safetensors net.nir",
        "export images.safetensors net.nir --shape 2 34 34 --dt 1e-3",
        "import net.nir network.safetensors --dt 1e-4 --reset soft",
    )
    parser = add_command(commands, "nir", nir, text, examples)
    parser.add_argument("action", choices=["export", "import"], metavar="ACTION", help="export or import")
    parser.add_argument("source", type=Path, metavar="FROM", help="the file that is read")
    parser.add_argument("target", type=Path, metavar="TO", help="the file that is written")
    parser.add_argument("--dt", type=float, metavar="SECONDS", help="width of a step; 1e-3, or what the file says")
    shape = "export: what a step of a sample measures, as 2 34 34; needed for pictures"
    parser.add_argument("--shape", type=whole("sizes", 1), nargs="+", metavar="SIZE", help=shape)
    parser.add_argument("--reset", choices=RESETS, help="import: this reset, whatever the file says; hard is NIR's own")
    add_json(parser)


def nir(arguments: argparse.Namespace) -> int:
    """Turn one file into the other; 1 where the package `nir` is not installed."""
    try:
        {"export": exported, "import": imported}[arguments.action](arguments)
    except ModuleNotFoundError as error:
        print(f"workbench: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"file": str(arguments.target)}) if arguments.json else arguments.target)
    return 0


def exported(arguments: argparse.Namespace) -> None:
    """A network file, or a run's checkpoint, to a NIR file."""
    from workbench.networks.exchange.nir_export import STEP, write_nir
    from workbench.training.network_file import load_network

    network = load_network(arguments.source).eval()
    write_nir(arguments.target, network, arguments.shape, STEP if arguments.dt is None else arguments.dt)


def imported(arguments: argparse.Namespace) -> None:
    """A NIR file to a network file."""
    from workbench.networks.exchange.nir_import import read_nir
    from workbench.neurons.lif import hard_reset, soft_reset
    from workbench.training.network_file import save_network

    reset = {None: None, "hard": hard_reset, "soft": soft_reset}[arguments.reset]
    network = read_nir(arguments.source, arguments.dt, reset)
    save_network(arguments.target, network, {"read from": str(arguments.source)})
