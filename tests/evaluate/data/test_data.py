from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torchvision")  # before TensorFlow, which some tests here import: see the docs

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.data.labelled import LabelledImages, decoded, encoded
from pass_dataset.evaluate.data.opening import open_data
from tests.evaluate.pictures import COLOURS, make_labelled, picture


def test_folder_of_classes(tmp_path: Path) -> None:
    folder = make_labelled(tmp_path)
    train, test = open_data(str(folder), "train"), open_data(str(folder), "test")
    assert train.classes == test.classes == ("blue", "green", "red")
    assert len(train) == 18 and test.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert decoded(test.read(5), test.names[5]).size == (40, 30)
    assert train.digest() != test.digest()
    # What images are called says nothing of what they are.
    (folder / "test" / "red" / "0.jpg").rename(folder / "test" / "red" / "00.jpg")
    assert open_data(str(folder), "test").digest() == test.digest()


def test_class_that_a_split_lacks_keeps_its_number(tmp_path: Path) -> None:
    folder = make_labelled(tmp_path)
    for path in (folder / "test" / "blue").iterdir():
        path.unlink()
    (folder / "test" / "blue").rmdir()
    assert set(open_data(str(folder), "test").labels) == {1, 2}


def test_pascal_voc(tmp_path: Path) -> None:
    (tmp_path / "JPEGImages").mkdir()
    lists = tmp_path / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for number in range(3):
        (tmp_path / "JPEGImages" / f"00{number}.jpg").write_bytes(picture("red", number))
    (lists / "cat_trainval.txt").write_text("000  1\n001 -1\n002  0\n")
    (lists / "dog_trainval.txt").write_text("000 -1\n001  1\n002  1\n")
    images = open_data(str(tmp_path), "train")
    assert images.classes == ("cat", "dog") and images.is_multi_label
    assert images.labels.tolist() == [[1, -1], [-1, 1], [0, 1]]
    (lists / "dog_trainval.txt").write_text("000 -1\n001  1\n")
    with pytest.raises(EvaluationError, match="other images"):
        open_data(str(tmp_path), "train")
    with pytest.raises(EvaluationError, match=r"test\.txt"):
        open_data(str(tmp_path), "test")


def pack(path: Path, *members: tuple[str, bytes]) -> None:
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def test_tars_of_webdataset(tmp_path: Path) -> None:
    members = []
    for number, name in enumerate(COLOURS):
        members += [
            (f"{number:05}.jpg", picture(name, number)),
            (f"{number:05}.cls", b"%d" % number),
        ]
    pack(tmp_path / "test" / "000.tar", *members)
    images = open_data(str(tmp_path), "test")
    assert images.labels.tolist() == [0, 1, 2]
    assert images.read(2) == picture("red", 2)
    pack(tmp_path / "test" / "000.tar", *members[:3])
    with pytest.raises(EvaluationError, match=r"\.cls, \.json or \.npy .* beside 000\.tar//00001"):
        open_data(str(tmp_path), "test")


def array(*numbers: int) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array(numbers))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("ending", "contents", "classes", "rows"),
    [
        ("json", (b'{"labels": [0, 2]}', b'{"labels": []}'), ("0", "1", "2"),
         [[1, -1, 1], [-1, -1, -1]]),
        ("json", (b'["dog", "cat"]', b'["cat"]'), ("cat", "dog"), [[1, 1], [1, -1]]),
        ("json", (b'{"label": 1, "caption": "x"}', b'{"label": 0}'), ("0", "1"), [1, 0]),
        ("json", (b'"dog"', b'"cat"'), ("cat", "dog"), [1, 0]),
        ("npy", (array(0, 1, 0), array(1, 0, 0)), ("0", "1", "2"), [[-1, 1, -1], [1, -1, -1]]),
    ],
)  # fmt: skip
def test_labels_in_tars(
    ending: str, contents: tuple[bytes, ...], classes: Any, rows: Any, tmp_path: Path
) -> None:
    members = []
    for number, content in enumerate(contents):
        members += [(f"{number}.jpg", picture("red", number)), (f"{number}.{ending}", content)]
    pack(tmp_path / "test" / "0.tar", *members)
    images = open_data(str(tmp_path), "test")
    assert images.classes == classes and images.labels.tolist() == rows
    assert images.is_multi_label == isinstance(rows[0], list)


def test_classes_of_tars_are_those_of_a_list(tmp_path: Path) -> None:
    pack(tmp_path / "test" / "0.tar", ("0.jpg", picture("red", 0)), ("0.json", b'["dog"]'))
    (tmp_path / "classnames.txt").write_text("cat\ndog\ncow\n")
    images = open_data(str(tmp_path), "test")
    assert images.classes == ("cat", "dog", "cow") and images.labels.tolist() == [[-1, 1, -1]]
    (tmp_path / "classnames.txt").write_text("cat\n")
    with pytest.raises(EvaluationError, match="expected labels of 1 classes, found 'dog'"):
        open_data(str(tmp_path), "test")
    pack(tmp_path / "test" / "0.tar", ("0.jpg", picture("red", 0)), ("0.json", b'{"label": {}}'))
    with pytest.raises(EvaluationError, match="expected a label or a list"):
        open_data(str(tmp_path), "test")


@pytest.mark.slow
def test_prepared_dataset_of_tfds(tmp_path: Path) -> None:
    """A small one that TFDS itself builds, of one label an image and of several."""
    pytest.importorskip("tensorflow_datasets")
    script = Path(__file__).with_name("tfds_colours.py")
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, cwd=script.parent)
    images = open_data("tfds:colours", "test", tmp_path)
    assert images.classes == ("blue", "green", "red")
    assert images.name == "tfds:colours (test)" and len(images) == 3
    read = {images.labels[row]: images.read(row) for row in range(3)}
    assert read == {number: picture(name, number) for number, name in enumerate(COLOURS)}
    assert decoded(images.read(0), "0").size == (40, 30)
    with pytest.raises(EvaluationError, match="expected features image and label, found image"):
        open_data("tfds:no_colours", "test", tmp_path)


def test_saved_dataset(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=list(COLOURS))}
    )
    rows = {
        "image": [{"bytes": picture(name, 1), "path": None} for name in COLOURS],
        "label": [0, 1, 2],
    }
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(str(tmp_path / "saved"))
    images = open_data(f"hf:{tmp_path / 'saved'}", "test")
    assert images.classes == tuple(COLOURS)
    assert images.read(1) == picture("green", 1)


def test_datasets_of_torchvision(tmp_path: Path) -> None:
    pytest.importorskip("torchvision")
    folder = make_labelled(tmp_path)
    images = open_data("torchvision:ImageFolder", "test", folder / "test")
    assert images.classes == ("blue", "green", "red")
    assert images.digest() != open_data(str(folder), "test").digest()  # of pixels, not of files
    with pytest.raises(EvaluationError, match="no dataset"):
        open_data("torchvision:Nothing", "test", folder)
    with pytest.raises(EvaluationError, match="--root"):
        open_data("torchvision:CIFAR10", "test")
    with pytest.raises(EvaluationError, match="cannot be opened"):
        open_data("torchvision:CIFAR10", "test", folder)


def test_what_is_no_data(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="neither"):
        open_data(str(tmp_path / "nothing"), "test")
    with pytest.raises(EvaluationError, match="test or val"):
        open_data(str(tmp_path), "test")
    (tmp_path / "test" / "red").mkdir(parents=True)
    with pytest.raises(EvaluationError, match="found none"):
        open_data(str(tmp_path), "test")
    with pytest.raises(EvaluationError, match="without labels"):
        LabelledImages("x", ("a",), np.array([-1]), ("n",), lambda position: b"")
    with pytest.raises(EvaluationError, match=r"a\.jpg: cannot be decoded"):
        decoded(b"nothing", "a.jpg")


def test_sixteen_bits_are_no_white_image() -> None:
    grey = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (30, 1))
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    file = io.BytesIO()
    deep.save(file, "PNG")
    for image in (deep, file.getvalue(), encoded(deep)):
        np.testing.assert_array_equal(np.asarray(decoded(image, "deep"))[:, :, 1], grey)
    with pytest.raises(EvaluationError, match="image of 32 bits a sample"):
        decoded(Image.fromarray(grey.astype(np.float32)), "wide")
