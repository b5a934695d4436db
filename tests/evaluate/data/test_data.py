from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.data.labelled import LabelledImages, decoded
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


def test_tars_of_webdataset(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    with tarfile.open(tmp_path / "test" / "000.tar", "w") as archive:
        for number, name in enumerate(COLOURS):
            for ending, content in (
                ("jpg", picture(name, number)),
                ("cls", str(number).encode()),
            ):
                info = tarfile.TarInfo(f"{number:05}.{ending}")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    images = open_data(str(tmp_path), "test")
    assert images.labels.tolist() == [0, 1, 2]
    assert images.read(2) == picture("red", 2)


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
