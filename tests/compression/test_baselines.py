"""The baselines: gradients exact where they must be, ranks and bases as defined, and what each of them keeps."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.compression.baselines import WarmSubspace, checkpointed, hosvd_each_step
from workbench.compression.calibration import Modes
from workbench.compression.hosvd import by_correlation, by_svd, hosvd, subspace_step
from workbench.compression.lance import compress
from workbench.compression.tucker import expand
from workbench.cost.counted import measure
from workbench.experiments.fine_tuning import freeze_except, gradients, last_convolutions, trained_parameters
from workbench.meters.timeline import network_tensors, saved_bytes
from workbench.networks.resnet import ResNet

pytestmark = pytest.mark.usefixtures("in_double_precision")


LAST = ["layer3.0.conv1", "layer3.0.conv2"]


def problem() -> tuple[ResNet, Tensor, Tensor]:
    network = ResNet(blocks=1, width=4, c_in=1, n_classes=5)
    network(torch.randn(64, 1, 12, 12))  # running statistics that fit the data
    freeze_except(network, [*LAST, "linear"])
    return network, torch.randn(10, 1, 12, 12), torch.arange(10) % 5


def parameter_gradients(network: nn.Module, x: Tensor, y: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(F.cross_entropy(network(x), y), trained_parameters(network)))


def kept(network: nn.Module, x: Tensor, y: Tensor) -> int:
    return saved_bytes(lambda: gradients(network, x, y), [*network_tensors(network), x, y])


def test_checkpointing_is_exact_and_keeps_less_than_plain_backpropagation():
    network, x, y = problem()
    network.layer2.requires_grad_(True)
    blocks = checkpointed(network, ["layer2.0", "layer3.0"])
    torch.testing.assert_close(parameter_gradients(blocks, x, y), parameter_gradients(network, x, y))
    assert kept(blocks, x, y) < kept(network, x, y)


def test_what_a_checkpointed_block_computes_again_is_counted():
    """One block alone keeps its input all the time, and at the end everything that plain backpropagation keeps."""
    network, _, _ = problem()
    block = network.layer3[0].requires_grad_(True)
    x = torch.randn(10, 8, 6, 6)
    bytes_ = [
        saved_bytes(lambda b=b: b(x).sum().backward(), [*network_tensors(b), x])
        for b in (block, checkpointed(nn.Sequential(block), ["0"]))
    ]
    assert bytes_[0] == bytes_[1] > 0


@pytest.mark.parametrize("left_vectors", [by_svd, by_correlation])
def test_hosvd_each_step_is_exact_at_full_rank_and_keeps_the_decomposition_of_its_own_input(left_vectors):
    network, x, y = problem()
    full = hosvd_each_step(network, LAST, 1.0, Modes(batch=True), left_vectors)
    torch.testing.assert_close(parameter_gradients(full, x, y), parameter_gradients(network, x, y))
    compressor = hosvd_each_step(network, LAST, 0.7, Modes(batch=True), left_vectors).get_submodule(
        "layer3.0.conv1.compressor"
    )
    z = torch.randn(10, 8, 6, 6)
    torch.testing.assert_close(expand(*compressor(z)), expand(*hosvd(z, 0.7)))


def test_warm_subspace_follows_the_data_and_lance_does_not():
    network, x, y = problem()
    lance = compress(network, [x], layers=LAST)
    warm = compress(network, [x], layers=LAST, compressor=WarmSubspace)
    shifted = x.flip(2) * torch.linspace(0, 3, 12)
    path = "layer3.0.conv2.compressor"
    before = [b.clone() for b in warm.get_submodule(path).buffers()]
    for network in (lance, warm):
        for _ in range(30):
            parameter_gradients(network, shifted, y)
    torch.testing.assert_close(list(lance.get_submodule(path).buffers()), before)
    core, bases = _input_of(warm, path, shifted)
    best = hosvd(expand(core, bases), 1.0)
    for U, V, old in zip(bases[1:], best.bases[1:], before, strict=True):
        assert U is not None
        assert V is not None
        rank = U.shape[1]
        assert U.shape == old.shape
        torch.testing.assert_close(U.T @ U, torch.eye(rank))
        assert not torch.allclose(U @ U.T, old @ old.T, atol=1e-3)
        torch.testing.assert_close(U @ U.T, V[:, :rank] @ V[:, :rank].T, atol=1e-6, rtol=0)


def _input_of(network: nn.Module, path: str, x: Tensor):
    seen = []
    handle = network.get_submodule(path).register_forward_hook(lambda module, inputs, output: seen.append(output))
    network(x)
    handle.remove()
    return seen[0]


def test_a_last_smaller_batch_works_for_every_baseline():
    network, x, y = problem()
    every_mode = Modes(batch=True)
    for other in (
        compress(network, [x], layers=LAST, modes=every_mode, compressor=WarmSubspace),
        hosvd_each_step(network, LAST, 0.7, every_mode),
        checkpointed(network, ["layer3.0"]),
    ):
        gradients(other, x, y)
        gradients(other, x[:3], y[:3])


def test_the_batch_mode_is_cut_in_whole_batches_alone():
    bases = (torch.eye(4)[:, :3], torch.eye(5)[:, :2])
    core, (of_batch, _) = WarmSubspace(bases, (4, 5))(torch.randn(4, 5))
    assert core.shape == (3, 2)
    assert of_batch is not None
    core, (of_batch, _) = WarmSubspace(bases, (4, 5))(torch.randn(5, 5))
    assert core.shape == (5, 2)
    assert of_batch is None


def test_fewer_layers_keep_less():
    network, x, y = problem()
    assert last_convolutions(network, 2) == LAST
    more = kept(network, x, y)
    freeze_except(network, ["layer3.0.conv2", "linear"])
    assert not network.training
    assert kept(network, x, y) < more


def test_bad_counts_are_named():
    with pytest.raises(ValueError, match="has 7 convolutions"):
        last_convolutions(problem()[0], 8)


def test_its_products_can_be_counted_and_the_second_run_is_among_them():
    """The counter of products hooks what goes into a block, also when the block runs again in the backward pass."""
    network = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
    twice = checkpointed(network, ["2"])
    x, y = torch.randn(8, 6), torch.arange(8) % 3
    plain, again = (measure(gradients, each, x, y).macs for each in (network, twice))
    assert again - plain == 8 * 5 * 4


def test_the_warm_subspace_goes_on_from_where_it_was():
    warm, x = WarmSubspace((None, torch.eye(6)[:, :2]), (4, 6)), torch.randn(4, 6)
    _, (whole, first) = warm(x)
    assert whole is None
    assert first is not None
    _, (_, second) = warm(x)
    assert second is not None
    torch.testing.assert_close(second, subspace_step(x, first, 1))
    assert not torch.allclose(second, first, atol=1e-6)
