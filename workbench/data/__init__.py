"""Data sets, one function each, and the event camera that turns images into events.

`fashion_mnist.fashion_mnist_small()` and `image_events.fashion_events()` need no network. The whole sets are
`fashion_mnist.fashion_mnist()`, `mnist.mnist()` and `nmnist.nmnist()`: downloaded once, or placed by hand.
`catalogue.catalogue()` lists them. Importing this package loads nothing else.
"""
