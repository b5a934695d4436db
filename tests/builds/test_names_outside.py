"""What describes a build names files within its folder: others would be taken for data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pass_dataset.builds.catalogue import Format, formats, open_stored
from pass_dataset.builds.writing.plan import BuildPlan
from pass_dataset.errors import MissingExtraError, UnreadableBuildError
from pass_dataset.parquet.manifest import Export
from pass_dataset.webdataset.manifest import WebDatasetExport
from tests.support.collection import Collection

FORMATS = {entry.label: entry for entry in formats()}


def built(label: str, collection: Collection, out: Path) -> Path:
    collection.describe()
    entry: Format = FORMATS[label]
    try:
        return entry.export(collection.archives(), out)
    except MissingExtraError as error:
        pytest.skip(f"needs {error.name}, which an extra installs")


@pytest.mark.parametrize("record", [Export, WebDatasetExport])
@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "data/../../secret", ""])
def test_manifest(
    collection: Collection, tmp_path: Path, record: type[Export | WebDatasetExport], name: str
) -> None:
    label = "Parquet export" if record is Export else "WebDataset export"
    folder = built(label, collection, tmp_path / "out")
    path = folder / record.file_name
    text = path.read_text()
    shard = record.load(folder).shards[0].path
    content = json.loads(text.replace(json.dumps(shard), json.dumps(name)))
    # As of a former version, which wrote none.
    content.pop("checksum")
    path.write_text(json.dumps(content))
    with pytest.raises(UnreadableBuildError, match="file within the folder"):
        record.load(folder)


@pytest.mark.parametrize("record", [Export, WebDatasetExport])
def test_manifest_that_was_changed(
    collection: Collection, tmp_path: Path, record: type[Export | WebDatasetExport]
) -> None:
    label = "Parquet export" if record is Export else "WebDataset export"
    folder = built(label, collection, tmp_path / "out")
    path = folder / record.file_name
    path.write_text(path.read_text().replace("00000-of-", "00001-of-"))
    with pytest.raises(UnreadableBuildError, match="does not fit its checksum"):
        record.load(folder)


def test_tfds(collection: Collection, tmp_path: Path) -> None:
    label = next(label for label in FORMATS if label.startswith("TFDS"))
    out = built(label, collection, tmp_path / "out")
    path = min(out.rglob("dataset_info.json"))
    content = json.loads(path.read_text())
    content["splits"][0]["filepathTemplate"] = "../{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
    path.write_text(json.dumps(content))
    with pytest.raises(UnreadableBuildError, match="cannot be read"):
        open_stored(path.parent)


def test_plan(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps({"names": ["../../secret"], "tars": []}))
    with pytest.raises(ValueError, match="file within the folder"):
        BuildPlan.load(tmp_path, None)  # type: ignore[arg-type]
