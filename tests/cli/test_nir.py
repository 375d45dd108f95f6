"""`workbench nir`."""

import json
import sys

import torch
from exchanged import example

from workbench.cli.main import main
from workbench.networks.spiking import spiking_logits
from workbench.training.network_file import load_network, save_network


def test_a_network_goes_to_nir_and_comes_back(capsys, tmp_path):
    kept, written, again = (str(tmp_path / name) for name in ("net.safetensors", "net.nir", "again.safetensors"))
    network, x, shape = example("images")
    save_network(kept, network)
    assert main(["nir", "export", kept, written]) == 1
    assert "the size of the pictures that come in must be told" in capsys.readouterr().err
    assert main(["nir", "export", kept, written, "--shape", *map(str, shape)]) == 0
    assert main(["nir", "import", written, again, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"file": again}
    assert torch.equal(spiking_logits(load_network(again), x), spiking_logits(network, x))
    assert main(["nir", "import", kept, again]) == 1
    assert "is not a whole NIR file" in capsys.readouterr().err


def test_without_the_package(capsys, tmp_path, monkeypatch):
    save_network(tmp_path / "net.safetensors", example("mlp")[0])
    monkeypatch.setitem(sys.modules, "nir", None)
    assert main(["nir", "export", str(tmp_path / "net.safetensors"), str(tmp_path / "net.nir")]) == 1
    assert "pip install 'local-learning-workbench[nir]'" in capsys.readouterr().err
