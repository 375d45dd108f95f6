"""LANCE layers against autograd in float64: exact where they must be, exact at the projected input elsewhere."""

from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from few_activations import EXACT, activations, gradients, residual_free_network
from torch import Tensor, nn

from workbench.compression import lance as low_rank
from workbench.compression.calibration import Modes, calibrate
from workbench.compression.lance import FixedBases, LowRankConv2d, LowRankLinear, compress, linear, trainable_layers
from workbench.compression.lean import FrozenNorm2d, SignReLU
from workbench.compression.tucker import expand
from workbench.kernels.convolution import geometry_of
from workbench.meters.timeline import network_tensors, saved_bytes

pytestmark = pytest.mark.usefixtures("in_double_precision")

FEATURE_ONLY = Modes(batch=False, space=False, feature=True)
ALL = Modes(batch=True, space=True, feature=True)
# torch says so itself of the plain convolution that we compare with
SAME_PADDING = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
CONVOLUTIONS = {
    "plain": {"kernel_size": 3},
    "padded": {"kernel_size": 3, "padding": 1},
    "uneven padding": {"kernel_size": 3, "padding": (2, 0)},
    "uneven kernel and stride": {"kernel_size": (3, 2), "stride": (2, 3), "padding": (0, 1)},
    "stride that leaves a rest": {"kernel_size": 3, "stride": 2, "padding": 1},
    "stride equal to dilation": {"kernel_size": 3, "stride": 2, "dilation": 2, "padding": 2},
    "uneven dilation": {"kernel_size": 2, "dilation": (1, 3), "padding": (1, 2)},
    "groups": {"kernel_size": 3, "groups": 2, "padding": 1},
    "depthwise": {"kernel_size": 3, "groups": 4, "padding": 1, "stride": 2},
    "even kernel, padding same": {"kernel_size": (2, 4), "padding": "same"},
    "padding valid": {"kernel_size": 3, "padding": "valid"},
    "one by one": {"kernel_size": 1, "stride": 2, "bias": False},
}


def projected(network: nn.Module, x: Tensor) -> Tensor:
    """X̂ of a network that consists of one LANCE layer."""
    compressor = network.get_submodule("0.compressor")
    return expand(*compressor(x))


@SAME_PADDING
@pytest.mark.parametrize("modes", [Modes(), ALL, FEATURE_ONLY, Modes(True, False, False), Modes(False, True, False)])
@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_convolution_is_exact_but_for_its_weight_gradient_at_the_projected_input(case: str, modes: Modes):
    net = nn.Sequential(nn.Conv2d(4, 6 if CONVOLUTIONS[case].get("groups") != 4 else 8, **CONVOLUTIONS[case]))
    x = activations(5, 4, 8, 9)
    lance = compress(net, [x], energy=0.7, modes=modes)
    grad = torch.randn_like(net(x))
    y, grad_x, grad_w, *grad_b = gradients(lance, x, grad)
    exact_y, exact_x, exact_w, *exact_b = gradients(net, x, grad)
    assert torch.equal(y, exact_y)
    assert torch.equal(grad_x, exact_x)
    EXACT(grad_b, exact_b)
    EXACT(grad_w, gradients(net, projected(lance, x), grad)[2])
    assert not torch.allclose(grad_w, exact_w)


@SAME_PADDING
@pytest.mark.parametrize("modes", [Modes(), ALL])
@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_convolution_at_full_rank_is_exact(case: str, modes: Modes):
    net = nn.Sequential(nn.Conv2d(4, 8, **CONVOLUTIONS[case]))
    x = activations(5, 4, 8, 9)
    lance = compress(net, [x], energy=1.0, modes=modes)
    EXACT(gradients(lance, x, torch.ones_like(net(x))), gradients(net, x, torch.ones_like(net(x))))


@SAME_PADDING
@pytest.mark.parametrize("piece", [1, 2**20])
@pytest.mark.parametrize("case", [case for case, options in CONVOLUTIONS.items() if "groups" not in options])
def test_few_directions_of_space_meet_the_gradient_before_the_core(case: str, piece: int, monkeypatch):
    monkeypatch.setattr(low_rank, "PIECE_BYTES", piece)
    monkeypatch.setattr(low_rank, "conv2d_weight", None)  # of equation 7, which is not to be taken
    conv, sizes, ranks = nn.Conv2d(9, 6, **CONVOLUTIONS[case]), (5, 9, 8, 10), (3, 7, 2, 3)
    core, bases = torch.randn(ranks), [torch.linalg.qr(torch.randn(n, r)).Q for n, r in zip(sizes, ranks, strict=True)]
    x = expand(core, bases)
    grad = torch.randn_like(conv(x))
    found = low_rank.conv2d_weight_gradient(core, bases, grad, conv.weight.shape[2:], geometry_of(conv))
    EXACT(found, torch.autograd.grad(conv(x), conv.weight, grad)[0])


@pytest.mark.parametrize("shape", [(6, 10), (6, 5, 10), (6, 2, 3, 10)])
@pytest.mark.parametrize("modes", [Modes(), ALL, FEATURE_ONLY])
def test_linear_is_exact_but_for_its_weight_gradient_at_the_projected_input(shape: tuple[int, ...], modes: Modes):
    net = nn.Sequential(nn.Linear(10, 7))
    x = activations(*shape)
    lance = compress(net, [x], energy=0.7, modes=modes)
    grad = torch.randn(*shape[:-1], 7)
    y, grad_x, grad_w, grad_b = gradients(lance, x, grad)
    exact_y, exact_x, _, exact_b = gradients(net, x, grad)
    assert torch.equal(y, exact_y)
    EXACT([grad_x, grad_b], [exact_x, exact_b])
    EXACT(grad_w, gradients(net, projected(lance, x), grad)[2])
    full = compress(net, [x], energy=1.0, modes=modes)
    EXACT(gradients(full, x, grad), gradients(net, x, grad))


@pytest.mark.parametrize("shape", [(6, 10), (6, 5, 10)])
def test_a_linear_layer_whose_input_is_kept_whole_learns_its_bias_too(shape: tuple[int, ...]):
    layer, x, grad = nn.Linear(10, 7), activations(*shape), torch.randn(*shape[:-1], 7)
    y = linear(x, layer.weight, layer.bias, x, (None,) * x.ndim)
    EXACT(
        torch.autograd.grad(y, [*layer.parameters()], grad), torch.autograd.grad(layer(x), [*layer.parameters()], grad)
    )


@pytest.mark.parametrize("groups", [1, 2])
def test_the_feature_mode_alone_projects_the_true_gradient(groups: int):
    conv, x = nn.Conv2d(4, 6, 3, groups=groups), activations(5, 4, 8, 9)
    net = nn.Sequential(conv)
    lance = compress(net, [x], energy=0.6, modes=FEATURE_ONLY)
    U = lance.get_submodule("0.compressor").bases[1]
    for _ in range(20):
        grad = torch.randn_like(net(x))
        g, exact = gradients(lance, x, grad)[2], gradients(net, x, grad)[2]
        if groups == 1:
            EXACT(g, torch.einsum("ocij,cd->odij", exact, U @ U.T))
            assert (g * exact).sum() >= 0
            assert g.norm() <= exact.norm()


def test_the_batch_mode_can_point_uphill():
    x, g = torch.tensor([[3.0], [1.0]]), torch.tensor([[1.0], [-2.0]])
    mean_direction = torch.tensor([[1.0], [1.0]]) / 2**0.5
    exact = nn.Linear(1, 1, bias=False)
    lance = LowRankLinear(exact, FixedBases([mean_direction, None], x.shape))
    assert gradients(exact, x, g)[2].item() == pytest.approx(1.0)
    assert gradients(lance, x, g)[2].item() == pytest.approx(-2.0)
    assert Modes().batch is False


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("mode", [2, 3])
def test_a_space_mode_can_point_uphill(mode: int, dtype: torch.dtype):
    """One weight of a 1×1 convolution, two pixels, above one another or side by side."""
    shape = (1, 1, 2, 1) if mode == 2 else (1, 1, 1, 2)
    x, g = (torch.tensor(numbers, dtype=dtype).view(shape) for numbers in ([3.0, 1.0], [1.0, -2.0]))
    bases: list[Tensor | None] = [None] * 4
    bases[mode] = torch.tensor([[1.0], [1.0]], dtype=dtype) / 2**0.5
    exact = nn.Conv2d(1, 1, 1, bias=False).to(dtype)
    lance = LowRankConv2d(exact, FixedBases(bases, x.shape))
    assert gradients(exact, x, g)[2].item() == pytest.approx(1.0)
    assert gradients(lance, x, g)[2].item() == pytest.approx(-2.0)
    calibrated = compress(nn.Sequential(exact), [torch.ones_like(x)], energy=0.7)
    assert gradients(calibrated, x, g)[2].item() == pytest.approx(-2.0)  # inputs alike in all pixels: this very basis
    whole = compress(nn.Sequential(exact), [torch.ones_like(x)], energy=0.7, modes=Modes(space=False))
    assert gradients(whole, x, g)[2].item() == pytest.approx(1.0)


def test_a_last_smaller_batch_works_and_keeps_its_batch_mode_whole():
    net, x = nn.Sequential(nn.Conv2d(4, 6, 3)), activations(5, 4, 8, 9)
    for modes in (Modes(), ALL):
        lance = compress(net, [x], modes=modes)
        grad = torch.randn_like(net(x[:3]))
        without_batch = compress(net, [x], modes=modes._replace(batch=False))
        EXACT(gradients(lance, x[:3], grad)[2], gradients(without_batch, x[:3], grad)[2])


def test_channels_last_gradients():
    net, x = nn.Sequential(nn.Conv2d(4, 6, 3, padding=1)), activations(5, 4, 8, 9)
    lance = compress(net, [x])
    grad = torch.randn_like(net(x)).to(memory_format=torch.channels_last)
    last = x.to(memory_format=torch.channels_last)
    EXACT(gradients(lance, last, grad)[2], gradients(lance, x, grad.contiguous())[2])


def test_frozen_weights_and_no_grad_keep_nothing():
    net, x = nn.Sequential(nn.Conv2d(4, 6, 3)), activations(5, 4, 8, 9)
    lance = compress(net, [x])
    with torch.no_grad():
        assert torch.equal(lance(x), net(x))
    lance.get_parameter("0.weight").requires_grad_(False)
    assert saved_bytes(lambda: lance(x.requires_grad_()), network_tensors(lance)) <= x.numel() * 8


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net, x: calibrate(net, [], ["0"]), "saw no input"),
        (lambda net, x: calibrate(net, iter([(x, x)]), ["0"]), r"\(x for x, _ in loader\)"),  # pyright: ignore
        (lambda net, x: calibrate(net, [x, x[..., :5]], ["0"]), "inputs of a single size"),
        (lambda net, x: calibrate(net, [x * torch.nan], ["0"]), "NaN or infinity"),
        (lambda net, x: calibrate(net, [x], ["1"]), "'1' is a ReLU"),
        (lambda net, x: compress(net.requires_grad_(False), [x]), "unfreeze the layers"),
        (lambda net, x: compress(net, [x])(x[..., :5]), "calibrate with inputs of this size"),
        (lambda net, x: compress(nn.Sequential(nn.Conv2d(3, 4, 3, padding_mode="reflect")), [x]), "expected 'zeros'"),
    ],
)
def test_bad_input_is_named(call, message: str):
    with pytest.raises(ValueError, match=message):
        call(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), activations(6, 3, 6, 7))


def test_compress_returns_a_copy_and_changes_nothing_at_full_rank():
    net, x, y = residual_free_network(), torch.randn(6, 3, 8, 8), torch.arange(6) % 4
    state = deepcopy(net.state_dict())
    lance = compress(net, [x], energy=1.0)
    results = []
    for network in (net, lance):
        loss = F.cross_entropy(network(x), y)
        loss.backward()
        results.append([loss.detach(), *(p.grad for p in network.parameters() if p.grad is not None)])
    EXACT(results[0], results[1])
    torch.testing.assert_close(net.state_dict(), state, rtol=0, atol=0)
    assert isinstance(lance.get_submodule("1"), FrozenNorm2d)
    assert isinstance(lance.get_submodule("2"), SignReLU)
    assert isinstance(lance.get_submodule("3"), LowRankConv2d)


def test_weights_keep_their_names_and_bases_are_saved():
    net, x = residual_free_network(), torch.randn(6, 3, 8, 8)
    lance = compress(net, [x], layers=["3", "6"])
    state = lance.state_dict()
    assert {"0.weight", "3.weight", "6.weight", "11.weight", "3.compressor.basis_1"} <= set(state)
    EXACT(state["3.weight"], net.state_dict()["3.weight"])
    again = compress(net, [torch.randn(6, 3, 8, 8)], energy=1.0, layers=["3", "6"])
    assert again.state_dict()["3.compressor.basis_1"].shape == (8, 8)
    assert trainable_layers(net) == ["0", "3", "6", "11"]
