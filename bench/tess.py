"""TESS on the small VGG of `bench.vgg`: 2 × 32 × 32 events, B = 8, T = 100; the last 5 steps learn, and all of them.

One thread; the peer is the same snnTorch BPTT as there. Each layer is taught by waves through the pooling that follows.
"""

import sys
from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from bench.measure import compared, in_process, one_thread, peak_extra_bytes, timings
from bench.vgg import CHUNK, CLASSES, LAST, SnnTorchVGG, events, our_network, through_time_batch
from workbench.networks import SpikingSequential
from workbench.rule import StepReport
from workbench.rules import TESS, make_heads, tess

CELLS = [4, 2, 2, 2, 2, 2, 2, 1]


def params(net: SpikingSequential, last: int | None) -> TESS:
    """The paper's traces and heads of this network."""
    return TESS(make_heads(net, events(1, 1)[0], CLASSES, CELLS), tess.FACTORS, last, chunk=CHUNK)


def tess_batch(net: SpikingSequential, rule: TESS, x: Tensor, y: Tensor) -> StepReport:
    """One batch of TESS."""
    net.zero_grad()
    return tess.gradients(net, x, y, rule)


def through_all_steps(net: nn.Module, x: Tensor, y: Tensor) -> None:
    """One batch of backpropagation through time with the loss of all steps."""
    net.zero_grad()
    output = net(x)
    (F.cross_entropy(output.flatten(0, 1), y.repeat(len(x)), reduction="sum") / len(y)).backward()


def speed(steps: int = 100) -> dict[str, object]:
    """Seconds per batch with the last 5 steps learning; `all_steps_ratio` with all of them."""
    one_thread()
    net, (x, y) = our_network(), events(steps)
    peer = SnnTorchVGG(net)
    few, every = (partial(tess_batch, net, params(net, last), x, y) for last in (LAST, None))
    ours, theirs = timings(few, partial(through_time_batch, peer, x, y), repeats=3)
    slow, slow_peer = timings(every, partial(through_all_steps, peer, x, y), repeats=3)
    return compared(
        "tess",
        "snnTorch BPTT",
        ours,
        theirs,
        steps=steps,
        last_steps=LAST,
        all_steps_ratio=slow_peer.elapsed / slow.elapsed,
        all_steps_seconds=slow.elapsed,
        spike_rates=few().spike_rates,
    )


def memory() -> dict[str, object]:
    """Peak extra memory of one batch, all steps learning, at T = 20 and 100, against snnTorch at 100."""
    ours = {steps: in_process("bench.tess", "tess", steps) for steps in (20, 100)}
    snn = in_process("bench.tess", "snntorch", 100)
    net = our_network()
    state = {steps: tess_batch(net, params(net, None), *events(steps)).state_bytes for steps in (20, 100)}
    return {
        "name": "tess-memory",
        "peer": "snnTorch BPTT",
        "ratio": snn / ours[100],
        "bytes": ours[100],
        "peer_bytes": snn,
        "growth": ours[100] / ours[20],
        "state_bytes": state[100],
        "state_growth": state[100] / state[20],
    }


def peak(rule: str, steps: int) -> int:
    """Peak extra bytes of one batch in this process."""
    one_thread()
    net, (x, y), tiny = our_network(), events(steps), events(2 * CHUNK, 1)
    ours, theirs = partial(tess_batch, net, params(net, None)), partial(through_all_steps, SnnTorchVGG(net))
    batch = {"tess": ours, "snntorch": theirs}[rule]
    return peak_extra_bytes(lambda: batch(x, y), lambda: batch(*tiny))


BENCHMARKS = {"tess": speed, "tess-memory": memory}

if __name__ == "__main__":
    print(peak(sys.argv[1], int(sys.argv[2])))
