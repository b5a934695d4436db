"""Crops through the whole command: described once, gone on with, kept apart by weights."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("torch")

import torch
from PIL import Image

from pass_dataset.commands.curate.main import main
from pass_dataset.commands.curate.spreading import device_here
from pass_dataset.curate.duplicates import hashing
from pass_dataset.curate.duplicates.crop_search import describe_images
from pass_dataset.curate.duplicates.crops import describing, network, search
from pass_dataset.curate.duplicates.crops.describing import Describing
from pass_dataset.curate.duplicates.crops.rows import Descriptors
from pass_dataset.curate.duplicates.crops.weights import CropWeights, crop_weights
from pass_dataset.curate.duplicates.finding import DuplicatesSettings
from pass_dataset.curate.duplicates.index_file import load_index
from pass_dataset.curate.duplicates.listing import Listing, list_images
from pass_dataset.curate.duplicates.step import run_duplicates
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.errors import CurationError, WeightsError
from pass_dataset.executors import local
from pass_dataset.passify.sources.opening import SourceSettings
from pass_dataset.progress import Silent
from tests.curate.duplicates.crops.checkpoints import saved
from tests.curate.duplicates.here import Here
from tests.curate.duplicates.images import SHARED, encoded, photographs
from tests.curate.duplicates.test_step import select

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("weights")
    return saved(folder / "a.pt", 0), saved(folder / "b.pt", 1)


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    """Three photographs, a part of the first, the second turned, and a broken file."""
    folder = tmp_path / "cut"
    folder.mkdir()
    paths = photographs(6)[:3]
    for number, path in enumerate(paths):
        shutil.copy(path, folder / f"{number}.jpg")
    first, second = (Image.open(path).convert("RGB") for path in paths[:2])
    width, height = first.size
    (folder / "0-part.jpg").write_bytes(encoded(first.crop((width // 6, 0, width, height))))
    (folder / "1-turned.jpg").write_bytes(encoded(second.rotate(12)))
    shutil.copy(SHARED / "bad_truncated.jpg", folder / "broken.jpg")
    return folder


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that sees little is as good as any with random weights, and faster."""
    monkeypatch.setattr(network, "SIDE", 64)
    monkeypatch.setattr(describing, "SIDE", 64)


def described(
    folder: Path, out: Path, weights: Path | CropWeights, executor: Here | None = None
) -> tuple[Descriptors, int]:
    """Descriptors, and how many shards were done for them."""
    if isinstance(weights, Path):
        weights = crop_weights(weights)
    work = Describing(device="cpu", weights=str(weights.path), sha256=weights.sha256)
    executor = executor or Here(work)
    found = describe_images([_listed(folder)], out, weights, executor=executor, progress=Silent())
    assert found is not None
    return found, executor.done


def _listed(folder: Path) -> Listing:
    return list_images(folder.name, SourceSettings.of(folder), Silent())


def _tiers(path: Path) -> dict[tuple[str, str], tuple[str, Any]]:
    rows = pq.read_table(path / "pairs.parquet").to_pylist()
    return {(row["path"], row["other_path"]): (row["tier"], row["cosine"]) for row in rows}


def test_the_command(
    cut: Path,
    weights: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Parts and turned ones are found, within and in another set, and so is nothing else."""
    devices: list[str] = []
    unit = search._unit
    monkeypatch.setattr(
        search, "_unit", lambda rows, device: devices.append(device) or unit(rows, device)
    )
    out = tmp_path / "out"
    asked = ["duplicates", str(cut), "--out", str(out), "--crops", str(weights[0])]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert main([*asked, "--device", "cpu", "--json"]) == 0
    monkeypatch.undo()
    assert set(devices) == {"cpu"}
    summary = json.loads(capsys.readouterr().out)
    assert summary["pairs-crop"] == 2
    assert summary["pairs"] == [
        {"source": "cut", "other_source": "cut", "tier": "crop", "pairs": 2}
    ]
    assert (summary["kept"], summary["dropped"], summary["broken"]) == (4, 2, 1)
    pairs = _tiers(out)
    assert list(pairs) == [("0-part.jpg", "0.jpg"), ("1-turned.jpg", "1.jpg")]
    assert all(tier == "crop" and 0.75 <= cosine <= 1 for tier, cosine in pairs.values())
    assert (out / "dropped.txt").read_text() == "0-part.jpg\n1.jpg\n"
    page = (out / "report.html").read_text()
    assert "Parts, turned or overlaid" in page
    assert "cosine 0.9" in page or "cosine 1.0" in page
    # Without the weights, of all this nothing.
    assert main([*asked[:4], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dropped"] == 0


@pytest.mark.usefixtures("_small")
def test_cut_and_more_images(
    cut: Path, weights: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what is missing is described, with the same result as all at once."""
    monkeypatch.setattr(hashing, "automatic_shard_size", lambda images: 2)
    at_once, shards = described(cut, tmp_path / "once", weights[0])
    assert shards == 3
    assert at_once.rows.any(axis=1).tolist() == [True] * 5 + [False]  # the broken one is last

    class Killed(Here):
        def execute(self, folder: Any, jobs: Any, told: Any) -> Any:
            for marker in super().execute(folder, jobs, told):
                yield marker
                raise KeyboardInterrupt

    work = Describing(device="cpu", weights=str(weights[0]), sha256=at_once.sha256)
    killed = Killed(work)
    with pytest.raises(KeyboardInterrupt):
        described(cut, tmp_path / "cut-off", weights[0], killed)
    after, shards = described(cut, tmp_path / "cut-off", weights[0])
    assert (killed.done, shards) == (1, 2)
    np.testing.assert_array_equal(after.rows, at_once.rows)
    assert described(cut, tmp_path / "cut-off", weights[0])[1] == 0
    shutil.copy(cut / "0.jpg", cut / "00.jpg")
    more, shards = described(cut, tmp_path / "cut-off", weights[0])
    assert shards == 1
    # In order of the listing, wherever a part has them.
    names = _listed(cut).items["path"].to_pylist()
    np.testing.assert_array_equal(more.rows[names.index("00.jpg")], more.rows[names.index("0.jpg")])
    monkeypatch.setattr(describing, "_BATCH", 3)
    np.testing.assert_allclose(
        described(cut, tmp_path / "batches", weights[0])[0].rows, more.rows, atol=1e-3
    )


@pytest.mark.usefixtures("_small")
def test_other_weights_are_not_mixed(cut: Path, weights: tuple[Path, Path], tmp_path: Path) -> None:
    """In a folder, and between sets; both digests are named."""
    first, second = map(crop_weights, weights)
    described(cut, tmp_path / "out", weights[0])
    with pytest.raises(WeightsError) as raised:
        described(cut, tmp_path / "out", weights[1])
    assert first.sha256 in str(raised.value)
    assert second.sha256 in str(raised.value)
    assert "descriptors" in str(raised.value)
    # A worker elsewhere, that finds another file by this name.
    with pytest.raises(WeightsError, match=f"{first.sha256}, found {second.sha256}"):
        described(cut, tmp_path / "moved", CropWeights(weights[1], first.sha256))


@pytest.mark.usefixtures("_small")
def test_a_file_that_is_no_weights_does_not_keep_the_folder(
    cut: Path, weights: tuple[Path, Path], tmp_path: Path
) -> None:
    """Whoever named a wrong one names the right one next."""
    with pytest.raises(WeightsError, match="found another kind of file") as raised:
        described(cut, tmp_path / "out", cut / "0.jpg")
    assert "weights_only" not in str(raised.value)
    assert described(cut, tmp_path / "out", weights[0])[1] == 1


@pytest.mark.usefixtures("_small")
def test_an_index_has_descriptors(
    cut: Path,
    weights: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Crops of another set's images go, by their descriptors alone; of other weights, nothing."""
    monkeypatch.setattr(local, "LocalExecutor", Here)
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    shutil.move(cut / "0.jpg", there)
    shutil.move(cut / "0-part.jpg", here)
    index = tmp_path / "set.hashes"
    crops = ["--crops", str(weights[0]), "--device", "cpu"]
    assert main(["hash", str(there), "--out", str(index), *crops]) == 0
    found = load_index(index).descriptors
    assert found is not None
    assert found.sha256 == crop_weights(weights[0]).sha256
    assert found.rows.shape == (1, 512)
    asked = ["duplicates", str(here), "--out", str(tmp_path / "out"), "--against", str(index)]
    assert main([*asked, *crops, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.partition("\n")[2])["causes"] == {
        "duplicate-of:set": 1
    }
    asked[3] = str(tmp_path / "other")
    assert main([*asked, "--crops", str(weights[1]), "--device", "cpu"]) == 1
    said = capsys.readouterr().err
    assert found.sha256 in said
    assert crop_weights(weights[1]).sha256 in said


@pytest.mark.usefixtures("_small")
def test_as_a_step(cut: Path, weights: tuple[Path, Path], tmp_path: Path) -> None:
    folder = CurationFolder(tmp_path / "curation")
    select(folder, sorted(cut.glob("*.jpg")))  # of the last it is said that it goes no further
    settings = DuplicatesSettings(crops=str(weights[0]))
    first, second = map(crop_weights, weights)
    work = Describing(device="cpu", weights=str(first.path), sha256=first.sha256)
    step = run_duplicates(folder, settings, executor=Here(), describing=Here(work))
    assert step is not None
    assert step.details["pairs-crop"] == 2
    assert step.causes == {"duplicate-within": 2}
    rows = [
        row for shard in range(2) for row in Ledger(folder).said("duplicates", shard).to_pylist()
    ]
    assert [row["duplicate_tier"] for row in rows].count("crop") == 2
    with pytest.raises(CurationError) as raised:
        run_duplicates(folder, DuplicatesSettings(crops=str(weights[1])))
    assert first.sha256 in str(raised.value)
    assert second.sha256 in str(raised.value)


def test_settings(tmp_path: Path) -> None:
    for wrong, said in (
        ({"crop_cosine": 0.1}, "crop_cosine: expected 0.3 to 1"),
        ({"crops_sha256": "0" * 64}, "expected the weights as crops too"),
        ({"crops": "a", "as_published": True}, "does not look for them"),
    ):
        with pytest.raises(ValueError, match=said):
            DuplicatesSettings(**wrong)  # type: ignore[arg-type]


def test_without_its_packages(
    cut: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is said what to install, before anything is hashed."""
    monkeypatch.setitem(sys.modules, "cv2", None)
    weights = tmp_path / "weights.pt"
    weights.write_bytes(b"weights")
    asked = ["duplicates", str(cut), "--out", str(tmp_path / "out"), "--crops", str(weights)]
    assert main(asked) == 1
    assert "pip install 'pass-dataset[crops]'" in capsys.readouterr().err
    assert not (tmp_path / "out" / "hashes").exists()


@pytest.mark.parametrize(
    ("executor", "device", "here"),
    [("local", "cuda:1", "cuda:1"), ("slurm", "cuda:1", None), ("slurm", "cpu", "cpu")],
)
def test_where_descriptors_are_compared(executor: str, device: str, here: str | None) -> None:
    """On this machine, which may have no GPU where the nodes of a cluster have some."""
    assert device_here(argparse.Namespace(executor=executor, device=device)) == here
