"""TESS in whole numbers: weights of 8, 10 or 12 bits, rounded by chance, and membranes of 16 bits.

The network of the small TESS result in the first author's report (NeuroPAC fellowship): 32C3–32C3–32C3, causal trace
only, Ψ = max(1 − |v|, 0), about 20,000 weights. What is known of it leaves open and is chosen here: 2×2 maximum pooling
after the first two layers, a readout of 2 × 2 averages of the last layer's spikes, γ = ½ (a shift), v_th = 1, plain
gradient descent. Its f(x) = clip(x/4 + ½, 0, 1) is `rules.tess.hard_sigmoid_squares`; here TESS's softmax stands,
with which 250 batches of simulated events taught more: 46 % of the next answers right, not 34 %, each at its best rate.

Inputs are counts, spikes and maxima of spikes, so that the sums of hidden layers are whole multiples of a weight's
step, in which their membranes count. Traces, signals and the products that make an update are floats.

Accuracy in %, its η in steps of a weight, ours 0.05 along a cosine:

    weights                   8 bits         10 bits        12 bits        float
    DVS Gesture, η = 8        94.17 ± 1.06   94.55 ± 0.79   94.24 ± 0.94           the report, 5 runs ± deviation
                 η = 4        94.77 ± 0.82   95.68 ± 0.69   95.00 ± 0.49
                 η = 2        94.77 ± 1.08   94.70 ± 0.97   95.08 ± 0.89
                 η = 1        93.41 ± 0.79   95.23 ± 0.43   95.23 ± 0.69
    simulated events          73.7 ± 0.8     72.2 ± 1.5     72.9 ± 0.9     72.7 ± 0.6      ours, 4 runs ± deviation

Ours are three epochs of the 5,000 embedded recordings, 1,000 unseen ones, seeds 0 to 3. As in the report, bits make no
difference that these runs could tell from chance.
"""

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import nn

from workbench.credit.signals import Loss, summed_cross_entropy
from workbench.data.sets.dvs import dvs_gesture
from workbench.data.sets.image_events import fashion_events
from workbench.data.split import Split
from workbench.networks.architectures import Cells, maximum_pool, spiking_conv
from workbench.networks.layers import LeakyReadout
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingSequential, spiking_logits
from workbench.neurons.lif import Neuron, soft_reset
from workbench.neurons.registers import Grid, Register, grid
from workbench.neurons.surrogate import triangle
from workbench.neurons.traces import Factors
from workbench.rules import tess
from workbench.training.grid_descent import GridDescent
from workbench.training.setting import Setting

CHANNELS, MEMBRANE_BITS = 32, 16
FACTORS = Factors(lambda_post=0.0, lambda_pre=0.5, alpha_post=0.0, alpha_pre=1.0)
RATE, BATCH = 0.05, 8
HEAD_LOSS: Loss = summed_cross_entropy

INTEGER_RULES: Mapping[str, Grid | None] = {  # what the weights are rounded to
    "tess-10": grid(10),
    "tess-8": grid(8),
    "tess-12": grid(12),
    "tess-float": None,
}


def integer_network(
    classes: int, channels: int = 2, weights: Grid | None = None, width: int = CHANNELS, seed: int = 0
) -> SpikingSequential:
    """32C3–P2–32C3–P2–32C3–(2 × 2)–FC; with `weights` the membranes are registers of 16 bits in steps of the weights.

    The weights themselves are put on their grid by `GridDescent`.
    """
    reset = soft_reset if weights is None else Register(Grid(MEMBRANE_BITS, weights.step))
    cells = Cells(Neuron(0.5, 1.0), triangle, standardize=False, bias=False, reset=reset)
    with seeded(seed):
        return SpikingSequential(
            spiking_conv(channels, width, cells),
            maximum_pool(),
            spiking_conv(width, width, cells),
            maximum_pool(),
            spiking_conv(width, width, cells),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            LeakyReadout(4 * width, classes, 0.0),
        )


def integer_setting(weights: Grid | None, seed: int, read: Callable[[], Split], loss: Loss = HEAD_LOSS) -> Setting:
    """The network on recordings, taught by TESS; `weights` None leaves them and the membranes floats."""
    data = read()
    x, classes = data.train.batch(torch.arange(1))[0], len(data.classes)
    network = integer_network(classes, x.shape[2], weights, seed=seed)
    heads = tess.make_heads(network, x, classes, cells=2, basis=tess.distinct)
    rule = partial(tess.gradients, params=tess.TESS(heads, FACTORS, loss=loss, chunk=10))
    parameters = network.parameters()
    whole = weights is not None
    optimizer = GridDescent(parameters, RATE, weights, seed) if whole else torch.optim.SGD(parameters, lr=RATE)
    return Setting(network, optimizer, data, rule, spiking_logits, BATCH)


def integer_events(weights: Grid | None, seed: int) -> Setting:
    """The embedded clothes as simulated events, 2 × 17 × 17 counts, 20 steps."""
    return integer_setting(weights, seed, fashion_events)


def integer_gesture(weights: Grid | None, seed: int) -> Setting:
    """DVS128 Gesture from the folder `dvs_gesture` of the data folder, 2 × 32 × 32 counts, 20 steps of 75 ms."""
    return integer_setting(weights, seed, dvs_gesture)
