"""The direction of a layer's activity: exact above the length that counts as silent, smooth and finite below it."""

import pytest
import torch
from torch.nn import functional as F

from workbench.credit import bases
from workbench.credit.direction import direction, fading
from workbench.networks.architectures import spiking_vgg
from workbench.networks.block_networks import small_conv
from workbench.networks.spiking import SpikingMLP, spiking_layers
from workbench.rules import lls, tess
from workbench.rules.lls import LLS, SILENT, local_signal

DTYPES = [torch.float32, torch.float64]
LENGTHS = [0.0, 1e-30, 1e-9, 1e-4, 0.03, 0.4, 0.999, 1.0, 1.001, 30.0, 1e6]  # in units of ε


def vectors(dtype, n=12):
    z = torch.randn(len(LENGTHS), n, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return F.normalize(z, dim=1).to(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("least", [1e-5, 0.3])
def test_exact_when_active_and_nothing_when_silent(dtype, least):
    units, lengths = vectors(dtype), torch.tensor(LENGTHS, dtype=dtype)[:, None] * least
    z = (units * lengths).requires_grad_()
    unit = direction(z, least)
    v = torch.randn(len(z), 12, dtype=dtype, generator=torch.Generator().manual_seed(2))
    (gradient,) = torch.autograd.grad(unit, z, v)
    active = lengths[:, 0] > least
    torch.testing.assert_close(unit[active], units[active])
    projected = v - (v * units).sum(1, keepdim=True) * units
    torch.testing.assert_close((gradient * lengths)[active], projected[active])
    assert torch.equal(unit[0], torch.zeros(12, dtype=dtype))
    assert torch.equal(gradient[0], torch.zeros(12, dtype=dtype))
    assert bool(gradient.isfinite().all())
    assert float((gradient.norm(dim=1) / v.norm(dim=1)).max()) <= 1.5 / least


def test_gradient_fades_without_a_jump():
    """From length 0 to 2 ε in steps of ε / 1000: neighbours hardly differ, in units of the largest gradient 1 / ε."""
    lengths, least = torch.linspace(0.0, 2.0, 2001, dtype=torch.float64)[:, None], 1.0
    z = (lengths * vectors(torch.float64)[:1]).requires_grad_()
    (gradient,) = torch.autograd.grad(direction(z, least), z, torch.ones_like(z))
    assert float(gradient.diff(dim=0).norm(dim=1).max()) < 0.03
    assert float(gradient[1].norm()) < 0.02  # and it starts from 0
    assert torch.autograd.gradcheck(lambda z: direction(z, least), z[[3, 400, 900, 1100]].detach().requires_grad_())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [10, 20])
def test_local_signal_equals_autograd_through_the_fading_direction(dtype, rows):
    n = 40
    least = SILENT * n**0.5
    z = (vectors(dtype, n) * torch.tensor(LENGTHS, dtype=dtype)[:, None] * least).requires_grad_()
    y, basis = torch.arange(len(z)) % 10, bases.sine(rows, n).to(dtype)
    modulation = None if rows == 10 else torch.cos(torch.arange(200, dtype=dtype)).view(20, 10)
    logits = lls.modulate(direction(z, least) @ basis.T, modulation) / LLS().temperature
    loss = F.cross_entropy(logits, y)
    (gradient,) = torch.autograd.grad(loss, z)
    signal = local_signal(z.detach(), basis, y, LLS(), modulation)
    torch.testing.assert_close(signal.loss, loss.detach())
    torch.testing.assert_close(signal.latents, gradient, rtol=1e-4 if dtype == torch.float32 else 1e-9, atol=0)
    assert torch.equal(signal.latents[0], torch.zeros(n, dtype=dtype))
    assert float(fading(torch.tensor([[0.0]]), least).across) == 0.0


def largest_gradient(network):
    return max(float(p.grad.norm()) for p in network.parameters() if p.grad is not None)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("brightness", [0.0, 1.0, 255.0])
@pytest.mark.parametrize("variant", [lls.unmodulated, lls.mixing])
def test_a_constant_batch_of_images_does_not_shake_lls(dtype, brightness, variant):
    torch.manual_seed(0)
    network = small_conv(3, make_head=lls.local_head(3, modulation=variant)).to(dtype)
    images, y = torch.rand(6, 1, 12, 12, dtype=dtype), torch.tensor([0, 1, 2, 0, 1, 2])
    lls.gradients(network, images, y)
    usual = largest_gradient(network)
    network.zero_grad()
    lls.gradients(network, torch.full_like(images, brightness), y)
    assert largest_gradient(network) < 20 * usual


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("silent", [[], [1], [0, 1, 2, 3]])
def test_silent_samples_and_steps_are_taught_nothing_by_tess(dtype, silent):
    """unit_length: some or all samples silent, at some steps or at all; every spiking layer, images too."""
    y = torch.tensor([0, 1, 2, 0])
    torch.manual_seed(0)
    networks = (SpikingMLP([6, 8, 7], classes=3), (5, 4, 6)), (spiking_vgg(((4,), (5,)), 3, (1, 8, 8)), (5, 4, 1, 8, 8))
    for network, shape in networks:
        x = (torch.rand(shape) < 0.5).to(dtype) * 4
        x[:, silent], x[2] = 0, 0
        params = tess.TESS(tess.make_heads(network.to(dtype), x, 3), scale=tess.unit_length)
        tess.gradients(network, x, y, params)
        assert largest_gradient(network) < 100
        if len(silent) == 4:
            hidden = [p.grad for layer in spiking_layers(network).values() for p in layer.parameters()]
            assert all(float(g.abs().max()) == 0.0 for g in hidden)


def test_unit_length_sees_a_single_spike():
    """One spike pooled over the largest image still has a direction."""
    s = torch.zeros(1, 64, dtype=torch.float64)
    s[0, 3] = 1 / 128**2
    assert float(tess.unit_length(s)[0, 3]) == pytest.approx(1.0, abs=1e-15)
