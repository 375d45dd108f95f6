"""What a module does, written down: the same numbers, and what cannot be written down is named."""

import own_networks
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from workbench.networks.traced import trace
from workbench.networks.wiring import Wired

X = torch.zeros(2, 1, 12, 12, dtype=torch.double)


@pytest.mark.parametrize("name", own_networks.PLAIN)
def test_the_steps_give_the_same_numbers(name):
    network, x, _ = own_networks.plain(name)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    steps = trace(network, X)
    assert network.training
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    network.eval()
    wired = Wired([step.module for step in steps], [step.inputs for step in steps]).eval()
    given = network(x.clone())
    assert torch.equal(wired(x.clone()), given)
    assert {id(p) for p in network.parameters()} == {id(p) for p in wired.parameters()}


def test_what_the_output_does_not_hang_on_is_left_out():
    class Idle(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x):
            self.a(x)
            return self.b(x)

    assert [step.place for step in trace(Idle(), torch.zeros(2, 3))] == ["'b' (Linear)"]


def test_dropout_in_training_only():
    class Drops(nn.Module):
        def forward(self, x):
            return F.dropout(x, 0.4, training=self.training)

    (step,) = trace(Drops(), torch.zeros(2, 3))
    assert isinstance(step.module, nn.Dropout)
    assert step.module.p == 0.4


class Does(nn.Module):
    def __init__(self, forward, **parts):
        super().__init__()
        self.what = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.what(self, x)


@pytest.mark.parametrize(
    "forward",
    [
        lambda self, x: x.reshape(len(x), -1),
        lambda self, x: x.view(x.shape[0], x.shape[2] * x.size(3)),
        lambda self, x: x[:, 0] if len(x.shape) == 4 and x.shape[-1] == 12 else x,
        lambda self, x: x.permute(0, 2, 3, 1).squeeze(-1).softmax(1).transpose(1, 2),
        lambda self, x: F.softmax(x.contiguous(), dim=-1).clamp(min=0.1) / 2 - x,
        lambda self, x: -x.sum((2, 3)) if x.dim() > 2 else x,
        lambda self, x, double=False, factor=3.0: x * factor if not double else x,
    ],
    ids=range(7),
)
def test_sizes_are_numbers_and_samples_are_not(forward):
    module = Does(forward)
    steps = trace(module, X)
    wired = Wired([step.module for step in steps], [step.inputs for step in steps])
    x = torch.randn(5, 1, 12, 12, dtype=torch.double)
    assert torch.equal(wired(x), module(x))


linear = nn.Linear(12, 12)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (Does(lambda self, x: x if x.sum() > 0 else -x), r"the network \(Does\) does cannot be written down"),
        (nn.Sequential(Does(lambda self, x: x if x.sum() > 0 else x + 1)), r"what '0' \(Does\) does cannot be written"),
        (Does(lambda self, x: x * self.scale, scale=nn.Parameter(torch.ones(1))), "uses the tensor 'scale' itself"),
        (Does(lambda self, x: torch.fft.fft(x)), r"'fft_fft' in forward of the network is not known here"),
        (nn.Sequential(Does(lambda self, x: x.cumsum(1))), r"'cumsum' in '0' \(Does\) is not known here"),
        (Does(lambda self, x: self.a(self.a(x)), a=linear), r"'a' \(Linear\) stands at two places"),
        (Does(lambda self, x: x.mean()), r"'mean' .* gives \(\) for 2 samples; parts that are taken keep samples"),
        (Does(lambda self, x: x - x.mean(0, keepdim=True)), "keep samples apart"),
        (Does(lambda self, x: self.a(x.flatten(1))[0], a=nn.LSTM(144, 3)), r"'a' \(LSTM\) gives tuple for 2 samples"),
        (Does(lambda self, x: (x, x)), "must give one tensor"),
        (Does(lambda self, x: F.dropout(x, 0.5)), "drops values in evaluation too; write training=self.training"),
        (Does(lambda self, x: F.relu(x) if self.training else x), "something else in training than in evaluation"),
        (Does(lambda self, x: self.a(x), a=nn.Linear(7, 3)), r"'a' \(Linear\) does not take .* \(2, 1, 12, 12\)"),
        (Does(lambda self, x: x.reshape(x.shape[0] * 2, -1)), "computes with the number of samples"),
        (nn.Sequential(nn.LazyLinear(3)), r"'0.weight' has no shape yet; call the network once"),
        (nn.Bilinear(2, 2, 2), "takes input2 beside its input"),
    ],
    ids=range(16),
)
def test_what_cannot_be_written_down_is_named(module, words):
    with pytest.raises(ValueError, match=words):
        trace(module, X.float())
