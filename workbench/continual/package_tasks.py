"""Five small tasks that need no download. They are NOT the paper's 5-Datasets (see `folder_streams.five_datasets`).

clothes (photographs, embedded), digits (written by hand, scikit-learn's), letters (printed, in fonts that come with
matplotlib), gratings and dots (computed here). All are grey, 28×28, of ten classes.
"""

import numpy as np
from PIL import Image

from workbench.continual.streams import Task, image_task, small_fashion_mnist
from workbench.data.sets.drawn import SIDE, dots, gratings, letters


def package_tasks(per_class: int = 100, test_per_class: int = 20, seed: int = 0) -> list[Task]:
    """Clothes, digits, letters, gratings, dots: five kinds of pictures, ten classes each, 28×28.

    The numbers per class are for the three that are drawn or computed; clothes have 500 + 100, digits about 144 + 36.
    Raises ImportError when scikit-learn, which holds the digits, is not installed.
    """
    makers = (letters, gratings, dots)
    splits = [make(per_class, test_per_class, seed + i) for i, make in enumerate(makers)]
    drawn = [image_task(make.__name__, *part.train, *part.test) for make, part in zip(makers, splits, strict=True)]
    return [small_fashion_mnist()._replace(name="clothes"), digit_task(), *drawn]


def digit_task(test_part: int = 5) -> Task:
    """1,797 handwritten digits of 8×8 pixels, enlarged; every `test_part`-th one is for the test.

    Source: Alpaydin and Kaynak, UCI repository (CC BY 4.0), in scikit-learn.
    """
    try:
        from sklearn.datasets import load_digits  # optional: a development dependency
    except ImportError as error:
        raise ImportError("the digits come with scikit-learn: pip install scikit-learn") from error
    images, y = load_digits(return_X_y=True)
    pictures = (images.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    x = np.stack([np.asarray(Image.fromarray(p).resize((SIDE, SIDE), Image.Resampling.BILINEAR)) for p in pictures])
    test = np.arange(len(y)) % test_part == 0
    return image_task("digits", x[~test], y[~test], x[test], y[test])
