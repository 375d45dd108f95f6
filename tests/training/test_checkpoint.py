"""Checkpoints: whole or not at all, clear about what is wrong with a file."""

from pathlib import Path

import pytest
import torch
from torch import nn

from workbench.training import checkpoint
from workbench.training.checkpoint import load_checkpoint, network_state, restore_network, save_checkpoint


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
    place = {"step": 3, "seconds": 1.5, "saved_bytes": 70}
    state = {"network": network_state(network), "optimizer": opt.state_dict(), "place": place}
    save_checkpoint(tmp_path / "a.safetensors", state, "a run")
    other, other_opt = nn.Linear(3, 2), None
    other_opt = optimizer(other.parameters(), lr=9.0)
    found = load_checkpoint(tmp_path / "a.safetensors", "a run")
    restore_network(other, found["network"])
    other_opt.load_state_dict(found["optimizer"])
    assert found["place"] == place
    for net, o in ((network, opt), (other, other_opt)):
        o.zero_grad()
        net(torch.ones(4, 3)).sum().backward()
        o.step()
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), other.parameters(), strict=True))


def test_no_half_file_when_the_disk_is_full(tmp_path, monkeypatch):
    network, opt = trained()
    path = tmp_path / "a.safetensors"
    state = {"network": network_state(network), "optimizer": opt.state_dict()}
    save_checkpoint(path, state)
    before = path.read_bytes()

    def full(tensors, target, metadata):
        Path(target).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(path, state)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_missing_damaged_and_foreign_files_are_told_apart(tmp_path):
    network, opt = trained()
    path = tmp_path / "a.safetensors"
    with pytest.raises(FileNotFoundError, match="start once without --resume"):
        load_checkpoint(path)
    save_checkpoint(path, {"network": network_state(network), "optimizer": opt.state_dict()}, "a run")
    with pytest.raises(ValueError, match="another network"):
        restore_network(nn.Linear(5, 2), load_checkpoint(path, "a run")["network"])
    with pytest.raises(ValueError, match=r"belongs to 'a run', not to 'other'.*another file"):
        load_checkpoint(path, "other")
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ValueError, match=r"not a whole checkpoint.*delete it"):
        load_checkpoint(path)
    checkpoint.write_safetensors(path, {"a": torch.ones(1)}, {"other": "x"})
    with pytest.raises(ValueError, match="not a whole checkpoint"):
        load_checkpoint(path)


def test_a_tree_comes_back_as_it_was(tmp_path):
    """Numbers as keys, lists in lists, tensors of all kinds; one tensor in two places is written once."""
    shared = torch.randn(40, 50)
    tree = {
        "empty": torch.zeros(3, 0, dtype=torch.float64),
        "by number": {0: {"step": torch.tensor(3.0), "lr": 0.1}, 7: None},
        "list": [1, [shared, "word", True], {}, []],
        "again": shared,
        "part": shared[:, 3],
        "generator": torch.Generator().manual_seed(3).get_state(),
    }
    path = tmp_path / "a.safetensors"
    checkpoint.save_checkpoint(path, tree)
    found = load_checkpoint(path)
    assert found["by number"] == tree["by number"]
    assert (found["list"][0], found["list"][1][1:], found["list"][2:]) == (1, ["word", True], [{}, []])
    assert torch.equal(found["list"][1][0], shared)
    assert found["again"] is found["list"][1][0]
    for name in ("empty", "part", "generator"):
        assert torch.equal(found[name], tree[name])
        assert found[name].dtype == tree[name].dtype
    assert path.stat().st_size < 1.8 * shared.nbytes + len(tree["generator"])


def test_a_network_remembers_which_parameters_learn(tmp_path):
    network = nn.Linear(3, 2)
    network.weight.requires_grad_(False)
    save_checkpoint(tmp_path / "a.safetensors", network_state(network))
    other = nn.Linear(3, 2)
    other.bias.requires_grad_(False)
    restore_network(other, load_checkpoint(tmp_path / "a.safetensors"))
    assert [p.requires_grad for p in other.parameters()] == [False, True]
    assert torch.equal(other.weight, network.weight)
