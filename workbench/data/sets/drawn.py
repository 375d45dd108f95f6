"""Letters, gratings and dots: sets of small grey pictures that are drawn or computed here."""

import importlib.util
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int64, UInt8
from PIL import Image, ImageDraw, ImageFont

from workbench.data.images import ImageSet
from workbench.data.split import Split

SIDE = 28  # pixels


TRAIN_FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSerif-Bold",
    "DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "cmr10", "cmss10", "cmtt10",
)  # fmt: skip


TEST_FONTS = ("DejaVuSerif", "DejaVuSans-BoldOblique", "STIXGeneralBolIta", "cmb10", "cmti10")


def letters(per_class: int = 100, test_per_class: int = 20, seed: int = 0) -> Split[ImageSet]:
    """A to J, shifted, turned and scaled, in thirteen fonts for training and five others for the test."""
    rng = np.random.default_rng(seed)
    train, test = _ten_classes(per_class), _ten_classes(test_per_class)
    train_x, test_x = (
        np.stack([_letter("ABCDEFGHIJ"[c], fonts[rng.integers(len(fonts))], rng) for c in labels])
        for labels, fonts in ((train, TRAIN_FONTS), (test, TEST_FONTS))
    )
    return Split(ImageSet(train_x, train), ImageSet(test_x, test), tuple("ABCDEFGHIJ"))


def _letter(letter: str, font: str, rng: np.random.Generator) -> UInt8[np.ndarray, "28 28"]:
    picture = Image.new("L", (SIDE, SIDE))
    face = ImageFont.truetype(str(_font_folder() / f"{font}.ttf"), int(rng.integers(18, 25)))
    middle = tuple(SIDE / 2 + rng.uniform(-2, 2, 2))
    ImageDraw.Draw(picture).text(middle, letter, fill=255, font=face, anchor="mm")
    return np.asarray(picture.rotate(rng.uniform(-15, 15), Image.Resampling.BILINEAR))


def _font_folder() -> Path:
    package = importlib.util.find_spec("matplotlib")
    if package is None or package.origin is None:
        raise ImportError("the letters are drawn in fonts that come with matplotlib: pip install matplotlib")
    return Path(package.origin).parent / "mpl-data" / "fonts" / "ttf"


def gratings(per_class: int = 100, test_per_class: int = 20, seed: int = 0) -> Split[ImageSet]:
    """Waves in ten directions, 18° apart, of any phase and of wavelengths from 5 to 10 pixels, in noise."""
    rng = np.random.default_rng(seed)
    train, test = _ten_classes(per_class), _ten_classes(test_per_class)
    train_set, test_set = ImageSet(_waves(train, rng), train), ImageSet(_waves(test, rng), test)
    return Split(train_set, test_set, tuple(f"{18 * k}°" for k in range(10)))


def _waves(labels: Int64[np.ndarray, " n"], rng: np.random.Generator) -> UInt8[np.ndarray, "n 28 28"]:
    n = (len(labels), 1, 1)
    angle = (labels.reshape(n) + rng.uniform(-0.25, 0.25, n)) * np.pi / 10
    along = np.cos(angle) * np.arange(SIDE) + np.sin(angle) * np.arange(SIDE)[:, None]
    wave = np.sin(2 * np.pi * (along / rng.uniform(5, 10, n) + rng.uniform(size=n)))
    return _bytes(0.5 + 0.3 * wave + rng.normal(0, 0.15, wave.shape))


def dots(per_class: int = 100, test_per_class: int = 20, seed: int = 0) -> Split[ImageSet]:
    """One to ten round dots, apart from each other, in noise: the class is their number."""
    rng = np.random.default_rng(seed)
    train, test = _ten_classes(per_class), _ten_classes(test_per_class)
    train_x, test_x = (np.stack([_some_dots(c + 1, rng) for c in labels.tolist()]) for labels in (train, test))
    return Split(ImageSet(train_x, train), ImageSet(test_x, test), tuple(str(k + 1) for k in range(10)))


def _some_dots(number: int, rng: np.random.Generator) -> UInt8[np.ndarray, "28 28"]:
    cells = rng.permutation(16)[:number]  # a 4×4 grid keeps the dots apart
    centres = np.stack([cells // 4, cells % 4], axis=1) * 7 + 3 + rng.integers(-1, 2, (number, 2))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    near = [(rows - r) ** 2 + (columns - c) ** 2 <= 4 for r, c in centres]
    return _bytes(0.8 * np.any(near, axis=0) + rng.normal(0.1, 0.1, (SIDE, SIDE)))


def _bytes(x: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    return (np.clip(x, 0, 1) * 255).astype(np.uint8)


def _ten_classes(per_class: int) -> Int64[np.ndarray, " n"]:
    if per_class < 1:
        raise ValueError(f"each class needs at least one picture, got {per_class}")
    return np.tile(np.arange(10), per_class)
