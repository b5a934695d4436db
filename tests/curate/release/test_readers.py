"""Every reader of the package takes a release as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pass_dataset import PassArchive
from pass_dataset.commands.main import main as pass_dataset
from pass_dataset.commands.passify.main import main as passify
from pass_dataset.curate.release.settings import ReleaseSettings
from pass_dataset.curate.release.writing import run_release
from tests.support.curation import Curation, photograph

IMAGES = 20


@pytest.fixture(scope="module")
def curation(tmp_path_factory: pytest.TempPathFactory) -> Curation:
    path = tmp_path_factory.mktemp("made") / "curation"
    return Curation(path, [photograph(number) for number in range(IMAGES)]).fetch()


@pytest.fixture(scope="module")
def birds(curation: Curation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("released") / "birds"
    run_release(curation.folder, out, ReleaseSettings("birds", "1.0.0", tars=2))
    return out


def test_records(curation: Curation, birds: Path) -> None:
    with PassArchive(birds) as archive:
        assert len(archive) == IMAGES
        assert archive.is_whole
        for record in archive:
            assert record.image_bytes == curation.bodies[record.hash]
            assert record.creator.startswith("user+")


def test_commands(birds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pass_dataset(["verify", str(birds)]) == 0
    assert "unknown" not in capsys.readouterr().out
    assert pass_dataset(["index", str(birds)]) == 0
    assert pass_dataset(["credits", str(birds), "--out", str(tmp_path / "credits.csv")]) == 0
    credited = (tmp_path / "credits.csv").read_text()
    assert credited.count("\n") == IMAGES + 1
    assert pass_dataset(["stats", str(birds), "--out", str(tmp_path / "stats.html")]) == 0
    capsys.readouterr()
    assert pass_dataset(["croissant", "--release", str(birds / "birds-1.0.0.tsv"),
                         "--archives", str(birds)]) == 0  # fmt: skip
    described = json.loads(capsys.readouterr().out)
    assert (
        described["distribution"]
        == json.loads((birds / "croissant.json").read_text())["distribution"]
    )


def test_croissant_is_valid(birds: Path) -> None:
    croissant = pytest.importorskip("mlcroissant")
    dataset = croissant.Dataset(str(birds / "croissant.json"))
    records = list(dataset.records("metadata"))
    assert len(records) == IMAGES


def test_tfds(birds: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow_datasets")
    command = ["build", "tfds", "--archives", str(birds), "--out", str(tmp_path), "--workers", "1"]
    assert pass_dataset(command) == 0


def test_datasets(birds: Path, tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    from pass_dataset.huggingface.builder import PassBuilder

    assert PassBuilder is not None


def test_torch(curation: Curation, birds: Path) -> None:
    pytest.importorskip("torch")
    from pass_dataset.torch import PASS

    data = PASS(birds)
    assert len(data) == IMAGES
    assert data[0].size == (32, 24)


def test_passify(birds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert passify(["plan", str(birds), "--help"]) == 0
