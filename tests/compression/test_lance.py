"""LANCE layers against autograd in float64: exact where they must be, exact at the projected input elsewhere."""

# pyright: reportOptionalOperand=false, reportOptionalMemberAccess=false, reportIndexIssue=false

import math
from copy import deepcopy
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.compression.calibration import (
    Modes,
    calibrate,
    first_batch_heavy,
    kept_elements,
    leading_bases,
    plain_mean,
)
from workbench.compression.lance import FixedBases, LowRankConv2d, LowRankLinear, compress, trainable_layers
from workbench.compression.lean import FrozenNorm2d, SignReLU, pack_bits, unpack_bits
from workbench.compression.memory import kept_by_formula
from workbench.compression.tucker import expand, mode_correlation, relative_error, spectrum, unfold
from workbench.meters.process import peak_process_bytes
from workbench.meters.timeline import memory_timeline, network_tensors, saved_bytes, saved_tensors

FEATURE_ONLY = Modes(batch=False, space=False, feature=True)
ALL = Modes(batch=True, space=True, feature=True)
EXACT = partial(torch.testing.assert_close, rtol=0, atol=1e-11)
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


@pytest.fixture(autouse=True)
def _double_precision_and_seed():
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def activations(*shape: int) -> Tensor:
    """Non-negative and with a common part, as behind a ReLU: low ranks then keep much of the energy."""
    return (torch.randn(*shape) + torch.randn(1, *shape[1:])).relu()


def gradients(layer: nn.Module, x: Tensor, grad: Tensor) -> list[Tensor]:
    """Output, and gradients of input and parameters, for a given gradient of the output."""
    x = x.clone().requires_grad_()
    y = layer(x)
    return [y.detach(), *torch.autograd.grad(y, [x, *layer.parameters()], grad)]


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


# --- calibration ----------------------------------------------------------------------------------------------------


def two_convolutions() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 6, 3), nn.Flatten(), nn.LazyLinear(4))


def test_calibration_does_not_depend_on_order_or_batches():
    net, x = two_convolutions(), activations(24, 3, 6, 7)
    net(x)
    layers = ["0", "2", "4"]
    whole = calibrate(net, [x], layers)
    for batches in (x.flip(0).split(7), x[torch.randperm(24)].split(5), x.split(1)):
        for name, calibration in calibrate(net, batches, layers).items():
            EXACT(calibration.correlations, whole[name].correlations)


def test_calibration_is_the_plain_mean_of_the_mode_correlations():
    net, x = nn.Sequential(nn.Conv2d(3, 4, 3)), activations(6, 3, 6, 7)
    batches = x.split(2)
    result = calibrate(net, batches, ["0"], ALL)["0"]
    assert result.sizes == (2, 3, 6, 7)
    for mode, R in enumerate(result.correlations):
        EXACT(R, sum(unfold(b, mode) @ unfold(b, mode).T for b in batches) / 6)


def test_the_released_weighting_is_an_option():
    net, x = nn.Sequential(nn.Conv2d(3, 4, 3)), activations(6, 3, 6, 7)
    first, second, third = x.split(2)
    result = calibrate(net, [first, second, third], ["0"], weighting=first_batch_heavy)["0"]
    plain = calibrate(net, [first, second, third], ["0"], weighting=plain_mean)["0"]
    for mode in (1, 2, 3):
        d = x.shape[mode]
        R1, R2, R3 = (mode_correlation(b, mode) for b in (first, second, third))
        released, R = (d * R1 + R2 + R3) / (3 * d), result.correlations[mode]
        EXACT(R / R.trace(), released / released.trace())
        assert not torch.allclose(R / R.trace(), plain.correlations[mode] / plain.correlations[mode].trace())


def test_calibration_leaves_the_network_as_it_was():
    net, x = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout()), activations(6, 3, 6, 7)
    net[1].eval()
    state = deepcopy(net.state_dict())
    calibrate(net, [x], ["0"])
    assert net.training
    assert not net[1].training
    assert not net[0]._forward_pre_hooks
    torch.testing.assert_close(net.state_dict(), state, rtol=0, atol=0)


def test_error_on_calibration_data_stays_within_the_bound():
    net, x = nn.Sequential(nn.Conv2d(3, 4, 3)), activations(24, 3, 6, 7)
    for energy in (0.5, 0.7, 0.9):
        calibration = calibrate(net, x.split(8), ["0"])["0"]
        bases = leading_bases(calibration, energy)
        lost = 0.0
        for U, R in zip(bases, calibration.correlations, strict=True):
            if U is None or R is None:
                continue
            EXACT(U.T @ U, torch.eye(U.shape[1]))
            lost += float(1 - spectrum(R)[0][: U.shape[1]].sum() / R.trace())
        lance = compress(net, x.split(8), energy)
        core, bases = lance.get_submodule("0.compressor")(x)
        x_hat = expand(core, bases)
        assert float(x.square().sum()) == pytest.approx(float(core.square().sum() + (x - x_hat).square().sum()))
        assert relative_error(x, x_hat) <= lost**0.5 <= (3 * (1 - energy)) ** 0.5


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


# --- compress on a network ------------------------------------------------------------------------------------------


def residual_free_network() -> nn.Sequential:
    """conv – norm – ReLU twice, a readout; norms frozen."""
    net = nn.Sequential(
        *(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()),
        *(nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True)),
        *(nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)),
    )
    for module in net:
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 2.0)
            nn.init.normal_(module.bias)
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
            module.requires_grad_(False)
    return net.eval()


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


def test_autograd_keeps_what_the_formula_says():
    net, x = residual_free_network(), torch.randn(6, 3, 8, 8)
    lance = compress(net, [x], energy=0.7)
    table = kept_by_formula(lance, batch_size=6)
    assert [row.layer for row in table] == ["0", "3", "6", "11"]
    bases = sum(b.numel() for name, b in lance.named_buffers() if "basis" in name) * 8
    signs = 3 * 6 * 8 * 8 * 8 // 8
    assert saved_bytes(lambda: lance(x), network_tensors(lance)) == sum(r.kept_bytes for r in table) - bases + signs
    for row in table:
        assert row.input_bytes == torch.Size(row.sizes).numel() * 8
        assert kept_elements(calibrate(net, [x], [row.layer])[row.layer], 0.7) * 8 == row.kept_bytes


def test_the_plain_network_keeps_norm_inputs_and_relu_outputs_too():
    net, x = residual_free_network(), torch.randn(6, 3, 8, 8)
    big = [block for block in saved_tensors(lambda: net(x), [*network_tensors(net), x]) if len(block.shape) == 4]
    # three norm inputs, and three ReLU outputs of which two are also inputs of convolutions
    assert [block.bytes for block in big] == [6 * 8 * 8 * 8 * 8] * 6


def test_the_timeline_rises_in_the_forward_pass_and_falls_back_to_nothing():
    net, x, y = residual_free_network(), torch.randn(6, 3, 8, 8), torch.arange(6) % 4
    for network in (net, compress(net, [x], layers=["3", "6"])):
        ignore = [*network_tensors(network), x, y]
        step = lambda network=network: F.cross_entropy(network(x), y).backward()  # noqa: E731
        moments = memory_timeline(network, step, ignore)
        changes = [moment.change for moment in moments]
        assert [moment.total for moment in moments] == list(torch.tensor(changes).cumsum(0))
        assert moments[-1].total == 0
        assert max(moment.total for moment in moments) == saved_bytes(step, ignore)
        kept = {block.bytes for block in saved_tensors(lambda network=network: network(x), ignore)}
        assert kept <= {change for change in changes if change > 0}
    layers = {moment.layer: moment.change for moment in moments if moment.change > 0}
    core = math.prod(layer.ranks[i] or layer.sizes[i] for layer in kept_by_formula(network, 6)[:1] for i in range(4))
    assert layers["3"] == core * 8
    assert layers["2"] == 6 * 8 * 8 * 8 // 8
    assert "4" not in layers


def test_kept_bytes_stay_constant_while_training():
    net, x, y = residual_free_network(), torch.randn(6, 3, 8, 8), torch.arange(6) % 4
    lance = compress(net, [x])
    optimiser = torch.optim.SGD(lance.parameters(), lr=0.1)
    kept = set()
    for _ in range(5):
        kept.add(saved_bytes(lambda: lance(x), network_tensors(lance)))
        optimiser.zero_grad()
        F.cross_entropy(lance(x), y).backward()
        optimiser.step()
    assert len(kept) == 1


# --- lean layers and measurement ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 8, 9, 100])
def test_bits_survive_packing(size: int):
    mask = torch.rand(size) > 0.5
    assert pack_bits(mask).numel() == (size + 7) // 8
    assert torch.equal(unpack_bits(pack_bits(mask), mask.shape), mask)


@pytest.mark.parametrize("inplace", [False, True])
def test_sign_relu_is_relu(inplace: bool):
    x = torch.randn(3, 5, 7)
    x[0, 0, 0] = 0.0
    grad = torch.randn(3, 5, 7)
    results = []
    for relu in (nn.ReLU(), SignReLU(inplace)):
        leaf = x.clone().requires_grad_()
        y = relu(leaf * 1.0)
        results.append([y, *torch.autograd.grad(y, leaf, grad)])
    EXACT(results[0], results[1])
    assert saved_bytes(lambda: SignReLU(inplace)(x.clone().requires_grad_() * 1.0)) == (3 * 5 * 7 + 7) // 8


def test_frozen_norm_is_the_batch_norm_in_evaluation_mode():
    norm = nn.BatchNorm2d(4, affine=False)
    norm(torch.randn(8, 4, 5, 5) * 3 + 1)
    norm.eval()
    x = torch.randn(8, 4, 5, 5)
    EXACT(FrozenNorm2d(norm)(x), norm(x))
    with pytest.raises(ValueError, match="track_running_stats=False"):
        FrozenNorm2d(nn.BatchNorm2d(4, track_running_stats=False))


def test_a_trained_or_training_norm_is_left_alone():
    net, x = residual_free_network(), torch.randn(6, 3, 8, 8)
    net[1].requires_grad_(True)
    net[4].train()
    lance = compress(net, [x])
    assert isinstance(lance.get_submodule("1"), nn.BatchNorm2d)
    assert isinstance(lance.get_submodule("4"), nn.BatchNorm2d)
    assert isinstance(lance.get_submodule("7"), FrozenNorm2d)


def allocate(megabytes: int):
    return lambda: torch.ones(megabytes << 18).sum().item()


@pytest.mark.slow
def test_peak_memory_sees_what_a_step_allocates():
    assert peak_process_bytes(allocate, 40) == pytest.approx(40 << 20, rel=0.1)
