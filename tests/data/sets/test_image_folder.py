"""Folders of photographs."""

import numpy as np
import pytest
from PIL import Image

from workbench.data.sets.image_folder import image_folder, read_image


@pytest.fixture
def photographs(tmp_path):
    for part, name, number in (("train", "cat", 3), ("train", "dog", 2), ("val", "cat", 1), ("val", "dog", 1)):
        folder = tmp_path / part / name / "images"
        folder.mkdir(parents=True)
        for i in range(number):
            Image.new("RGB", (40, 20), (10 * i, 0, 200 if name == "dog" else 0)).save(folder / f"{i}.PNG")
    return tmp_path


def test_image_folder(photographs):
    split = image_folder(photographs, size=16)
    assert split.classes == ("cat", "dog")
    assert split.train.labels.tolist() == [0, 0, 0, 1, 1]
    batch = split.train.read([4, 1])
    assert batch.shape == (2, 3, 16, 16)
    assert batch[0, :, 8, 8].tolist() == [10, 0, 200]
    assert split.test.read([1])[0, 2, 0, 0] == 200


def test_image_is_scaled_and_its_middle_cut_out(tmp_path):
    pixels = np.zeros((20, 40), np.uint8)
    pixels[:, 10:30] = 255
    Image.fromarray(pixels).save(tmp_path / "grey.png")
    assert (read_image(tmp_path / "grey.png", 20) == 255).all()
    assert read_image(tmp_path / "grey.png", 10).shape == (3, 10, 10)


def test_validation_table_of_tiny_imagenet(photographs):
    (photographs / "val" / "images").mkdir()
    for i in range(2):
        Image.new("RGB", (8, 8)).save(photographs / "val" / "images" / f"v{i}.png")
    (photographs / "val" / "val_annotations.txt").write_text("v0.png\tdog\t0\t0\t8\t8\nv1.png\tcat\t0\t0\t8\t8\n")
    split = image_folder(photographs, 8)
    assert split.test.labels.tolist() == [1, 0]
    assert split.test.read([0]).shape == (1, 3, 8, 8)


def test_faults_of_image_folders_are_told(tmp_path, photographs):
    with pytest.raises(FileNotFoundError, match=r"train is missing; expected .*/train/<class>/"):
        image_folder(tmp_path / "nothing", 8)
    (photographs / "val" / "bird").mkdir()
    Image.new("RGB", (8, 8)).save(photographs / "val" / "bird" / "b.png")
    with pytest.raises(ValueError, match="classes bird are held out but not in train"):
        image_folder(photographs, 8)
    (photographs / "train" / "cat" / "images" / "0.PNG").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"0\.PNG cannot be read as an image"):
        read_image(photographs / "train" / "cat" / "images" / "0.PNG", 8)


def test_a_picture_that_unpacks_to_too_much_is_named(tmp_path, monkeypatch):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ValueError, match=r"a\.png cannot be read as an image: .*decompression bomb"):
        read_image(tmp_path / "a.png", 8)
