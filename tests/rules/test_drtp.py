"""Direct random target projection against a calculation by hand, and against direct feedback alignment."""

import torch
from few_blocks import convolutional, gradients, images, plain_dense, same

from workbench.rules import direct_feedback, drtp
from workbench.rules.direct_feedback import DirectFeedback, all_positive


def test_what_all_rows_of_the_feedback_share_counts_for_drtp_but_not_for_dfa():
    net, (x, y) = convolutional(), images()
    params = direct_feedback.direct_feedback(net, x.shape[1:])
    shifted = DirectFeedback(tuple(B + 5.0 for B in params.feedback))
    _, first = gradients(direct_feedback.gradients, net, x, y, params=params)
    _, second = gradients(direct_feedback.gradients, net, x, y, params=shifted)
    same(first, second)
    weight = "blocks.1.body.1.bias"
    _, first = gradients(drtp.gradients, net, x, y, params=params)
    _, second = gradients(drtp.gradients, net, x, y, params=shifted)
    assert not torch.allclose(first[weight], second[weight], atol=0.1)


def test_all_positive_feedback_pushes_every_unit_the_same_way_in_drtp():
    net, (x, y) = convolutional(), images()
    for draw, alike in ((all_positive, True), (direct_feedback.zero_mean, False)):
        params = direct_feedback.direct_feedback(net, x.shape[1:], draw=draw)
        _, ours = gradients(drtp.gradients, net, x, y, params=params)
        signs = ours["blocks.0.body.1.bias"].sign()
        assert bool((signs == -1.0).all()) == alike


def test_target_projection_is_the_label_s_row():
    net = plain_dense()
    x, y = torch.randn(5, 8, dtype=torch.double), torch.tensor([0, 1, 2, 3, 0])
    params = direct_feedback.direct_feedback(net, (8,))
    _, ours = gradients(drtp.gradients, net, x, y, params=params)
    delta = -params.feedback[0][y] / 5 * torch.where(net.blocks[0](x) > 0, 1.0, 0.01)
    assert torch.allclose(ours["blocks.0.body.1.weight"], delta.T @ x)
