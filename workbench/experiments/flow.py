"""Optical flow from events with a small U-Net of spiking layers.

Spiking encoders halve the image, decoders double it again and see the encoder of their size beside it, and a readout
gives two numbers, right and down, at every pixel. The flow is read in the last step, which is the only one that learns.
Error: average end-point error, the mean over pixels of the Euclidean distance to the true flow in pixels.

The S-TLLR paper trains the Fully-Spiking FlowNet (FSFN, Apolinario et al. 2023), a larger net of this shape, on MVSEC.
Of that, γ, v_th, Ψ, λ and α, and learning in the last step only, are taken over. What differs here: a step shows a bin
of each half of the clip side by side (five steps; there ten steps and no halves), the true flow teaches (there the loss
is self-supervised: how well one picture moved along the flow matches a later one, and how smooth the flow is), and the
error is the mean over all pixels (there over the pixels that had events: `seen` of `endpoint_error`).
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.data.sets.flow import FlowCamera, FlowHalves, moving_clips
from workbench.data.split import Split
from workbench.kernels.plain import Kernels
from workbench.meters.evaluation import evaluation
from workbench.networks.architectures import Cells, spiking_conv
from workbench.networks.layers import LeakyReadout, RunPart, over_time
from workbench.networks.seeded import seeded
from workbench.networks.spiking import Simulation, chunks, run_network
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import psi_flow
from workbench.neurons.traces import MOTION
from workbench.rule import Rule, StepReport
from workbench.rules import bptt, stllr
from workbench.training.score import Samples, Score
from workbench.training.setting import Setting

FLOW_CELLS = Cells(Neuron(0.88, 0.6), psi_flow)  # the paper's for MVSEC
FLOW_FACTORS = MOTION  # the paper's for MVSEC
HELD_OUT = 1_000_000  # number of the first clip that is held out
FlowParams = stllr.STLLR | bptt.BPTT


class SpikingUNet(nn.Module):
    """Spiking U-Net: `channels` of the encoders, from the largest image to the smallest, each half the size.

    Height and width must be divisible by 2 to the number of encoders. decay: γ of the readout.
    """

    def __init__(
        self,
        channels: Sequence[int] = (12, 24),
        cells: Cells = FLOW_CELLS,
        decay: float = 0.88,
        inputs: int = 4,
    ):
        super().__init__()
        if not channels:
            raise ValueError("channels names no encoder; give at least one number of channels")
        ins = [inputs, *channels[:-1]]
        self.encoders = nn.ModuleList(spiking_conv(i, o, cells, stride=2) for i, o in zip(ins, channels, strict=True))
        outs = [*reversed(channels[:-1]), channels[0]]
        below = [channels[-1], *(2 * n for n in outs[:-1])]
        self.decoders = nn.ModuleList(spiking_conv(i, o, cells) for i, o in zip(below, outs, strict=True))
        self.readout = LeakyReadout(outs[-1], 2, decay, image=True)

    def forward(
        self, x: Float[Tensor, "time batch polarity height width"], run: RunPart
    ) -> Float[Tensor, "time batch 2 height width"]:
        side = 2 ** len(self.encoders)
        if x.shape[-1] % side or x.shape[-2] % side:
            raise ValueError(f"height and width must be divisible by {side}, got {tuple(x.shape[-2:])}")
        skipped = []
        for encoder in self.encoders:
            x = run(encoder, x)
            skipped.append(x)
        for place, decoder in enumerate(self.decoders):
            if place:
                x = torch.cat([x, skipped[-1 - place]], dim=2)
            x = run(decoder, over_time(DOUBLE, x))
        return run(self.readout, x)


DOUBLE = nn.Upsample(scale_factor=2)


def endpoint_error(
    flow: Float[Tensor, "*batch 2 height width"],
    truth: Float[Tensor, "*batch 2 height width"],
    seen: Bool[Tensor, "*batch height width"] | None = None,
) -> Float[Tensor, "*batch"]:
    """Average end-point error of each clip: mean over pixels of the distance to the true flow, in pixels.

    seen: the pixels that count (`seen_pixels`: those with events, as in the paper); None for all. A clip in which no
    pixel counts has the error 0.
    """
    distance = (flow - truth).square().sum(-3).add(1e-12).sqrt()
    if seen is None:
        return distance.mean((-2, -1))
    return (distance * seen).sum((-2, -1)) / seen.sum((-2, -1)).clamp(min=1)


def seen_pixels(x: Shaped[Tensor, "time batch channels height width"]) -> Bool[Tensor, "batch height width"]:
    """The pixels that had at least one event in the clip."""
    return (x != 0).any(0).any(1)


def endpoint_loss(
    output: Float[Tensor, "time batch 2 height width"], truth: Float[Tensor, "batch 2 height width"]
) -> Float[Tensor, ""]:
    """Sum over steps of the average end-point error, mean over the batch."""
    return endpoint_error(output, truth.expand_as(output)).mean(1).sum()


def by_last_step(gradients: Callable[..., StepReport], params: FlowParams) -> Rule:
    """A rule that learns the flow in the last step, and reports what the readout said there, not its mean over time."""

    def learn(network: nn.Module, x: Tensor, truth: Tensor) -> StepReport:
        """Fill `.grad` from the end-point error of the readout in the last step of a batch of clips."""
        said = []

        def loss(output: Tensor, truth: Tensor) -> Tensor:
            said.append(output[-1].detach())
            return endpoint_loss(output, truth)

        report = gradients(network, x, truth, params._replace(last_steps=1, loss=loss))
        return report._replace(logits=said[-1])

    return learn


STLLR_FLOW: Rule = by_last_step(stllr.gradients, stllr.STLLR(FLOW_FACTORS))
BPTT_FLOW: Rule = by_last_step(bptt.gradients, bptt.BPTT())
FLOW_RULES: Mapping[str, Rule] = {
    "stllr": STLLR_FLOW,
    "stllr-causal": by_last_step(stllr.gradients, stllr.STLLR(FLOW_FACTORS._replace(alpha_post=0.0))),
    "bptt": BPTT_FLOW,
}


@torch.no_grad()
def predict_flow(
    network: nn.Module, x: Shaped[Tensor, "time batch polarity height width"], kernels: Kernels | None = None
) -> Float[Tensor, "batch 2 height width"]:
    """The readout after the last step."""
    simulation, output = Simulation(network, kernels), torch.zeros(())
    with evaluation(network):
        for part in chunks(len(x), 8):
            output = run_network(network, x[part].to(next(network.parameters()).dtype), simulation.run)[-1]
    return output


def summed_endpoint_error(
    flow: Float[Tensor, "batch 2 height width"], truth: Float[Tensor, "batch 2 height width"]
) -> Float[Tensor, ""]:
    """The average end-point errors of all clips of a batch, added up."""
    return endpoint_error(flow, truth).sum()


ENDPOINT_ERROR: Score = Score(
    "endpoint_error",
    "end-point error",
    "pixels",
    more_is_better=False,
    values=endpoint_error,
    loss=summed_endpoint_error,
    loss_label="loss (pixels)",
    told="end-point error {} on held-out clips",
)


def simulated_flow(train: int = 400, test: int = 96, camera: FlowCamera = FlowCamera()) -> Split[FlowHalves]:
    """Moving textures, simulated; the clips from number 1,000,000 on are held out."""
    return Split(moving_clips(train, camera), moving_clips(test, camera, first=HELD_OUT))


def flow_setting(rule: Rule, seed: int, data: Split[FlowHalves] | None = None) -> Setting:
    """The U-Net of 12 and 24 channels on `simulated_flow`, in batches of 8; Adam, 1e-2 along a cosine."""
    with seeded(seed):
        network = SpikingUNet()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    data = simulated_flow() if data is None else data
    return Setting(network, optimizer, data, rule, predict_flow, batch_size=8, score=ENDPOINT_ERROR)


def held_out_error(network: nn.Module, clips: Samples, batch_size: int = 32, masked: bool = False) -> float:
    """Average end-point error over all clips; `masked` counts the pixels with events only, as the paper does."""
    errors = []
    for rows in torch.arange(len(clips.labels)).split(batch_size):
        x, truth = clips.batch(rows)
        errors.append(endpoint_error(predict_flow(network, x), truth, seen_pixels(x) if masked else None))
    return float(torch.cat(errors).mean())


def zero_error(clips: Samples, masked: bool = False) -> float:
    """Average end-point error of saying that nothing moves; `masked` as in `held_out_error`."""
    x, truth = clips.batch(torch.arange(len(clips.labels)))
    return float(endpoint_error(torch.zeros_like(truth), truth, seen_pixels(x) if masked else None).mean())


def direction_agreement(
    flow: Float[Tensor, "batch 2 height width"],
    x: Float[Tensor, "time batch channels height width"],
    motion: Sequence[float],
) -> float:
    """Part of the clips whose mean flow, over the pixels with events, points less than 90° away from `motion`."""
    seen = seen_pixels(x).to(flow.dtype)
    mean = (flow * seen[:, None]).sum((2, 3)) / seen.sum((1, 2)).clamp(min=1)[:, None]
    return float((mean @ torch.tensor(motion, dtype=flow.dtype) > 0).float().mean())


def event_images(
    x: Float[Tensor, "time batch polarity height width"], smoothing: int = 5
) -> Float[Tensor, "2 batch height width"]:
    """Two images for methods that want frames: events of the first and of the last third, polarities subtracted,
    smoothed over `smoothing` pixels."""
    third = max(len(x) // 3, 1)
    light = torch.stack([part[:, :, 1].sum(0) - part[:, :, 0].sum(0) for part in (x[:third], x[-third:])])
    return F.avg_pool2d(light, smoothing, 1, smoothing // 2, count_include_pad=False)
