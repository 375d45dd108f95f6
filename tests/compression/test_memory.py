"""The formula of kept bytes against what autograd keeps."""

import pytest
import torch
from few_activations import residual_free_network

from workbench.compression.calibration import calibrate, kept_elements
from workbench.compression.lance import compress
from workbench.compression.memory import kept_by_formula
from workbench.meters.timeline import network_tensors, saved_bytes

pytestmark = pytest.mark.usefixtures("in_double_precision")


def test_autograd_keeps_what_the_formula_says():
    net, x = residual_free_network(), torch.randn(6, 3, 8, 8)
    lance = compress(net, [x], energy=0.7)
    table = kept_by_formula(lance, batch_size=6)
    assert [row.layer for row in table] == ["0", "3", "6", "11"]
    bases = sum(b.numel() for name, b in lance.named_buffers() if "basis" in name) * 8
    signs = 3 * 6 * 8 * 8 * 8 // 8
    assert saved_bytes(lambda: lance(x), network_tensors(lance)) == sum(r.kept_bytes for r in table) - bases + signs
    for row in table:
        assert row.input_bytes == torch.Size(row.sizes).numel() * 8
        assert kept_elements(calibrate(net, [x], [row.layer])[row.layer], 0.7) * 8 == row.kept_bytes
