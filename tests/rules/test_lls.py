"""LLS against autograd, the golden vectors, and its laws: locality above all."""

import copy

import numpy as np
import pytest
import torch
from few_blocks import with_local_heads
from torch import nn
from torch.nn import functional as F

from workbench.credit import bases
from workbench.meters.kept import KeptBytes
from workbench.networks.block_networks import dense_network, mini_conv, pool_before_latents, small_conv, vgg8
from workbench.networks.blocks import BlockNetwork, check_examples, conv_block, dense_block
from workbench.rules import backprop, lls, local_classifier
from workbench.rules.lls import LLS, local_head, local_signal, mixing, per_class, random_head, unmodulated


def images(batch=6, channels=1, side=16, classes=10):
    generator = torch.Generator().manual_seed(batch + side)
    x = torch.randn(batch, channels, side, side, generator=generator, dtype=torch.double)
    return x, torch.randint(0, classes, (batch,), generator=generator)


def gradients(net, x, y, *params, rule=lls.gradients):
    net.zero_grad()
    report = rule(net, x, y, *params)
    return report, {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}


def reference_loss(z, basis, y, params, modulation):
    """The local loss written down once more, for autograd."""
    direction = F.normalize(z, dim=1) if params.normalized else z
    s = direction @ basis.T
    if modulation is not None:
        s = s * modulation if modulation.ndim == 1 else s @ modulation
    return F.cross_entropy(s / params.temperature, y, label_smoothing=params.label_smoothing)


def latents(batch=5, n=40):
    generator = torch.Generator().manual_seed(7)
    return torch.randn(batch, n, generator=generator, dtype=torch.double), torch.arange(batch) % 10


MODULATIONS = {
    "lls": (None, 10),
    "lls-m": (torch.linspace(-1.0, 2.0, 10, dtype=torch.double), 10),
    "lls-mxm": (torch.sin(torch.arange(100, dtype=torch.double)).view(10, 10), 10),
    "lls-mxm-reduced": (torch.cos(torch.arange(200, dtype=torch.double)).view(20, 10), 20),
    "lls-mxm-64": (torch.cos(torch.arange(640, dtype=torch.double)).view(64, 10), 64),
}


@pytest.mark.parametrize("variant", MODULATIONS)
@pytest.mark.parametrize("params", [LLS(), LLS(0.8, 0.1), LLS(1.3, 0.2, normalized=False)])
def test_closed_form_equals_autograd(variant, params):
    (modulation, rows), (z, y) = MODULATIONS[variant], latents()
    basis = bases.sine(rows, z.shape[1])
    signal = local_signal(z, basis, y, params, modulation)
    leaves = [t.clone().requires_grad_() for t in (z, basis) + (() if modulation is None else (modulation,))]
    loss = reference_loss(leaves[0], leaves[1], y, params, leaves[2] if modulation is not None else None)
    loss.backward()
    assert signal.loss.item() == pytest.approx(loss.item(), abs=1e-12)
    assert torch.allclose(signal.latents, leaves[0].grad, atol=1e-12)
    direction = F.normalize(z, dim=1) if params.normalized else z
    assert torch.allclose(signal.scores.T @ direction, leaves[1].grad, atol=1e-12)
    if modulation is None:
        assert signal.modulation is None
    else:
        assert torch.allclose(signal.modulation, leaves[2].grad, atol=1e-12)


GOLDEN = {
    "lls_conv_cosine": bases.sine,
    "lls_conv_square": bases.square,
    "lls_dense_cosine": bases.sine,
    "lls_dense_square": bases.square,
    "lls_m": bases.sine,
    "lls_mxm": bases.sine,
    "lls_mxm_reduced": bases.sine,
}


def close(ours, published, tolerance=1e-5):
    published = torch.as_tensor(np.asarray(published))
    return float((ours - published).norm() / published.norm()) < tolerance


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_vectors(golden, name):
    v = golden(name)
    a = torch.tensor(v["activation"]).requires_grad_()
    block = conv_block(1, 1, int(v["pool"])) if a.ndim == 4 else dense_block(1, 1, int(v["pool"]))
    z = block.latents(a)
    modulation = torch.tensor(v["modulation"]) if "modulation" in v else None
    rows = int(v["n_classes"]) if modulation is None or modulation.ndim == 1 else len(modulation)
    basis = torch.tensor(v["basis"]) if "basis" in v else GOLDEN[name](rows, z.shape[1], dtype=torch.float32)
    params = LLS(float(v["temperature"]), float(v.get("label_smoothing", 0.0)))
    signal = local_signal(z.detach(), basis, torch.tensor(v["labels"]), params, modulation)
    z.backward(signal.latents)
    assert close(signal.loss, v["loss"])
    assert close(a.grad, v["grad_activation"])
    assert modulation is None or close(signal.modulation, v["grad_modulation"])
    double = local_signal(z.detach().double(), GOLDEN[name](rows, z.shape[1]), torch.tensor(v["labels"]), params)
    assert double.loss.dtype == torch.float64


def test_gradients_with_latents_after_pooling_equal_autograd():
    """Each block alone: everything before it is cut off, the pooled map is what is compared with the waves."""
    net, (x, y) = pool_before_latents(with_local_heads(modulation=mixing, rows=20)), images()
    ours = gradients(net, x, y)[1]
    losses = []
    for block, head in zip(net.blocks, net.heads, strict=True):
        a = block.body(x.detach())
        losses.append(reference_loss(block.latents(a), head.basis, y, LLS(), head.modulation))
        x = block.between(a)
    net.zero_grad()
    torch.stack([*losses, F.cross_entropy(net.classifier(x.detach()), y)]).sum().backward()
    assert all(torch.allclose(ours[name], p.grad, atol=1e-10) for name, p in net.named_parameters())


def test_only_the_direction_of_the_latents_is_trained():
    z, y = latents()
    basis = bases.square(10, z.shape[1])
    signal = local_signal(z, basis, y)
    assert (signal.latents * z).sum(1).abs().max() < 1e-15
    longer = local_signal(3.0 * z, basis, y)
    assert longer.loss.item() == pytest.approx(signal.loss.item(), abs=1e-12)
    assert torch.allclose(longer.latents, signal.latents / 3.0, atol=1e-15)


def test_neutral_modulation_is_plain_lls():
    z, y = latents()
    basis = bases.sine(10, z.shape[1])
    plain = local_signal(z, basis, y)
    for neutral in (torch.ones(10, dtype=torch.double), torch.eye(10, dtype=torch.double)):
        modulated = local_signal(z, basis, y, LLS(), neutral)
        assert modulated.loss.item() == pytest.approx(plain.loss.item(), abs=1e-12)
        assert torch.allclose(modulated.latents, plain.latents, atol=1e-15)


def test_without_normalising_orthonormal_rows_give_the_signal_without_its_projection():
    z, y = latents()
    z = F.normalize(z, dim=1)
    basis = bases.orthonormal(10, z.shape[1])
    free, bound = local_signal(z, basis, y, LLS(normalized=False)), local_signal(z, basis, y)
    projected = free.latents - (free.latents * z).sum(1, keepdim=True) * z
    assert torch.allclose(projected, bound.latents, atol=1e-15)
    assert not torch.allclose(free.latents, bound.latents, atol=1e-6)


def test_temperature_only_rescales_the_rows():
    z, y = latents()
    basis = bases.sine(10, z.shape[1])
    cold, scaled = local_signal(z, basis, y, LLS(0.25)), local_signal(z, 4.0 * basis, y, LLS(1.0))
    assert torch.allclose(cold.latents, scaled.latents, atol=1e-12)


@pytest.mark.parametrize("modulation", [unmodulated, per_class, mixing])
def test_whole_rule_equals_autograd_of_each_block_alone(modulation):
    net, (x, y) = with_local_heads(modulation=modulation), images()
    other = copy.deepcopy(net)
    report, ours = gradients(net, x, y)
    for block, head in zip(other.blocks, other.heads, strict=True):
        a = block.features(x.detach())
        reference_loss(block.latents(a), head.basis, y, LLS(), head.modulation).backward()
        x = block.between(a)
    loss = F.cross_entropy(other.classifier(x.detach()), y)
    loss.backward()
    assert report.loss == pytest.approx(loss.item(), abs=1e-12)
    theirs = {name: p.grad for name, p in other.named_parameters()}
    assert ours.keys() == theirs.keys()
    for name in theirs:
        assert torch.allclose(ours[name], theirs[name], atol=1e-11), name


RULES = {
    "lls": (lls.gradients, lambda: local_head(10)),
    "lls-mxm": (lls.gradients, lambda: local_head(10, modulation=mixing)),
    "local-classifiers": (local_classifier.gradients, lambda: local_classifier.trained_head(10)),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("changed", [1, 2, 3, 4])
def test_block_gradients_are_bit_identical_whatever_is_changed_downstream(rule, changed):
    """`changed`: every parameter from this block on, heads and classifier included (4 is the classifier alone)."""
    run, make_head = RULES[rule]
    torch.manual_seed(0)
    net, (x, y) = mini_conv(10, 1, make_head()), images()
    _, before = gradients(net, x.float(), y, rule=run)
    with torch.no_grad():
        for module in (*net.blocks[changed:], *net.heads[changed:], net.classifier):
            for parameter in module.parameters():
                parameter.normal_(std=3.0)
    _, after = gradients(net, x.float(), y, rule=run)
    for name, gradient in before.items():
        part, index = name.split(".")[:2]
        if part != "classifier" and int(index) < changed:
            assert gradient.equal(after[name]), name
        elif "bias" not in name:  # a bias before batch normalisation has no gradient at all
            assert not gradient.equal(after[name]), name


@pytest.mark.parametrize("run", [lls.gradients, lls.train_classifier])
def test_nothing_flows_into_the_input(run):
    net = dense_network([8, 8], 10, random_head(10))
    x = torch.randn(6, 8, requires_grad=True)
    run(net, x, torch.arange(6))
    assert x.grad is None
    assert net.classifier.weight.grad is not None


def test_gradients_add_up_until_they_are_cleared_and_nothing_is_stepped():
    net, (x, y) = with_local_heads(modulation=mixing), images()
    before = copy.deepcopy(dict(net.named_parameters()))
    _, once = gradients(net, x, y)
    lls.gradients(net, x, y)
    for name, parameter in net.named_parameters():
        assert torch.equal(parameter, before[name])
        assert torch.allclose(parameter.grad, 2.0 * once[name], atol=1e-12)


def test_kept_bytes_are_those_of_the_largest_block_not_the_sum():
    torch.manual_seed(0)
    kept = {}
    for depth in (2, 6):
        blocks = [conv_block(8, 8, 2) for _ in range(depth)]
        blocks[-1].between = nn.Sequential(nn.Flatten())
        net = BlockNetwork(blocks, nn.Linear(8 * 16 * 16, 10), local_head(10))
        x, y = torch.randn(16, 8, 16, 16), torch.arange(16) % 10
        for rule in (lls.gradients, backprop.gradients):
            net.zero_grad()
            with KeptBytes(*net.parameters(), *net.buffers(), x) as count:
                rule(net, x, y)
            kept[rule, depth] = count.peak
    assert kept[lls.gradients, 6] < 1.01 * kept[lls.gradients, 2] + x.nbytes
    assert kept[backprop.gradients, 6] > 2.0 * kept[backprop.gradients, 2]


def test_vgg8_keeps_at_most_half_of_backpropagation():
    torch.manual_seed(0)
    net, (x, y) = vgg8(10, 3, local_head(10)), images(batch=2, channels=3, side=32)
    kept = []
    for rule in (lls.gradients, backprop.gradients):
        net.zero_grad(set_to_none=True)
        with KeptBytes(*net.parameters(), *net.buffers(), x) as count:
            rule(net, x.float(), y)
        kept.append(count.peak)
    assert 2 * kept[0] <= kept[1]


def test_basis_is_kept_in_the_state_and_survives_it():
    net = with_local_heads()
    assert "heads.0.basis" in net.state_dict()
    assert net.heads[0].basis.equal(bases.build(bases.square, 10, 256).double())
    other = with_local_heads(basis=bases.sine)
    other.load_state_dict(net.state_dict())
    assert other.heads[0].basis.equal(net.heads[0].basis)
    assert "heads.0.basis" not in dict(net.named_parameters())


def test_random_bases_differ_between_blocks_and_repeat_with_their_seed():
    nets = [small_conv(10, 1, random_head(10, seed=seed)) for seed in (0, 0, 1)]
    assert nets[0].heads[0].basis.equal(nets[1].heads[0].basis)
    assert not nets[0].heads[0].basis.equal(nets[2].heads[0].basis)
    assert not nets[0].heads[0].basis.equal(nets[0].heads[2].basis)


def test_one_batch_can_be_learned_by_every_block():
    torch.manual_seed(0)
    net, (x, y) = dense_network([256, 64, 64], 10, local_head(10)), images(batch=20)
    x = x.float().flatten(1)
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        report = lls.gradients(net, x, y)
        optimizer.step()
    assert report.loss < 0.1
    before = copy.deepcopy(net.state_dict())
    for cosines in lls.synchrony_by_block(net, x):
        assert cosines.argmax(1).equal(y)
    assert all(tensor.equal(before[name]) for name, tensor in net.state_dict().items())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: lls.gradients(mini_conv(), *images()), r"on each of the 4 blocks, the network has 0.*local_head"),
        (
            lambda: lls.gradients(mini_conv(10, 1, local_classifier.trained_head(10)), *images()),
            "the network has 0",
        ),
        (lambda: local_classifier.gradients(with_local_heads(), *images()), r"trained_head"),
        (lambda: check_examples(with_local_heads(), images()[0], images(batch=7)[1]), r"shape \(6,\), got \(7,\)"),
        (lambda: lls.gradients(with_local_heads(), images()[0] * float("nan"), images()[1]), "NaN"),
        (lambda: lls.gradients(with_local_heads(), images()[0], images()[1] + 10), r"labels must lie in 0\.\.9"),
        (lambda: mini_conv(10, 1, local_head(10, rows=20)), "20 rows for 10 classes; use `mixing`"),
        (lambda: mini_conv(114, 1, local_head(114, bases.sine)), "cannot be told apart"),
    ],
)
def test_bad_input_is_quoted(make, words):
    with pytest.raises(ValueError, match=words):
        make()
