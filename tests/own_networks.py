"""Networks as somebody else would write them, plain and spiking: for tests only."""

import random

import torch
from torch import nn
from torch.nn import functional as F

from workbench.networks.layers import LeakyReadout, SpikingLayer, TimeDropout
from workbench.neurons.lif import Neuron


class Handmade(nn.Module):
    """Functions between layers, sizes read from the input, one ReLU for many places."""

    def __init__(self, classes=10):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 8, 3, padding=1, stride=2)
        self.relu, self.fc1, self.fc2 = nn.ReLU(inplace=True), nn.Linear(8 * 9, 12), nn.Linear(12, classes)

    def forward(self, x):
        x = F.max_pool2d(self.relu(self.bn1(self.conv1(x))), 2)
        x = self.relu(self.conv2(x))
        x = F.dropout(x, 0.0, self.training)
        return self.fc2(torch.tanh(self.fc1(x.view(x.size(0), -1))))


class Unit(nn.Module):
    """A residual unit with normalisation first."""

    def __init__(self, n):
        super().__init__()
        self.bn, self.conv, self.second = nn.BatchNorm2d(n), nn.Conv2d(n, n, 3, padding=1), nn.Conv2d(n, n, 1)

    def forward(self, x):
        y = self.second(F.relu(self.conv(F.relu(self.bn(x)))))
        y += x
        return y


def halved(x):
    """Every second pixel, and as many channels of zeros as there are."""
    return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, x.size(1)))


class Residual(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.stem, self.units = nn.Conv2d(1, 4, 3, padding=1), nn.Sequential(Unit(4), Unit(4))
        self.down, self.head = nn.Conv2d(4, 8, 3, stride=2, padding=1), nn.Linear(8, classes)

    def forward(self, x):
        x = self.units(self.stem(x))
        x = F.relu(self.down(x) + halved(x))
        return self.head(x.mean((2, 3)))


class Dense(nn.Module):
    """Channels that are laid side by side."""

    def __init__(self, classes=10):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(1, 3, 3, padding=1), nn.Conv2d(3, 2, 3, padding=1), nn.Conv2d(5, 4, 3)
        self.head = nn.Linear(4 * 25, classes)

    def forward(self, x):
        x = F.leaky_relu(self.a(x), 0.1)
        x = torch.cat([x, F.gelu(self.b(x))], 1)
        _, c, _, _ = x.shape
        x = F.avg_pool2d(self.c(x), c - 3)
        return self.head(torch.flatten(x, 1))


def chain(classes=10):
    """A chain that begins in place, and flattens straight behind a block that can run in pieces."""
    return nn.Sequential(
        nn.ReLU(inplace=True),
        nn.Sequential(nn.Conv2d(1, 5, 3, padding=2, dilation=2), nn.BatchNorm2d(5), nn.LeakyReLU(0.2)),
        nn.Flatten(),
        nn.Linear(5 * 144, 9, bias=False),
        nn.LayerNorm(9),
        nn.Tanh(),
        nn.Linear(9, classes),
    )


class Side(nn.Module):
    """A branch and its shortcut, joined in one of four ways."""

    def __init__(self, n, kind):
        super().__init__()
        self.a, self.norm, self.kind = nn.Conv2d(n, n, 3, padding=1), nn.GroupNorm(1, n), kind
        self.b = nn.Conv2d(n, n, 1) if kind > 1 else None

    def forward(self, x):
        y = self.norm(F.relu(self.a(x)))
        match self.kind:
            case 0:
                return x + y
            case 1:
                return F.relu(y).add(x)
            case 2:
                y += self.b(x)
                return y
        return torch.cat([x[:, :1], (y * torch.sigmoid(self.b(x)))[:, 1:]], 1)


def drawn(seed):
    """A network of whatever parts the seed draws, for images of 12 × 12."""
    draw, n, n_in, side = random.Random(seed), 3, 1, 12
    torch.manual_seed(seed)
    parts = []
    for _ in range(draw.randint(1, 3)):
        parts.append(nn.Conv2d(n_in, n, 3, padding=1, bias=draw.random() < 0.5))
        norms = [nn.BatchNorm2d(n)], [nn.InstanceNorm2d(n, affine=True)], [nn.GroupNorm(1, n)], []
        active = [nn.ReLU(inplace=True)], [nn.LeakyReLU(0.1)], [nn.GELU()], [nn.PReLU()], [nn.ELU(inplace=True)], []
        neither = [nn.Identity()], [nn.Dropout(0.0)], []
        parts += [*draw.choice(norms), *draw.choice(active), *draw.choice(neither)]
        if side > 3 and draw.random() < 0.6:
            parts.append(draw.choice([nn.MaxPool2d(2), nn.AvgPool2d(2)]))
            side //= 2
        if draw.random() < 0.7:
            parts.append(Side(n, draw.randint(0, 3)))
        n_in = n
    parts += [nn.Flatten(), nn.Linear(n * side * side, 5), nn.BatchNorm1d(5), draw.choice([nn.ReLU(), nn.Sigmoid()])]
    return nn.Sequential(*parts, nn.Linear(5, 10))


PLAIN = {"handmade": Handmade, "residual": Residual, "dense": Dense, "chain": chain}  # for images of 12 × 12


def plain(name, dtype=torch.double):
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(1)
    network = PLAIN[name]() if name in PLAIN else drawn(name)
    x = torch.randn(6, 1, 12, 12, generator=generator, dtype=torch.double)
    return network.to(dtype), x.to(dtype), torch.arange(6) % 10


class SpikingStep(nn.Module):
    """One step of a spiking network with a shortcut, pooling and a mask."""

    def __init__(self, dropout=0.0):
        super().__init__()
        neuron = Neuron(0.7, 0.4)
        self.first = SpikingLayer(nn.Conv2d(2, 4, 3, padding=1), neuron)
        self.second = SpikingLayer(nn.Conv2d(4, 4, 3, padding=1), neuron)
        self.pool, self.mask = nn.AvgPool2d(2), TimeDropout(dropout)
        self.dense = SpikingLayer(nn.Linear(64, 10), neuron, recurrent=True)
        self.readout = LeakyReadout(10, 3, 0.8)

    def forward(self, x):
        x = self.first(x)
        x = self.pool(x + 0.5 * self.second(x))
        return self.readout(self.dense(self.mask(x).view(x.size(0), -1)))
