"""Few photographs to train on, for tests only."""

from workbench.data.images import ImageSet
from workbench.data.sets.fashion_mnist import fashion_mnist_small
from workbench.data.split import Split
from workbench.experiments.lls import block_setting, fashion_pictures
from workbench.networks.block_networks import mini_conv


def few_images(rule, seed):
    """200 images of Fashion-MNIST to learn from and 100 to look at."""
    small = fashion_mnist_small()
    parts = (ImageSet(part.images[:n], part.labels[:n]) for part, n in ((small.train, 200), (small.test, 100)))
    return block_setting(rule, fashion_pictures(Split(*parts, small.classes)), mini_conv, seed, refresh=2)


def step(setting, rows):
    """One step on these rows; the rule's report."""
    setting.optimizer.zero_grad()
    report = setting.rule(setting.network, *setting.data.train.batch(rows))
    setting.optimizer.step()
    return report
