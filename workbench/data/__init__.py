"""Data sets, one function each, and the event camera that turns images into events.

`fashion_mnist.fashion_mnist_small()`, `image_events.fashion_events()`, `voices.voices()` and `flow.flow_clips()` need
no network. The whole sets are `fashion_mnist.fashion_mnist()`, `mnist.mnist()`, `nmnist.nmnist()` and `shd.shd()`:
downloaded once, or placed by hand; `spoken_digits.spoken_digits()` is placed by hand.
`catalogue.catalogue()` lists them. Importing this package loads nothing else.
"""
