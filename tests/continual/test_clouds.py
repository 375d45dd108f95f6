"""Clouds and their ellipses: exact correlations, silhouettes by brute force, conceptors in closed form."""

import math

import pytest
import torch

from workbench.continual.clouds import Shape, cloud, looking, outline, pair, singular_values, turned
from workbench.continual.conceptors import dense


@pytest.mark.parametrize("d", [2, 3])
def test_a_cloud_has_exactly_the_correlation_asked_for(d):
    Q = turned(33.0, 20.0, d)
    assert torch.allclose(Q.T @ Q, torch.eye(d).double(), atol=1e-14)
    sigma = torch.tensor([2.0, 0.7, 0.2][:d]).double()
    X = cloud(Q, sigma, n=40, seed=3)
    assert X.shape == (d, 40)
    assert torch.allclose(X @ X.T / 40, (Q * sigma**2) @ Q.T, atol=1e-12)
    assert torch.equal(X, cloud(Q, sigma, n=40, seed=3))
    assert not torch.allclose(X, cloud(Q, sigma, n=40, seed=4))


def test_the_first_axis_turns_and_lifts():
    assert torch.allclose(turned(30.0, 0.0, 2)[:, 0], torch.tensor([math.cos(math.pi / 6), 0.5]).double())
    assert torch.allclose(turned(0.0, 90.0, 3)[:, 0], torch.tensor([0.0, 0.0, 1.0]).double(), atol=1e-15)


def test_the_silhouette_touches_every_point_of_the_ellipsoid_and_contains_all():
    M = torch.randn(3, 3, generator=torch.Generator().manual_seed(0)).double()
    view = looking(25.0, 40.0, 3)
    edge = outline(M, view, 361)
    u = torch.randn(3, 200_000, generator=torch.Generator().manual_seed(1)).double()
    seen = view @ M @ (u / u.norm(dim=0))
    for angle in torch.linspace(0, math.pi, 9).double():
        direction = torch.stack([angle.cos(), angle.sin()])
        assert float((direction @ seen).max()) == pytest.approx(float((direction @ edge).max()), rel=2e-3)


def test_looking_is_a_right_angled_pair_and_the_plane_is_seen_from_above():
    view = looking(70.0, 25.0, 3)
    assert torch.allclose(view @ view.T, torch.eye(2).double(), atol=1e-14)
    assert torch.equal(looking(70.0, 25.0, 2), torch.eye(2).double())
    assert torch.allclose(looking(-90.0, 90.0, 3)[:, :2], torch.eye(2).double(), atol=1e-14)


@pytest.mark.parametrize("d", [2, 3])
def test_conceptors_of_the_pair(d):
    a, b = Shape(2.0, 0.5, 10.0, 30.0), Shape(1.0, 0.2, 70.0)
    made = pair(a, b, aperture=1.5, d=d)
    C = {name: dense(c) for name, c in made.conceptors.items()}
    identity = torch.eye(d).double()
    for root, name in zip(made.roots, ("A", "B"), strict=True):
        R = root @ root
        assert torch.allclose(C[name], R @ torch.linalg.inv(R + identity / 1.5**2), atol=1e-12)
    assert torch.allclose(C["NOT A"], identity - C["A"], atol=1e-12)
    both = torch.linalg.inv(torch.linalg.inv(C["A"]) + torch.linalg.inv(C["B"]) - identity)
    assert torch.allclose(C["A AND B"], both, atol=1e-9)
    R = made.roots[0] @ made.roots[0] + made.roots[1] @ made.roots[1]
    assert torch.allclose(C["A OR B"], R @ torch.linalg.inv(R + identity / 1.5**2), atol=1e-12)
    assert singular_values(made.conceptors["A"])[0] == pytest.approx(4 / (4 + 1.5**-2))
    assert len(singular_values(made.conceptors["A AND B"])) == d


def test_wrong_dimensions_are_told():
    with pytest.raises(ValueError, match="2 or 3 dimensions here, got 4"):
        turned(0.0, 0.0, 4)
    with pytest.raises(ValueError, match="needs more than 2 points, got 2"):
        cloud(torch.eye(2).double(), torch.ones(2), n=2)
