"""Data that `train` takes: samples, a DataLoader, a pair of arrays; and a last batch of one sample."""

import numpy as np
import pytest
import torch
from tiny_training import tiny_data
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from workbench.networks.block_networks import dense_network
from workbench.networks.blocks import block_logits
from workbench.networks.spiking import SpikingMLP, spiking_logits
from workbench.rules import backprop, stllr
from workbench.training.loop import train
from workbench.training.samples import data_of, samples_of
from workbench.training.score import evaluate
from workbench.training.setting import Plan, Setting


def losses(data, batch_size=16):
    torch.manual_seed(0)
    network = SpikingMLP([12, 16], classes=3)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    setting = Setting(network, optimizer, data, stllr.gradients, spiking_logits, batch_size)
    return [record.loss for record in train(setting, Plan(epochs=2))]


def test_loaders_and_arrays_learn_as_samples_do():
    data = tiny_data()
    wanted = losses(data)
    halves = [(half.counts.float(), half.labels) for half in (data.train, data.test)]

    def time_first(items):
        return torch.stack([x for x, _ in items], 1), torch.stack([y for _, y in items])

    sets = [TensorDataset(x.transpose(0, 1), y) for x, y in halves]
    assert losses(tuple(DataLoader(each, collate_fn=time_first) for each in sets)) == wanted
    assert losses(tuple(halves)) == wanted
    assert losses(tuple((x.numpy(), y.numpy().astype(np.uint8)) for x, y in halves)) == wanted


def refuses(words, call, *args):
    with pytest.raises(ValueError, match=words):
        call(*args)


def test_data_of_other_forms_say_what_was_expected():
    class Stream(IterableDataset):
        def __iter__(self):
            return iter(())

    loader = DataLoader(TensorDataset(torch.zeros(4, 2)))
    refuses(r"write data=\(train_loader, test_loader\)", data_of, loader)
    refuses("got Tensor", data_of, torch.zeros(3))
    refuses("as a pair, got tuple", data_of, (torch.zeros(4, 2), torch.zeros(4)))
    refuses("order of its own", samples_of, DataLoader(Stream()), "the training data")
    refuses("the test data must be samples with `labels`.*got list", samples_of, [1, 2], "the test data")
    refuses(r"pair \(x, y\), or \(x, y, length\), got tuple", samples_of, loader, "the training data")
    none = (torch.zeros(5, 0, 3), torch.zeros(0, dtype=torch.long))
    refuses("the test data holds no sample", samples_of, none, "the test data")
    ambiguous = (torch.zeros(4, 4, 3), torch.zeros(4, dtype=torch.long))
    refuses(r"\(4, 4, 3\).*either of its first two axes", samples_of, ambiguous, "the training data")
    refuses("neither of its first two axes", samples_of, (torch.zeros(4, 3), torch.zeros(5)), "the training data")


@pytest.mark.parametrize(("samples", "size", "steps"), [(17, 8, 2), (16, 8, 2), (18, 8, 3), (3, 1, 3), (1, 8, 1)])
def test_a_last_batch_of_one_is_left_out(samples, size, steps):
    network = dense_network([4, 5], 3, normalize=False)
    half = (torch.rand(samples, 4), torch.arange(samples) % 3)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    setting = Setting(network, optimizer, (half, half), backprop.gradients, block_logits, size)
    records = list(train(setting, Plan(epochs=2)))
    assert [record.step for record in records] == list(range(2 * steps))
    assert records[steps - 1].held_out_score is not None


def test_plans_and_batches_are_counted():
    with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1, got 0"):
        losses(tiny_data(), batch_size=0)
    network, data = SpikingMLP([12, 4], classes=3), tiny_data()
    setting = Setting(network, torch.optim.SGD(network.parameters(), 0.1), data, stllr.gradients, spiking_logits)
    with pytest.raises(ValueError, match="epochs of Plan must be a whole number of at least 0, got -1"):
        setting.begin(Plan(epochs=-1))


def test_evaluation_names_what_is_not_finite():
    network, samples = dense_network([4, 5], 3), samples_of((torch.rand(9, 4), torch.arange(9) % 3), "the test data")
    samples.x[7, 2] = 3e38

    def exploding(network, x):
        return x[:, :3] * 2

    with pytest.raises(FloatingPointError, match="outputs for sample 7 are NaN or infinite"):
        evaluate(network, samples, exploding, batch_size=4)
    samples.x[7, 2] = float("nan")
    with pytest.raises(ValueError, match="x holds NaN"):
        evaluate(network, samples, block_logits)
    with torch.no_grad():
        network.classifier.weight[0, 0] = float("inf")
    with pytest.raises(FloatingPointError, match=r"weights of 'classifier.weight' hold NaN or infinity"):
        evaluate(network, samples, block_logits)
