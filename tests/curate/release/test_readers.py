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
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from tests.support.curation import Curation, photograph
from tests.support.passify import DETECTORS

IMAGES = 20


@pytest.fixture(scope="module")
def curation(tmp_path_factory: pytest.TempPathFactory) -> Curation:
    path = tmp_path_factory.mktemp("made") / "curation"
    return Curation(path, [photograph(number) for number in range(IMAGES)]).fetch()


@pytest.fixture(scope="module")
def birds(curation: Curation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("released") / "birds"
    run_release(curation.folder, ReleaseSettings("birds", "1.0.0", tars=2), out)
    return out


def test_records(curation: Curation, birds: Path) -> None:
    archive = PassArchive(birds)
    assert len(archive) == IMAGES
    assert archive.is_whole
    for record in archive:
        assert record.jpeg == curation.bodies[record.hash]
        assert record.creator is not None
        assert record.creator.startswith("user+")
    archive.close()


def test_commands(birds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pass_dataset(["verify", str(birds)]) == 0
    assert "unknown" not in capsys.readouterr().out
    assert pass_dataset(["index", str(birds)]) == 0
    credit = ["credits", "--archives", str(birds), "--all", "--format", "csv"]
    assert pass_dataset([*credit, "--out", str(tmp_path / "credits.csv")]) == 0
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


#: mlcroissant calls what rdflib has deprecated.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_croissant_is_valid(birds: Path) -> None:
    croissant = pytest.importorskip("mlcroissant")
    dataset = croissant.Dataset(str(birds / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    assert len(list(dataset.records("metadata"))) == IMAGES


@pytest.mark.slow
def test_tfds(curation: Curation, birds: Path, tmp_path: Path) -> None:
    tfds = pytest.importorskip("tensorflow_datasets")
    command = [
        "build",
        "tfds",
        "--archives",
        str(birds),
        "--data-dir",
        str(tmp_path),
        "--workers",
        "1",
    ]
    assert pass_dataset(command) == 0
    (info,) = tmp_path.rglob("dataset_info.json")
    built = tfds.as_numpy(tfds.builder_from_directory(str(info.parent)).as_dataset(split="train"))
    assert {record["image/hash"].decode() for record in built} == set(curation.bodies)


@pytest.mark.slow
def test_datasets(curation: Curation, birds: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset(
        "pass", data_dir=str(birds), split="train", cache_dir=str(tmp_path)
    )
    assert set(loaded["hash"]) == set(curation.bodies)
    assert loaded[0]["image"].size == (32, 24)


def test_torch(curation: Curation, birds: Path) -> None:
    pytest.importorskip("torch")
    from pass_dataset.torch import PASS

    data = PASS(birds)
    assert len(data) == IMAGES
    assert data[0][0].size == (32, 24)


def test_passify(birds: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = ["run", str(birds), "--out", str(run), "--workers", "1", *DETECTORS]
    assert passify(command) == 0
    found = Results(RunFolder(run))
    assert sum(table.num_rows for table in found.tables(["path"])) == IMAGES
