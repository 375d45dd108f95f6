"""Checkpoints: whole or not at all, clear about what is wrong with a file."""

from pathlib import Path

import pytest
import torch
from torch import nn

from workbench.training import checkpoint
from workbench.training.checkpoint import Place, load_checkpoint, save_checkpoint


def trained(optimizer=torch.optim.Adam, width=3):
    torch.manual_seed(0)
    network = nn.Linear(width, 2)
    optimizer = optimizer(network.parameters(), lr=0.1)
    for _ in range(3):
        network(torch.ones(4, width)).square().sum().backward()
        optimizer.step()
    return network, optimizer


@pytest.mark.parametrize(
    "optimizer", [torch.optim.Adam, torch.optim.SGD, lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9)]
)
def test_round_trip_continues_alike(tmp_path, optimizer):
    network, opt = trained(optimizer)
    save_checkpoint(tmp_path / "a.safetensors", network, opt, Place(3, 1.5, 70, "a run"))
    other, other_opt = nn.Linear(3, 2), None
    other_opt = optimizer(other.parameters(), lr=9.0)
    assert load_checkpoint(tmp_path / "a.safetensors", other, other_opt, "a run") == Place(3, 1.5, 70, "a run")
    for net, o in ((network, opt), (other, other_opt)):
        o.zero_grad()
        net(torch.ones(4, 3)).sum().backward()
        o.step()
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), other.parameters(), strict=True))


def test_no_half_file_when_the_disk_is_full(tmp_path, monkeypatch):
    network, opt = trained()
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, network, opt, Place(1))
    before = path.read_bytes()

    def full(tensors, target, metadata):
        Path(target).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(path, network, opt, Place(2))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_missing_damaged_and_foreign_files_are_told_apart(tmp_path):
    network, opt = trained()
    path = tmp_path / "a.safetensors"
    with pytest.raises(FileNotFoundError, match="start once without --resume"):
        load_checkpoint(path, network, opt)
    save_checkpoint(path, network, opt, Place(1))
    with pytest.raises(ValueError, match="another network"):
        load_checkpoint(path, nn.Linear(5, 2), opt)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ValueError, match=r"not a whole checkpoint.*delete it"):
        load_checkpoint(path, network, opt)
    checkpoint.write_safetensors(path, {"a": torch.ones(1)}, {"other": "x"})
    with pytest.raises(ValueError, match="not a whole checkpoint"):
        load_checkpoint(path, network, opt)
