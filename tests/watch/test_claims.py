"""Claims of a stream: shares that add up to the capacity, similarities in closed form, what is left of a step."""

import pytest
import torch
from tiny_streams import HEADS, SHARED, toy_stream

from workbench.continual.conceptors import Conceptor, capacity, dense
from workbench.continual.learning import StreamRecord, StreamSetting, sgd
from workbench.continual.methods.code_cl import CodeCL, CodeCLParams
from workbench.continual.methods.lance import LanceContinual, LanceContinualParams, subspace_layers
from workbench.continual.multihead import mlp
from workbench.continual.protected import protected_layers
from workbench.training.setting import Plan
from workbench.watch.claims import (
    TaskClaim,
    claimed_shares,
    learn_and_claim,
    remaining,
    similarities,
    start_claims,
    start_lance_claims,
)

V = torch.eye(4, dtype=torch.float64)
ONE, TWO = (
    Conceptor(V[:, :2], torch.tensor([0.9, 0.5]).double()),
    Conceptor(V[:, 1:3], torch.tensor([1.0, 1.0]).double()),
)
CLAIMS = [
    TaskClaim({"x": ONE}, {"x": ONE}, {}),
    TaskClaim({"x": TWO}, {"x": Conceptor(V[:, :3], torch.tensor([0.9, 1.0, 1.0]).double())}, {"x": 0.2}),
]


def test_shares_add_up_to_the_capacity():
    shares = claimed_shares(CLAIMS)
    assert shares.shape == (1, 2)
    assert shares[0].tolist() == pytest.approx([1.4 / 4, 1.5 / 4])
    assert float(shares.sum()) == pytest.approx(capacity(CLAIMS[-1].protected["x"]))


def test_similarities_and_what_is_left():
    matrix = similarities(CLAIMS, "x")
    assert torch.allclose(matrix.diagonal(), torch.ones(2).double())
    assert float(matrix[0, 1]) == pytest.approx(0.5 / (0.9**2 + 0.5**2) ** 0.5 / 2**0.5)
    assert remaining(CLAIMS[0], "x").tolist() == pytest.approx([0.1, 0.5, 1.0, 1.0])
    assert remaining(CLAIMS[1], "x").tolist() == pytest.approx([0.0, 0.0, 0.1, 1.0])


def test_claims_follow_each_task_and_are_those_of_the_method():
    torch.manual_seed(0)
    method = CodeCL(mlp([2] * 3, (10, 32, 16)), CodeCLParams(aperture=3.0, samples=20))
    stream = toy_stream()
    seen = list(learn_and_claim(StreamSetting(method, stream, sgd(0.3), batch_size=8), Plan(epochs=2)))
    places = [k for k, item in enumerate(seen) if isinstance(item, TaskClaim)]
    assert len(places) == 3
    assert all(isinstance(seen[k - 1], StreamRecord) and seen[k - 1].accuracies for k in places)
    claims = [seen[k] for k in places]
    for name, layer in protected_layers(method.network).items():
        assert torch.equal(dense(claims[-1].protected[name]), dense(layer.conceptor))
    assert [claim.overlap for claim in claims] == method.overlaps
    first = next(iter(claims[0].own))
    assert torch.allclose(dense(claims[0].own[first]).float(), dense(claims[0].protected[first]), atol=1e-6)
    assert capacity(claims[0].protected[first]) < capacity(claims[-1].protected[first])
    assert float(claimed_shares(claims).sum(1).max()) <= 1.0


def test_a_named_stream_is_claimed_with_its_own_settings():
    """A head that all tasks share is protected too; heads of their own are free."""
    claims = [item for item in start_claims(SHARED, 2.0, seed=1, epochs=1, tasks=2) if isinstance(item, TaskClaim)]
    assert len(claims) == 2
    assert [name.startswith("heads") for name in claims[0].own] == [False, False, True]
    own_heads = [item for item in start_claims(HEADS, 2.0, seed=1, epochs=1, tasks=2) if isinstance(item, TaskClaim)]
    assert [name.startswith("heads") for name in own_heads[0].own] == [False, False]
    wider = [item for item in start_claims(HEADS, 9.0, seed=1, epochs=1, tasks=2) if isinstance(item, TaskClaim)]
    assert float(claimed_shares(wider)[0, 0]) > float(claimed_shares(own_heads)[0, 0])


def test_lance_claims_are_the_projectors_of_its_subspaces():
    """By the definition of the overlap: the energy of the new inputs inside the span of P, over all of it."""
    torch.manual_seed(0)
    method = LanceContinual(mlp([2] * 3, (10, 32, 16)), LanceContinualParams(threshold=0.9))
    stream, before = toy_stream(), []
    claims = []
    for item in learn_and_claim(StreamSetting(method, stream, sgd(0.3), batch_size=8), Plan(epochs=2)):
        if isinstance(item, TaskClaim):
            claims.append(item)
            before.append(subspace_layers(method.network)["body.1"].protected)
    for name, layer in subspace_layers(method.network).items():
        assert torch.allclose(dense(claims[-1].protected[name]), layer.protected @ layer.protected.T, atol=1e-6)
        assert claims[-1].protected[name].values.unique().tolist() == [1.0]
    assert [claim.overlap for claim in claims] == method.held
    x = stream[2].train_x
    assert claims[2].overlap["body.1"] == pytest.approx(float((x @ before[1]).norm() ** 2 / x.norm() ** 2), abs=1e-5)
    own = claims[2].own["body.1"].vectors.float()
    held = [float((x @ own[:, :k]).norm() ** 2 / x.norm() ** 2) for k in (own.shape[1] - 1, own.shape[1])]
    assert held[0] <= method.energy(2) < held[1]


def test_a_named_stream_is_claimed_by_lance():
    claims = [item for item in start_lance_claims(SHARED, seed=1, epochs=1, tasks=2) if isinstance(item, TaskClaim)]
    assert [name.startswith("heads") for name in claims[1].own] == [False, False, True]
    assert claimed_shares(claims).shape == (3, 2)
    assert claims[0].overlap == {}
    assert 0.0 < claims[1].overlap["body.1"] < 1.0
