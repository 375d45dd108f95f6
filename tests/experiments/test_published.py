"""The papers' settings on data that must be fetched: pinned numbers, and steps on stand-ins of the right shape."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from workbench.data.event_sets import EventSet
from workbench.data.images import ImageSet
from workbench.data.sets.cifar import ColourSet
from workbench.data.split import Split
from workbench.experiments import published
from workbench.experiments.experiment import prepare
from workbench.experiments.named import EXPERIMENTS
from workbench.experiments.published import PUBLISHED
from workbench.experiments.spiking_rules import WINDOWS
from workbench.neurons.traces import Factors
from workbench.training.loop import train
from workbench.training.setting import Plan

pytestmark = pytest.mark.usefixtures("unchecked")

NAMED = {experiment.name: experiment for experiment in PUBLISHED}
# T, input shape, classes, batch, rate, epochs (papers.md 1.2: S-TLLR, Tables 1 and 2, Appendix A)
SPIKING = {
    "dvs-gesture": (20, (2, 32, 32), 11, 16, 1e-3, 300),
    "cifar10-dvs": (10, (2, 64, 64), 10, 48, 1e-3, 300),
    "shd": (100, (700,), 20, 128, 2e-4, 200),
    "n-mnist": (20, (2, 34, 34), 10, 64, 1e-3, 10),
    "spoken-digits": (60, (128,), 10, 40, 6e-3, 15),
}


def stand_in(steps, shape, classes, n=6):
    """Random recordings of the right shape."""
    generator = torch.Generator().manual_seed(0)

    def half():
        counts = torch.randint(0, 2, (steps, n, *shape), generator=generator, dtype=torch.uint8)
        return EventSet(counts, torch.arange(n) % classes)

    return Split(half(), half(), tuple(map(str, range(classes))))


@pytest.fixture(params=SPIKING)
def named(request):
    """An experiment that reads random recordings, and what the paper says of it."""
    steps, shape, classes, *_ = SPIKING[request.param]
    experiment = NAMED[request.param]
    make = experiment.prepare
    data = stand_in(steps, shape, classes)
    return experiment._replace(prepare=lambda rule, seed: make(rule, seed, read=lambda: data)), SPIKING[request.param]


def test_the_settings_are_the_papers(named):
    experiment, (steps, shape, classes, batch, rate, epochs) = named
    setting = prepare(experiment, "stllr")
    assert (setting.batch_size, experiment.epochs) == (batch, epochs)
    assert [group["lr"] for group in setting.optimizer.param_groups] == [rate]
    assert isinstance(setting.optimizer, torch.optim.Adam)
    assert (setting.schedule is None) == (experiment.name == "shd")
    x, _ = setting.data.train.batch(torch.arange(2))[:2]
    assert x.shape == (steps, 2, *shape)
    assert setting.logits(setting.network, x).shape == (2, classes)


@pytest.mark.parametrize(
    ("name", "factors", "learning"),
    [
        ("dvs-gesture", Factors(0.2, 0.75, -1.0, 1.0), 5),
        ("cifar10-dvs", Factors(0.2, 0.5, -1.0, 1.0), 5),
        ("shd", Factors(0.5, 1.0, 1.0, 1.0), 90),
    ],
)
def test_the_factors_are_the_papers(name, factors, learning):
    rule = NAMED[name].rules["stllr"](nn.Identity())
    assert rule.keywords["params"].factors == factors
    assert rule.keywords["params"].last_steps == learning


@pytest.mark.parametrize("name", SPIKING)
def test_one_choice_at_a_time_as_the_papers_tables_vary_it(name):
    """Tables 2 to 6: the window, and how many steps learn; the rest stays."""
    forms = {
        form: make(nn.Identity()).keywords["params"]
        for form, make in NAMED[name].rules.items()
        if form.startswith(("stllr-all", "stllr-last")) or form in WINDOWS
    }
    usual = NAMED[name].rules["stllr"](nn.Identity()).keywords["params"]
    for window, alpha_post in WINDOWS.items():
        assert forms.pop(window) == usual._replace(factors=usual.factors._replace(alpha_post=alpha_post))
    if usual.last_steps is not None:
        assert forms.pop("stllr-all-steps") == usual._replace(last_steps=None)
        causal = NAMED[name].rules["stllr-causal-all-steps"](nn.Identity()).keywords["params"]
        assert causal == usual._replace(factors=usual.factors._replace(alpha_post=0.0), last_steps=None)
    assert bool(forms) == (name in ("n-mnist", "spoken-digits"))
    for form, params in forms.items():
        assert params == usual._replace(last_steps=int(form.removeprefix("stllr-last")))


@pytest.mark.parametrize("rule", ["stllr", "stllr-dfa", "bptt"])
def test_a_step_on_stand_ins_learns(named, rule, monkeypatch):
    experiment, _ = named
    small = published.spiking_small_conv  # instead of VGG-9, which is dear
    monkeypatch.setattr(published, "vgg9", lambda classes, shape, seed, **_: small(classes, shape, seed=seed))
    setting = prepare(experiment, rule)._replace(batch_size=3)
    before = [p.detach().clone() for p in setting.network.parameters()]
    record = next(train(setting, Plan(1)))
    assert 0 < record.loss < 20
    assert any(not torch.equal(a, p) for a, p in zip(before, setting.network.parameters(), strict=True))


@pytest.mark.parametrize("name", NAMED)
def test_summaries_say_where_the_data_come_from(name):
    summary = NAMED[name].summary
    assert ("from the data folder" in summary) != ("can be fetched" in summary)


def test_other_learning_signals_have_rules():
    """Sign feedback, target projection and a classifier for each layer send different updates to the first layer."""
    updates = []
    for rule in ("stllr", "stllr-dfa", "stllr-sdfa", "stllr-drtp", "stllr-local"):
        setting = prepare(EXPERIMENTS["fashion-events"], rule, seed=3)
        x, y = setting.data.train.batch(torch.arange(20))[:2]
        assert setting.rule(setting.network, x, y).loss > 0
        updates.append(setting.network.get_submodule("hidden.0").connection.weight.grad.flatten())
    assert all(update.any() for update in updates)
    cosines = [float(torch.cosine_similarity(a, b, 0)) for a, b in itertools.combinations(updates, 2)]
    assert max(cosines) < 0.999
    assert any("classifiers" in name for name, _ in setting.network.named_parameters())
    learned = {id(p) for group in setting.optimizer.param_groups for p in group["params"]}
    assert {id(p) for p in setting.network.classifiers.parameters()} <= learned


@pytest.mark.parametrize(("name", "side", "channels"), [("lls-mnist", 28, 1), ("lls-cifar10", 32, 3)])
def test_blocks_on_the_papers_sets(name, side, channels, monkeypatch):
    generator = np.random.default_rng(0)
    shape = (12, side, side) if channels == 1 else (12, channels, side, side)
    kind = ImageSet if channels == 1 else ColourSet
    part = kind(generator.integers(0, 256, shape, np.uint8), np.arange(12) % 10)
    split = Split(part, part, tuple(map(str, range(10))))
    monkeypatch.setattr(published, "mnist" if channels == 1 else "cifar10", lambda: split)
    setting = prepare(NAMED[name], "lls")
    assert setting.batch_size == 128
    assert setting.network(setting.data.train.batch(torch.arange(3))[0]).shape == (3, 10)
