"""Low-rank activations: tensor tools, HOSVD, LANCE."""
