"""The weight gradient of a convolution as one matrix product over patches, a few samples at a time.

    ∂L/∂W[o, i, r, c] = Σ over samples and places p of  g[p, o] · patch[p, (r, c, i)]

A patch holds the inputs that one output reads, gathered as a row (im2col: Chellapilla et al. 2006, "High performance
convolutional neural networks for document processing"). Patches of all samples would take k² times the input's memory;
a piece of them stays in the processor's cache. On a CPU this takes about three quarters of the time of PyTorch's own
function; with few input channels, in groups and on an accelerator PyTorch's own is used. Both give the same numbers up
to rounding.
"""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight

from workbench.kernels.frugal import trained_weight

PATCH_BYTES = 4 * 2**20  # of the patches that are held at a time
FEWEST_COLUMNS = 512  # with narrower patches gathering costs what the product gains


def weight_gradient(
    connection: nn.Conv2d,
    x: Float[Tensor, "batch channels height width"],
    g: Float[Tensor, "batch outputs rows columns"],
) -> Float[Tensor, "outputs inputs kernel_rows kernel_columns"]:
    """∂L/∂W of `connection`, which was given x and whose output has the gradient g. Zero padding by numbers only.

    >>> import torch
    >>> connection = nn.Conv2d(64, 8, 3, padding=1)
    >>> weight_gradient(connection, torch.ones(2, 64, 5, 5), torch.ones(2, 8, 5, 5))[0, 0]
    tensor([[32., 40., 32.],
            [40., 50., 40.],
            [32., 40., 32.]])
    """
    c, shape = connection, trained_weight(connection).shape
    columns = shape[1:].numel()
    if c.groups > 1 or x.device.type != "cpu" or columns < FEWEST_COLUMNS:
        return conv2d_weight(x, shape, g, c.stride, c.padding, c.dilation, c.groups)  # pyright: ignore
    places = g.shape[2] * g.shape[3]
    size = max(1, PATCH_BYTES // (places * columns * x.element_size()))
    room = x.new_empty(min(size, len(x)) * places, columns)
    total = x.new_zeros(shape[0], columns)
    for x_piece, g_piece in zip(x.split(size), g.split(size), strict=True):
        rows = patches(connection, x_piece, g.shape[2], g.shape[3])
        flat = room[: len(x_piece) * places]
        flat.view(rows.shape).copy_(rows)
        total.addmm_(g_piece.permute(0, 2, 3, 1).reshape(len(flat), -1).T, flat)
    return total.view(shape[0], shape[2], shape[3], shape[1]).permute(0, 3, 1, 2)


def patches(
    connection: nn.Conv2d, x: Float[Tensor, "batch channels height width"], rows: int, columns: int
) -> Float[Tensor, "batch rows columns kernel_rows kernel_columns channels"]:
    """A view of the padded input with the patch of each of rows × columns outputs; neighbours share memory."""
    up, left = map(int, connection.padding)
    (down, right), (tall, wide) = connection.stride, connection.dilation
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, left, left, up, up)).contiguous()
    batch, row, column, channel = padded.stride()
    size = (len(x), rows, columns, *connection.kernel_size, x.shape[1])
    return padded.as_strided(size, (batch, row * down, column * right, row * tall, column * wide, channel))
