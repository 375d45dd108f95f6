"""The learning loop and the baselines: EWC's information, A-GEM's constraint, memories, plateaus, reproducibility."""

import pytest
import torch
from tiny_streams import toy_stream
from torch import nn
from torch.nn import functional as F

from workbench.continual.learning import Plateau, StreamSetting, accuracies, accuracy_matrix, sgd
from workbench.continual.methods.a_gem import AGEM, without_conflict
from workbench.continual.methods.code_cl import CodeCL, CodeCLParams
from workbench.continual.methods.ewc import EWC, fisher
from workbench.continual.methods.fine_tuning import FineTuning
from workbench.continual.methods.gpm import GPM
from workbench.continual.methods.lance import LanceContinual
from workbench.continual.methods.replay import EpisodicMemory, Joint, Replay
from workbench.continual.methods.sgp import SGP
from workbench.continual.methods.trgp import TRGP
from workbench.continual.metrics import average_accuracy, backward_transfer
from workbench.continual.multihead import mlp
from workbench.continual.streams import split_fashion_mnist
from workbench.rule import StepReport
from workbench.training.epochs import epoch_order
from workbench.training.loop import train
from workbench.training.setting import Plan

METHODS = [FineTuning, Joint, Replay, AGEM, EWC, GPM, SGP, TRGP, CodeCL, LanceContinual]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def small(tasks=3):
    return mlp([2] * tasks, (10, 32, 16))


# the loop


@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns_and_reports(method):
    records = list(train(StreamSetting(method(small()), toy_stream(), sgd(0.3), batch_size=8), Plan(epochs=12)))
    ends = [r for r in records if r.accuracies]
    assert [r.task for r in ends] == [0, 1, 2]
    assert [r.step for r in records] == list(range(180))
    assert [r.step for r in ends] == [59, 119, 179]
    assert {r.steps for r in records} == {180}
    assert [r.epoch for r in records[:7]] == [0, 0, 0, 0, 0, 1, 1]
    assert all(len(r.accuracies) == 3 for r in ends)
    seconds = [r.seconds for r in records]
    assert seconds == sorted(seconds)
    A = accuracy_matrix(records)
    assert A.shape == (3, 3)
    assert float(A.diagonal().mean()) > 0.85
    assert [r.state_bytes for r in ends] == sorted(r.state_bytes for r in ends)
    assert (ends[-1].state_bytes == 0) == (method is FineTuning)


def test_seeds_fix_everything():
    def run(seed):
        setting = StreamSetting(CodeCL(small()), toy_stream(), sgd(0.1), batch_size=8)
        return [record.loss for record in train(setting, Plan(2, seed))]

    assert run(0) == run(0) != run(1)


def test_divergence_names_the_layer():
    with pytest.raises(FloatingPointError, match=r"task 0.*body\.1"):
        list(train(StreamSetting(FineTuning(small()), toy_stream(), sgd(1e30), batch_size=8), Plan(3)))


def test_schedule_runs_once_per_task():
    rates = []

    class Watched(torch.optim.SGD):
        def step(self, closure=None):
            rates.append(self.param_groups[0]["lr"])
            return super().step(closure)

    how = {"batch_size": 20, "schedule": lambda progress: 1 - progress}
    list(train(StreamSetting(FineTuning(small()), toy_stream(2), lambda p: Watched(p, lr=0.5), **how), Plan(epochs=2)))
    assert rates == [0.5, 0.5, 0.25, 0.25] * 2


class Wandering(FineTuning):
    """Does not learn: every batch moves the head away from where it was, by the same step."""

    def __init__(self, network):
        super().__init__(network)
        self.heads, self.rates, self.samples = [], [], set()

    def learn(self, optimizer, x, y, task):
        with torch.no_grad():
            self.network.heads[0].weight[0] += 10.0  # from now on every answer is 0: no later epoch is better
        self.heads.append(self.network.heads[0].weight.detach().clone())
        self.rates.append(optimizer.param_groups[0]["lr"])
        self.samples |= {tuple(row) for row in x.tolist()}
        return StepReport(0.0, torch.zeros(len(y), 2), {}, 0)


@pytest.mark.parametrize(
    ("plateau", "epochs", "rates"),
    [
        # one good epoch, then two bad ones per halving: 1 → 0.5 → 0.25 < 0.3
        (Plateau(held_back=0.25, patience=1, factor=0.5, stop_below=0.3), 50, [1.0, 1.0, 1.0, 0.5, 0.5]),
        # the epochs end before the patience does
        (Plateau(held_back=0.25, patience=9), 3, [1.0, 1.0, 1.0]),
    ],
)
def test_plateau_keeps_the_best_weights_and_stops(plateau, epochs, rates):
    method = Wandering(small(1))
    records = list(train(StreamSetting(method, toy_stream(1), sgd(1.0), plateau=plateau, batch_size=30), Plan(epochs)))
    assert method.rates == rates
    assert records[-1].epoch == len(rates) - 1
    assert torch.equal(method.network.heads[0].weight, method.heads[0])
    assert not torch.equal(method.heads[1], method.heads[0])
    held_back = toy_stream(1)[0].train_x[epoch_order(40, 0, -1)[:10]]  # a quarter, never learned
    assert len(method.samples) == 30
    assert method.samples.isdisjoint(map(tuple, held_back.tolist()))


def test_accuracies_leave_the_network_in_training_mode():
    network = small()
    tests = [(task.test_x, task.test_y) for task in toy_stream()]
    expected = [(network(x, t).argmax(1) == y).float().mean().item() for t, (x, y) in enumerate(tests)]
    assert accuracies(network, tests) == pytest.approx(tuple(expected))
    assert network.training


# memories


def test_memory_keeps_and_draws():
    memory = EpisodicMemory(per_task=5, seed=1)
    x, y = torch.randn(20, 3), torch.arange(20)
    memory.add(x, y)
    memory.add(-x, y)
    assert memory.kept_bytes() == 2 * 5 * (3 * 4 + 8)
    drawn = memory.draw(1, 3)
    assert drawn.x.shape == (3, 3)
    assert torch.equal(drawn.x, -x[drawn.y])
    assert len(memory.draw(0, 50).y) == 5
    assert {memory.draw_task() for _ in range(40)} == {0, 1}
    x.zero_()
    assert float(memory.tasks[0].x.abs().max()) > 0  # a copy
    with pytest.raises(ValueError, match="at least one sample per task, got 0"):
        EpisodicMemory(0)


def test_joint_step_is_the_mean_over_tasks():
    network, (first, second) = small(2), toy_stream(2)
    method = Joint(network)
    method.after_task(0, first.train_x, first.train_y)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.0)
    method.learn(optimizer, second.train_x, second.train_y, 1)
    ours = [p.grad.clone() for p in network.parameters()]
    loss = F.cross_entropy(network(first.train_x, 0), first.train_y)
    loss = (loss + F.cross_entropy(network(second.train_x, 1), second.train_y)) / 2
    for a, b in zip(ours, torch.autograd.grad(loss, list(network.parameters())), strict=True):
        torch.testing.assert_close(a, b)


def test_replay_adds_the_gradient_of_old_samples():
    network, (first, second) = small(2), toy_stream(2)
    method = Replay(network, per_task=40)
    method.after_task(0, first.train_x, first.train_y)
    method.learn(torch.optim.SGD(network.parameters(), lr=0.0), second.train_x, second.train_y, 1)
    ours = [p.grad.clone() for p in network.parameters()]
    loss = F.cross_entropy(network(first.train_x, 0), first.train_y)
    loss = loss + F.cross_entropy(network(second.train_x, 1), second.train_y)
    for a, b in zip(ours, torch.autograd.grad(loss, list(network.parameters())), strict=True):
        torch.testing.assert_close(a, b)


# A-GEM


def test_conflicting_gradients_become_orthogonal_and_others_stay():
    parameters = [nn.Parameter(torch.zeros(3)) for _ in range(2)]
    g = {p: torch.randn(3) for p in parameters}
    reference = {p: torch.randn(3) for p in parameters}
    product = sum(float(g[p] @ reference[p]) for p in parameters)
    if product > 0:
        reference = {p: -r for p, r in reference.items()}
    after = without_conflict(g, reference)
    assert sum(float(after[p] @ reference[p]) for p in parameters) == pytest.approx(0.0, abs=1e-6)
    moved = torch.cat([after[p] - g[p] for p in parameters])  # only along the reference
    assert float(F.cosine_similarity(moved, torch.cat(list(reference.values())), dim=0)) == pytest.approx(1.0)
    assert without_conflict(g, {p: -r for p, r in reference.items()}) is g


def test_a_parameter_that_only_one_side_has_counts_as_zero_on_the_other():
    shared, own, old = (nn.Parameter(torch.zeros(1)) for _ in range(3))
    g = {shared: torch.tensor([2.0]), own: torch.tensor([5.0])}
    reference = {shared: torch.tensor([-1.0]), old: torch.tensor([1.0])}
    after = without_conflict(g, reference)  # product −2, length² 2
    assert [after[p].item() for p in (shared, own, old)] == [1.0, 5.0, 1.0]


def test_agem_does_not_raise_the_loss_on_the_memory_to_first_order():
    network, (first, second) = small(2), toy_stream(2)
    method = AGEM(network, per_task=40)
    method.after_task(0, first.train_x, first.train_y)
    for seed in range(5):
        torch.manual_seed(seed)
        y = torch.randint(2, (40,))
        old = F.cross_entropy(network(first.train_x, 0), first.train_y)
        slopes = torch.autograd.grad(old, list(network.parameters()), allow_unused=True)
        method.learn(torch.optim.SGD(network.parameters(), lr=0.0), second.train_x, y, 1)
        both = [(p.grad, s) for p, s in zip(network.parameters(), slopes, strict=True) if p.grad is not None]
        assert sum(float((g * s).sum()) for g, s in both if s is not None) >= -1e-6


# EWC


def exact_fisher(network, x, task):
    """Σ_y p(y|x) (∂ log p(y|x) / ∂θ)², sample by sample."""
    total = {}
    for sample in x:
        logits = network(sample[None], task)
        for y in range(logits.shape[1]):
            p = logits.softmax(-1)[0, y].item()
            loss = F.cross_entropy(logits, torch.tensor([y]))
            gradients = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True, allow_unused=True)
            for theta, g in zip(network.parameters(), gradients, strict=True):
                if g is not None:
                    total[theta] = total.get(theta, 0) + p * g.square() / len(x)
    return total


@pytest.mark.parametrize("batch_size", [1, 8])
def test_fisher_information_is_unbiased_for_any_batch(batch_size):
    network, x = small(2), torch.randn(12, 10)
    expected = exact_fisher(network, x, 1)
    estimate = fisher(network, x, 1, 1600 // batch_size, batch_size, torch.Generator().manual_seed(0))
    assert estimate.keys() == expected.keys()
    ours, theirs = (torch.cat([d[p].flatten() for p in expected]) for d in (estimate, expected))
    assert float(F.cosine_similarity(ours, theirs, dim=0)) > 0.95
    assert float(ours.sum() / theirs.sum()) == pytest.approx(1.0, abs=0.15)
    assert all(p.grad is None for p in network.parameters())


def test_springs_of_all_tasks_as_two_numbers_per_weight():
    network, stream = small(3), toy_stream(3)
    method = EWC(network, strength=3.0, batches=20)
    springs = []
    for task in (0, 1):
        before = {p: s.clone() for p, s in method.stiffness.items()}
        method.after_task(task, stream[task].train_x, stream[task].train_y)
        added = {p: s - before.get(p, 0) for p, s in method.stiffness.items()}
        springs.append({p: (s, p.detach().clone()) for p, s in added.items()})
        with torch.no_grad():
            for p in network.parameters():
                p += 0.1 * torch.randn_like(p)
    x, y = stream[2].train_x, stream[2].train_y
    method.learn(torch.optim.SGD(network.parameters(), lr=0.0), x, y, 2)
    ours = {p: p.grad.clone() for p in network.parameters() if p.grad is not None}
    loss = F.cross_entropy(network(x, 2), y)
    for spring in springs:
        for p, (stiffness, anchor) in spring.items():
            loss = loss + 1.5 * (stiffness * (p - anchor).square()).sum()
    expected = torch.autograd.grad(loss, list(ours))
    for (p, mine), theirs in zip(ours.items(), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5, msg=str(p.shape))
    assert method.kept_bytes() == 2 * sum(4 * p.numel() for p in method.stiffness)
    with pytest.raises(ValueError, match=r"not negative, got -1\.0"):
        EWC(network, strength=-1.0)


# the point of it all, on real images


def test_code_cl_does_not_forget_where_fine_tuning_does():
    stream = split_fashion_mnist()
    results = {}
    for name, make in {
        "fine-tuning": FineTuning,
        "code-cl": lambda network: CodeCL(network, CodeCLParams(aperture=2.0)),
    }.items():
        torch.manual_seed(0)
        records = train(StreamSetting(make(mlp([2] * 5)), stream, sgd(0.2)), Plan(epochs=2))
        A = accuracy_matrix(records)
        results[name] = (average_accuracy(A), backward_transfer(A))
    assert results["fine-tuning"][1] < -0.08
    assert results["code-cl"][1] > -0.02
    assert results["code-cl"][0] > results["fine-tuning"][0] + 0.05
