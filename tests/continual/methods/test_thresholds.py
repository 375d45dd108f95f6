"""ε task by task, and what it is the share of: the details that a whole run does not show."""

import pytest
import torch
from torch import nn

from workbench.compression.tucker import rank_for_energy, spectrum
from workbench.continual.conceptors import Conceptor
from workbench.continual.methods.code_cl import CodeCL, CodeCLParams
from workbench.continual.methods.gpm import GPM, GPMParams
from workbench.continual.methods.lance import LanceContinual, LanceContinualParams, input_correlations, subspace_layers
from workbench.continual.methods.sgp import SGP, SGPParams
from workbench.continual.methods.trgp import TRGP, TRGPParams
from workbench.continual.multihead import MultiHead, mlp
from workbench.continual.protected import protected_layers

DTYPES = [torch.float32, torch.float64]
SIZES = (10, 6)  # equal energy along ten inputs: ε = 0.55 takes six of them, 0.75 takes eight


def equal_energies(dtype):
    """Each sample is one unit vector, each direction ten times; labels do not matter."""
    return torch.eye(10, dtype=dtype).repeat(10, 1), torch.arange(100) % 2


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("make", "params"), [(GPM, GPMParams), (SGP, SGPParams), (TRGP, TRGPParams)])
def test_the_first_task_has_the_threshold_itself_and_each_later_one_the_increase_more(make, params, dtype):
    network = mlp([2, 2], SIZES).to(dtype)
    method = make(network, params(threshold=0.55, increase=0.2, samples=100))
    x, y = equal_energies(dtype)
    layer = next(iter(protected_layers(network).values()))
    for task, expected in ((0, 6), (1, 8)):
        method.after_task(task, x, y)
        assert layer.vectors.shape == (10, expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_lance_raises_its_threshold_in_the_same_way(dtype):
    method = LanceContinual(mlp([2, 2], SIZES).to(dtype), LanceContinualParams(0.55, 0.2, samples=100))
    assert [method.energy(task) for task in range(4)] == pytest.approx([0.55, 0.75, 0.95, 1.0])
    x, y = equal_energies(dtype)
    layer = next(iter(subspace_layers(method.network).values()))
    for task, expected in ((0, 6), (1, 8)):
        method.after_task(task, x, y)
        assert layer.protected.shape == (10, expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_positions_are_cut_by_their_own_threshold(dtype):
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Flatten())
    network = MultiHead(body, 3 * 36, [2, 2]).to(dtype)
    method = LanceContinual(network, LanceContinualParams(threshold=0.5, increase=0.0, space=0.9, samples=60))
    x, y = torch.randn(60, 2, 6, 6, dtype=dtype), torch.arange(60) % 2
    method.before_task(0, x, y)
    method.after_task(0, x, y)
    method.before_task(1, x, y)
    L = input_correlations(network, lambda batch: network(batch, 1), x)["body.0"].positions
    energies, _ = spectrum(L)
    by_space, by_threshold = (rank_for_energy(energies, energy) for energy in (0.9, 0.5))
    assert by_space > by_threshold
    assert subspace_layers(network)["body.0"].positions.shape == (36, by_space)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_tasks_own_subspace_does_not_leave_out_what_is_protected_already(dtype):
    """The same inputs twice: the second task adds nothing to the basis of all, and its own subspace is the first's."""
    network = mlp([2, 2], SIZES).to(dtype)
    method = TRGP(network, TRGPParams(threshold=0.55, increase=0.0, samples=100))
    x, y = equal_energies(dtype)
    x = x * torch.linspace(1.0, 2.0, 10, dtype=dtype)
    for task in range(2):
        method.after_task(task, x, y)
    name = next(iter(protected_layers(network)))
    first, second = method.subspaces[name]
    assert first.shape == second.shape
    assert first.shape[1] > 0
    torch.testing.assert_close(first @ first.T, second @ second.T, rtol=0, atol=1e-5)
    assert protected_layers(network)[name].vectors.shape == first.shape


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_falls_below_the_floor_when_conceptors_are_joined_is_cut(dtype):
    """Two tasks along directions a few degrees apart: joined, what tells them apart has a value below 0.2."""
    method = CodeCL(mlp([2, 2], (3, 5)).to(dtype), CodeCLParams(aperture=1.0, kept=0.0, samples=20))
    layer = next(iter(protected_layers(method.network).values()))
    angle = torch.tensor(0.2, dtype=dtype)
    along = torch.stack([angle.cos(), angle.sin(), torch.zeros_like(angle)])
    y = torch.arange(20) % 2
    layer.protect(Conceptor(torch.eye(3, dtype=dtype)[:, :1], torch.full((1,), 0.5, dtype=dtype)))
    method.after_task(0, along.expand(20, 3), y)
    assert layer.vectors.shape == (3, 1)
    assert float(layer.values) > 0.6


@pytest.mark.parametrize("make", [GPM, SGP, TRGP, CodeCL, LanceContinual])
def test_methods_keep_nothing_before_the_first_task_has_ended(make):
    assert make(mlp([2, 2], SIZES)).kept_bytes() == 0
