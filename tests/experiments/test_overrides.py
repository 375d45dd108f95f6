"""Variations of an experiment: the same run where nothing is varied, and what is varied is varied."""

import pytest
import torch
from tiny import RULES, TINY, prepare

from workbench.experiments.experiment import start
from workbench.experiments.overrides import fewer_samples, set_rate, vary

pytestmark = pytest.mark.usefixtures("unchecked")


def losses(experiment, rule, **settings):
    return [record.loss for record in start(experiment, rule, **settings)]


def test_nothing_varied_is_the_experiment_itself():
    usual = losses(TINY, "stllr", seed=3)
    assert losses(vary(TINY), "stllr", seed=3) == usual
    assert losses(vary(TINY, learning_rate=1e-2, per_class=8), "stllr", seed=3) == usual


def test_the_learning_rate_is_the_one_given():
    slow, fast = (losses(vary(TINY, learning_rate=rate), "bptt", epochs=6) for rate in (1e-5, 1e-1))
    assert slow[-1] > 2 * fast[-1]
    assert max(slow) - min(slow) < 0.3


def test_fewer_samples_are_balanced_and_of_the_training_set():
    data = prepare(RULES["stllr"], 0).data
    few = fewer_samples(data, per_class=2, seed=5).train
    assert torch.bincount(few.labels).tolist() == [2, 2, 2]
    x, y = few.batch(torch.tensor([4, 1]))
    assert torch.equal(x, data.train.x[:, few.rows[[4, 1]]])
    assert torch.equal(y, data.train.labels[few.rows[[4, 1]]])
    assert not torch.equal(few.rows, fewer_samples(data, per_class=2, seed=6).train.rows)
    assert len(losses(vary(TINY, per_class=2), "stllr", epochs=1)) == 1


def test_the_name_says_what_is_varied():
    assert vary(TINY, 0.5, 4).name == "tiny, learning rate 0.5, 4 samples per class"


@pytest.mark.parametrize(
    ("change", "message"),
    [({"learning_rate": 0.0}, "positive, got 0.0"), ({"per_class": 9}, "is 9, expected 1 to 8")],
)
def test_wrong_settings_are_quoted(change, message):
    with pytest.raises(ValueError, match=message):
        start(vary(TINY, **change), "stllr")


def test_every_group_gets_the_rate():
    parameters = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    optimizer = torch.optim.SGD([{"params": [p]} for p in parameters], lr=1.0)
    set_rate(optimizer, 0.25)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]
