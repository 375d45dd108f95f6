"""The panel of claimed directions against the run that it shows."""

import numpy as np
import pytest
import torch
from house import drawn, run_code
from stream_panels import ran
from tiny_streams import SHARED

from widgets.panels.overlap import SubspaceOverlap
from workbench.watch.claims import TaskClaim, claimed_shares, remaining, similarities, start_claims, start_lance_claims

pytestmark = pytest.mark.usefixtures("tiny_streams_are_known")


def test_the_overlap_is_that_of_the_run():
    panel = ran(SubspaceOverlap, tasks=3, aperture=2.0, seed=1, layer="layer 2")
    claims = [item for item in start_claims(SHARED, 2.0, 1, 1, 3) if isinstance(item, TaskClaim)]
    names = list(claims[0].own)
    shares = claimed_shares(claims)
    for t in range(3):
        assert np.allclose(drawn(panel.shares, f"task {t + 1}")[1], 100 * shares[:, t])
    assert not panel.shares.data[3].visible
    assert np.allclose(np.asarray(panel.similarity.data[0].z, dtype=float), similarities(claims, names[1]))
    assert np.allclose(drawn(panel.left, "layer 1")[1], remaining(claims[-1], names[0]))
    assert np.allclose(drawn(panel.left, "the head")[1], remaining(claims[-1], names[2]))
    assert f"{100 * shares[0].sum():.0f} % of layer 1" in panel.text
    largest = max(ratio for claim in claims for ratio in claim.overlap.values())
    assert f"overlap ρ of a new task with the past was {largest:.2f}" in panel.text
    panel.state = {"layer": "layer 1"}
    assert np.allclose(np.asarray(panel.similarity.data[0].z, dtype=float), similarities(claims, names[0]))
    assert "changed since" not in panel.text


def test_lance_claims_whole_directions_and_says_that_it_has_no_conceptors():
    panel = ran(SubspaceOverlap, tasks=3, seed=1, method="LANCE")
    claims = [item for item in start_lance_claims(SHARED, 1, 1, 3) if isinstance(item, TaskClaim)]
    shares = claimed_shares(claims)
    assert np.allclose(drawn(panel.shares, "task 2")[1], 100 * shares[:, 1])
    assert set(drawn(panel.left, "layer 1")[1]) <= {0.0, 1.0}
    assert "LANCE has no conceptors" in panel.text
    largest = max(held for claim in claims for held in claim.overlap.values())
    assert f"held at most {100 * largest:.0f} %" in panel.text
    assert panel.controls["aperture"].layout.display == "none"
    panel.state = {"method": "CODE-CL"}
    assert panel.controls["aperture"].layout.display == ""
    assert "LANCE has no conceptors" in panel.text  # the picture is still that of its run
    assert "changed since" in panel.text


@pytest.mark.parametrize("method", ["CODE-CL", "LANCE"])
def test_the_code_gives_the_same_overlap(method):
    panel = ran(SubspaceOverlap, tasks=2, stream="own heads", method=method)
    names = run_code(panel)
    assert torch.equal(names["shares"], panel.numbers.shares)
    assert torch.equal(names["similarity"], panel.numbers.similarity)
    assert all(torch.equal(a, b) for a, b in zip(names["left"].values(), panel.numbers.remaining, strict=True))
