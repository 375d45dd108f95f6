"""The loops of e-prop against sums that are written out, and many neurons over many steps against the plain loops."""

import pytest
import torch

from workbench.kernels import plain
from workbench.kernels.plain import Weighing

pytest.importorskip("numba")
fast = pytest.importorskip("workbench.kernels.compiled_traces")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("batch", "n_out", "n_in"), [(1, 1, 1), (3, 5, 2), (4, 2, 9), (9, 3, 33)])
def test_traces_of_synapses_are_filtered_and_weighed(dtype, batch, n_out, n_in):
    generator = torch.Generator().manual_seed(batch)
    before, psi, q, signal = (
        torch.randn(shape, generator=generator, dtype=dtype)
        for shape in ((batch, n_out, n_in), (batch, n_out), (batch, n_in), (batch, n_out))
    )
    expected = 0.7 * before + psi[:, :, None] * q[:, None, :]
    for version in (plain, fast):
        filtered = before.clone()
        after = version.filter_synapses(filtered, psi, q, 0.7)
        assert torch.allclose(after, expected, atol=1e-6)
        assert after.data_ptr() == filtered.data_ptr()  # no second copy of the largest state there is
        total = sum(signal[b, :, None] * after[b] for b in range(batch))
        assert torch.allclose(version.weigh_synapses(signal, after), total, atol=1e-5)


@pytest.mark.parametrize("n", [1023, 1024, 1025, 2100])
def test_blocks_of_neurons_meet_without_a_seam(n):
    generator = torch.Generator().manual_seed(n)
    delta, psi, h = torch.randn(3, 4, 1, n, generator=generator, dtype=torch.double)
    for one, other in zip(
        fast.output_side(delta, psi, h, Weighing(0.8, 1.1, -0.4)),
        plain.output_side(delta, psi, h, Weighing(0.8, 1.1, -0.4)),
        strict=True,
    ):
        assert torch.allclose(one, other, atol=1e-12)
    assert torch.allclose(fast.run_h(psi, h[0], 0.9), plain.run_h(psi, h[0], 0.9), atol=1e-12)
