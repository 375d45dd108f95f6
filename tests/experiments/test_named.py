"""All named experiments: what prepares them leaves torch's generator alone and does not mind other threads."""

import functools
import sys
import threading

import pytest
import torch

from workbench.continual.multihead import alexnet, mlp, reduced_resnet18
from workbench.experiments import flow
from workbench.experiments.experiment import prepare
from workbench.experiments.named import EXPERIMENTS, STREAMS
from workbench.experiments.new_clothes import fine_tuning_setting, with_lance
from workbench.experiments.pretrained import fashion_resnet20
from workbench.experiments.published import PUBLISHED
from workbench.experiments.sound import voice_network
from workbench.networks.block_networks import mini_conv
from workbench.rules.direct_feedback import direct_feedback
from workbench.rules.feedback_alignment import feedback_weights
from workbench.rules.lls import local_head, mixing, random_head
from workbench.rules.tess import make_heads

pytestmark = pytest.mark.usefixtures("unchecked")

DEAR = ("fine-tune-fashion", "lls-fashion-full", "tess-integer-gesture")  # a trunk to run through, data to fetch
FETCHED = {e.name for e in PUBLISHED} | {"tess-integer-gesture"}  # read from the data folder
CHEAP = [name for name, e in EXPERIMENTS.items() if name not in {*DEAR, *FETCHED} and e.tasks is None]
EMBEDDED_STREAMS = [name for name in STREAMS if name not in ("split-cifar100", "permuted-mnist")]


def numbers(network):
    return torch.cat([tensor.flatten().double() for tensor in network.state_dict().values()])


def prepared(name, seed):
    chosen = EXPERIMENTS[name]
    rules = list(chosen.rules.values())
    return chosen.prepare(rules[seed % len(rules)], seed).network


def stream_network(name, seed):
    return prepare(STREAMS[name], "fine-tuning", seed, 2).method.network


@pytest.fixture(scope="module", autouse=True)
def clips_once():
    """The simulated clips are computed once: they take seconds, and have nothing to do with torch's generator."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flow, "moving_clips", functools.cache(flow.moving_clips))
        yield


@pytest.fixture
def hasty_threads():
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_two_threads_prepare_the_networks_that_one_prepares(hasty_threads):
    """Twenty networks in each of two threads, in opposite orders, so that the two always draw different ones."""
    jobs = [(prepared, name, 3) for name in CHEAP] + [(prepared, "lls-fashion", n) for n in range(4, 13)]
    jobs += [(stream_network, name, n) for name in EMBEDDED_STREAMS for n in range(3)]
    alone = {job: numbers(job[0](*job[1:])) for job in jobs}
    found: list[dict] = [{}, {}]
    ready = threading.Barrier(2)

    def work(mine, order):
        ready.wait()
        mine.update((job, numbers(job[0](*job[1:]))) for job in order)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(found, (jobs, jobs[::-1]), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(jobs) >= 20
    for mine in found:
        assert all(torch.equal(mine[job], alone[job]) for job in jobs)


MAKERS = {
    **{name: lambda name=name: prepared(name, 5) for name in CHEAP},
    **{name: lambda name=name: stream_network(name, 5) for name in EMBEDDED_STREAMS},
    "fine-tune-fashion": lambda: fine_tuning_setting(with_lance, 5, every=50),
    "voice_network": voice_network,
    "fashion_resnet20": fashion_resnet20,
    "mlp": lambda: mlp([2, 2]),
    "alexnet": lambda: alexnet([2]),
    "reduced_resnet18": lambda: reduced_resnet18([2]),
    "heads of LLS": lambda: mini_conv(10, 1, local_head(10, modulation=mixing)),
    "random heads": lambda: mini_conv(10, 1, random_head(10, modulation=mixing)),
    "heads of TESS": lambda: make_heads(voice_network(10), torch.zeros(1, 1, 128), 5),
    "feedback_weights": lambda: feedback_weights(mini_conv()),
    "direct_feedback": lambda: direct_feedback(mini_conv(), (1, 28, 28)),
}


@pytest.mark.parametrize("name", MAKERS)
def test_preparing_leaves_torchs_generator_alone(name):
    torch.manual_seed(1234)
    torch.rand(3)
    before = torch.get_rng_state()
    MAKERS[name]()
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.initial_seed() == 1234
