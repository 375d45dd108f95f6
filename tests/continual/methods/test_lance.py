"""LANCE's continual learning: subspaces by definition, ΔW P = 0 after training, nothing where nothing is left."""

import pytest
import torch
import torch.nn.functional as F
from energies import DTYPES, SIZES, equal_energies
from torch import Tensor, nn

from workbench.compression.tucker import rank_for_energy, spectrum
from workbench.continual.learning import StreamSetting, accuracy_matrix, sgd
from workbench.continual.methods.lance import (
    LanceContinual,
    LanceContinualParams,
    SubspaceLayer,
    input_correlations,
    subspace_layers,
)
from workbench.continual.multihead import MultiHead, mlp
from workbench.continual.streams import Task
from workbench.continual.subspaces import one_sided
from workbench.meters.timeline import network_tensors, saved_bytes
from workbench.training.loop import train
from workbench.training.setting import Plan

pytestmark = pytest.mark.usefixtures("in_double_precision")


def orthonormal(size: int, rank: int) -> Tensor:
    return torch.linalg.qr(torch.randn(size, rank)).Q


def convolutional(classes: list[int]) -> MultiHead:
    body = nn.Sequential(
        nn.Conv2d(2, 5, 3, padding=1, stride=2), nn.BatchNorm2d(5), nn.ReLU(), nn.Conv2d(5, 6, (2, 3), padding=(0, 1)),
        nn.ReLU(), nn.Flatten(), nn.Linear(6 * 3 * 4, 10), nn.ReLU(),
    )  # fmt: skip
    return MultiHead(body, 10, classes)


def stream(n_tasks: int, shape: tuple[int, ...], rank: int, n: int = 60) -> list[Task]:
    """Tasks of two classes whose inputs fill `rank` directions each, and those of earlier tasks in part."""
    pixels = torch.Size(shape).numel()
    tasks = []
    for t in range(n_tasks):
        x = (torch.randn(n, rank) @ orthonormal(pixels, rank).T).view(n, *shape)
        y = (x.flatten(1) @ torch.randn(pixels) > 0).long()
        tasks.append(Task(f"task {t}", x, y, x, y, 2))
    return tasks


LAYERS = {
    "linear": (lambda: nn.Linear(12, 5), (7, 12)),
    "linear with positions": (lambda: nn.Linear(12, 5), (7, 4, 12)),
    "convolution": (lambda: nn.Conv2d(3, 5, 3, padding=1), (7, 3, 6, 5)),
    "strided": (lambda: nn.Conv2d(3, 5, (3, 2), stride=(2, 1), dilation=(1, 2), padding=(0, 2)), (7, 3, 6, 5)),
    "padding same": (lambda: nn.Conv2d(3, 5, (2, 3), padding="same"), (7, 3, 6, 5)),
}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_exact_but_for_the_weight_gradient_in_the_learnable_directions(name: str):
    make, shape = LAYERS[name]
    layer, x = SubspaceLayer(make()), torch.randn(shape, requires_grad=True)
    exact_y = layer(x)
    G = torch.randn_like(exact_y)
    exact = torch.autograd.grad(exact_y, [x, *layer.parameters()], G)
    layer.directions = orthonormal(layer.protected.shape[0], 4)
    U = layer.directions
    y = layer(x)
    torch.testing.assert_close(y, exact_y, rtol=0, atol=0)
    grad_x, grad_w, grad_b = torch.autograd.grad(y, [x, *layer.parameters()], G)
    torch.testing.assert_close([grad_x, grad_b], [exact[0], exact[2]])
    torch.testing.assert_close(grad_w.flatten(1), exact[1].flatten(1) @ U @ U.T)


@pytest.mark.parametrize("name", ["linear with positions", "convolution", "strided"])
def test_compressed_positions_give_the_exact_gradient_at_the_projected_patches(name: str):
    make, shape = LAYERS[name]
    layer, x = SubspaceLayer(make()), torch.randn(shape)
    patches = layer.patches(x)
    layer.directions, layer.positions = orthonormal(patches.shape[1], 4), orthonormal(patches.shape[2], 3)
    U1, U2 = layer.directions, layer.positions
    y = layer(x)
    G = torch.randn_like(y)
    (grad_w,) = torch.autograd.grad(y, [layer.layer.weight], G)
    x_hat = U1 @ (U1.T @ patches @ U2) @ U2.T
    columns = G.flatten(2) if y.ndim == 4 else G.transpose(1, 2)
    torch.testing.assert_close(grad_w.flatten(1), torch.einsum("bol,bdl->od", columns, x_hat))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_few_positions_can_point_uphill(dtype: torch.dtype):
    layer = SubspaceLayer(nn.Conv2d(1, 1, 1, bias=False).to(dtype))
    x, g = (torch.tensor(numbers, dtype=dtype).view(1, 1, 1, 2) for numbers in ([3.0, 1.0], [1.0, -2.0]))
    layer.directions = torch.ones(1, 1, dtype=dtype)
    for positions, expected in ((None, 1.0), (torch.tensor([[1.0], [1.0]], dtype=dtype) / 2**0.5, -2.0)):
        layer.positions = positions
        (gradient,) = torch.autograd.grad(layer(x), [layer.layer.weight], g)
        assert gradient.item() == pytest.approx(expected)


def test_a_convolution_keeps_its_core_and_its_signs_only():
    net = convolutional([2, 2])
    method = LanceContinual(net, LanceContinualParams(threshold=0.5, samples=60))
    tasks = stream(2, (2, 8, 8), 20)
    list(train(StreamSetting(method, tasks[:1], sgd(0.1), batch_size=20), Plan(1)))
    method.before_task(1, tasks[1].train_x, tasks[1].train_y)
    layer = subspace_layers(net)["body.3"]
    assert layer.directions is not None
    assert layer.positions is not None
    x = torch.randn(20, 5, 4, 4, requires_grad=True)
    core = 20 * layer.directions.shape[1] * layer.positions.shape[1] * 8
    assert saved_bytes(lambda: layer(x), [*network_tensors(net), x]) == core


def test_groups_and_optimisers_that_break_the_law_are_refused():
    with pytest.raises(ValueError, match="groups=2"):
        SubspaceLayer(nn.Conv2d(4, 4, 3, groups=2))
    method, tasks = LanceContinual(mlp([2, 2], (6, 5))), stream(2, (1, 2, 3), 2)
    for optimizer in (torch.optim.Adam, lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.1)):
        with pytest.raises(ValueError, match="without weight decay"):
            list(train(StreamSetting(method, tasks, optimizer, batch_size=20), Plan(1)))


def weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: layer.layer.weight.detach().clone().flatten(1) for name, layer in subspace_layers(network).items()}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("build", [convolutional, lambda classes: mlp(classes, (128, 20, 12))])
def test_weights_do_not_move_in_protected_directions(build, published: bool, dtype: torch.dtype):
    torch.set_default_dtype(dtype)
    tasks = stream(3, (2, 8, 8), 30)
    network = build([2, 2, 2])
    params = LanceContinualParams(threshold=0.9, increase=0.01, samples=60)
    method = LanceContinual(network, params._replace(measure=one_sided, small=80) if published else params)
    momentum = lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9)  # noqa: E731
    layers = subspace_layers(network)
    before, protected, moved = weights(network), {n: layer.protected for n, layer in layers.items()}, 0.0
    for record in train(StreamSetting(method, tasks, momentum, batch_size=20), Plan(epochs=4)):
        if record.accuracies is None:
            continue
        for name, layer in layers.items():
            P, change = protected[name], weights(network)[name] - before[name]
            assert (change @ P).abs().max() < 1e-6 if P.shape[1] else True
            moved = max(moved, float(change.norm())) if record.task else 0.0
            if layer.directions is not None:
                assert (layer.directions.T @ P).abs().max() < (1e-6 if dtype == torch.float32 else 1e-12)
            assert layer.protected.shape[1] <= layer.protected.shape[0]
            torch.testing.assert_close(layer.protected.T @ layer.protected, torch.eye(layer.protected.shape[1]))
        before, protected = weights(network), {name: layer.protected for name, layer in layers.items()}
    assert moved > 0.1


def test_an_old_task_is_kept_exactly_when_all_its_energy_is_protected():
    tasks = stream(2, (1, 10, 10), 20)
    network = mlp([2, 2], (100, 90))
    method = LanceContinual(network, LanceContinualParams(threshold=1.0, samples=60))
    records, answer = [], torch.tensor(0.0)
    for record in train(StreamSetting(method, tasks, sgd(0.1), batch_size=20), Plan(epochs=10)):
        records.append(record)
        if record.accuracies and record.task == 0:
            answer = network(tasks[0].train_x, 0).detach()
    torch.testing.assert_close(network(tasks[0].train_x, 0).detach(), answer, rtol=0, atol=1e-9)
    A = accuracy_matrix(records)
    assert A[1, 0] == A[0, 0]
    assert A[1, 1] > 0.8


def test_a_full_layer_says_so_and_stays():
    tasks = stream(2, (1, 2, 3), 6)
    network = mlp([2, 2], (6, 5))
    method = LanceContinual(network, LanceContinualParams(threshold=1.0, samples=60))
    list(train(StreamSetting(method, tasks[:1], sgd(0.1), batch_size=20), Plan(1)))
    (name, layer), *_ = subspace_layers(network).items()
    assert layer.protected.shape == (6, 6)
    before, x, y = weights(network), tasks[1].train_x, tasks[1].train_y
    with pytest.warns(UserWarning, match=f"layer '{name}' has nothing left to learn for task 1: its 6 protected of 6"):
        method.before_task(1, x, y)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(3):
        method.learn(optimizer, x, y, 1)
    torch.testing.assert_close(weights(network), before, rtol=0, atol=0)


def test_correlations_do_not_depend_on_batches_and_use_evaluation_mode():
    method = LanceContinual(convolutional([2]))
    x = torch.randn(30, 2, 8, 8)
    run = lambda batch: method.network(batch, 0)  # noqa: E731
    method.network.train()
    whole = input_correlations(method.network, run, x, batch_size=30)
    pieces = input_correlations(method.network, run, x, batch_size=7)
    assert method.network.training
    for name, (R, L) in whole.items():
        torch.testing.assert_close(pieces[name].features, R)
        if L is not None:
            torch.testing.assert_close(pieces[name].positions, L)
    patches = F.unfold(F.pad(x, (1, 1, 1, 1)), 3, stride=2).transpose(1, 2).flatten(0, 1)
    torch.testing.assert_close(whole["body.0"].features, patches.T @ patches / len(patches))


def test_bases_are_saved_and_restored_with_the_network():
    tasks = stream(2, (2, 8, 8), 20)
    method = LanceContinual(convolutional([2, 2]), LanceContinualParams(threshold=0.9, samples=60))
    list(train(StreamSetting(method, tasks, sgd(0.1), batch_size=20), Plan(1)))
    other = LanceContinual(convolutional([2, 2]))
    other.network.load_state_dict(method.network.state_dict())
    assert method.kept_bytes() == other.kept_bytes() == method.protected_bytes() + method.training_bytes() > 0
    torch.testing.assert_close(other.network.state_dict(), method.network.state_dict(), rtol=0, atol=0)


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
