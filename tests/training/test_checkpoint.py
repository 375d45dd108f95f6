"""Checkpoints: whole or not at all, clear about what is wrong with a file."""

import errno
import os
import platform
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import psi_speech
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


def small_state():
    network, opt = trained()
    return {"network": network_state(network), "optimizer": opt.state_dict()}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EACCES])
def test_no_half_file_and_clear_words_when_it_cannot_be_written(tmp_path, monkeypatch, number):
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, small_state())
    before = path.read_bytes()

    def full(part, content):
        part.touch()
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"a.safetensors cannot be written: .*Nothing was changed; .* disk|folder"):
        save_checkpoint(path, small_state())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


LIMITED = """
import resource, sys, torch
from pathlib import Path
from workbench.training import save_checkpoint
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    save_checkpoint(Path(sys.argv[1]), {"weights": torch.ones(4000)})
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are a matter of POSIX systems")
def test_a_file_that_grows_too_large_is_an_ordinary_error(tmp_path):
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "a.safetensors")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "a file may not be as large here" in done.stdout
    assert done.stderr == ""
    assert not list(tmp_path.iterdir())


def test_files_have_the_rights_that_new_files_have(tmp_path):
    before = os.umask(0o027)
    try:
        save_checkpoint(tmp_path / "a.safetensors", small_state())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.safetensors").stat().st_mode) == 0o640


def test_every_flipped_bit_is_found(tmp_path):
    """One bit in each byte of a small file, another one from byte to byte: none loads as something else."""
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, {"weights": torch.arange(5.0), "step": 3}, "a run")
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="not a whole checkpoint"):
            load_checkpoint(path)


def with_notes(path, words, tensors=None):
    """A file whose checksum fits, whatever its notes say."""
    tensors = tensors or {"a": torch.ones(1)}
    checkpoint.write_safetensors(path, tensors, {"checkpoint": words, "sha256": checkpoint._checksum(words, tensors)})


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("no JSON", "JSONDecodeError"),
        ("[]", "TypeError"),
        ("{}", "KeyError: 'format'"),
        ('{"format": 99}', "it has format 99, this version reads 2"),
        ('{"format": 2, "label": "", "versions": {}, "state": {"tensor": "gone"}}', "KeyError: 'gone'"),
        ('{"format": 2, "label": "", "versions": {}, "state": ' + 9000 * "[" + 9000 * "]" + "}", "RecursionError"),
    ],
)
def test_odd_notes_are_one_clear_error(tmp_path, words, why):
    with_notes(tmp_path / "a.safetensors", words)
    with pytest.raises(ValueError, match=rf"a.safetensors is not a whole checkpoint \({re.escape(why)}.*delete it"):
        load_checkpoint(tmp_path / "a.safetensors")


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path):
    path = tmp_path / "a.safetensors"
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    host = platform.node()
    mine, left = (tmp_path / f".a.safetensors.{host}.{number}.0.part" for number in (os.getppid(), dead.pid))
    elsewhere = tmp_path / f".a.safetensors.another-{host}.{dead.pid}.0.part"
    for part in (mine, left, elsewhere):
        part.write_text("half")
    save_checkpoint(path, small_state())
    assert sorted(tmp_path.iterdir()) == sorted([mine, elsewhere, path])


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
    assert load_checkpoint(path)["optimizer"]["param_groups"][0]["lr"] == 0.1
    with pytest.raises(IsADirectoryError, match="is a folder; name the file in it"):
        load_checkpoint(tmp_path)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ValueError, match=r"not a whole checkpoint.*delete it"):
        load_checkpoint(path)
    checkpoint.write_safetensors(path, {"a": torch.ones(1)}, {"other": "x"})
    with pytest.raises(ValueError, match=r"not a whole checkpoint.*something else, without the entry 'checkpoint'"):
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


def test_tied_parameters_are_kept_and_tied_again(tmp_path):
    network = nn.Linear(3, 2)
    network.register_parameter("again", network.weight)
    save_checkpoint(tmp_path / "a.safetensors", network_state(network))
    other = nn.Linear(3, 2)
    other.register_parameter("again", other.weight)
    restore_network(other, load_checkpoint(tmp_path / "a.safetensors"))
    assert torch.equal(other.weight, network.weight)
    assert other.again is other.weight


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SpikingMLP([6, 5], 3, Neuron(0.8, 0.6)), "hidden.0.neuron.decay: 0.5 in the file, 0.8 in the network"),
        (lambda: SpikingMLP([6, 5], 3, Neuron(0.5, 0.7)), "hidden.0.neuron.threshold: 0.6 in the file, 0.7"),
        (lambda: SpikingMLP([6, 5], 3, psi=psi_speech), "hidden.0.psi: psi_gesture in the file, psi_speech"),
        (lambda: SpikingMLP([6, 5], 3, standardize=False), "hidden.0.gain: float32 \\(5, 1\\) in the file"),
        (lambda: SpikingMLP([6, 5], 3, readout_decay=0.9), "readout.decay: 0.0 in the file, 0.9 in the network"),
        (lambda: SpikingMLP([6, 5], 3, recurrent=True), "hidden.0.recurrent"),
        (lambda: SpikingMLP([6, 5], 3).double(), "weight: float32 \\(5, 6\\) in the file, float64"),
        (lambda: SpikingMLP([6, 4], 3), "out_features: 5 in the file, 4"),
        (lambda: nn.Linear(6, 3), "the network: SpikingMLP in the file, Linear in the network"),
    ],
)
def test_another_network_is_refused_before_anything_changes(make, words):
    kept, other = network_state(SpikingMLP([6, 5], 3)), make()
    before = [parameter.clone() for parameter in other.parameters()]
    with pytest.raises(ValueError, match=words):
        restore_network(other, kept)
    assert all(torch.equal(a, b) for a, b in zip(before, other.parameters(), strict=True))
