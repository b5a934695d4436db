"""Parts and mirrors are given alike everywhere: as numbers and lists, or as text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pass_dataset import PassArchive, download, verify
from pass_dataset.errors import ReleaseError
from pass_dataset.folders.archive_folder import ArchiveFolder
from tests.support.collection import Collection


def test_parts_as_text(collection: Collection, tmp_path: Path) -> None:
    tsv = collection.tsv
    assert ArchiveFolder.at(collection.folder, collection.describe(), "2,0").parts == (0, 2)
    assert len(PassArchive(collection.folder, tsv, parts="0-1")) == 10
    assert len(verify(collection.folder, tsv, parts="1").files) == 2
    fetched = download(tmp_path / "out", tsv, parts="2", mirrors=collection.folder.as_uri()).fetched
    assert sorted(fetched) == ["PASS.2.tar", "pass_metadata.csv"]
    with pytest.raises(ReleaseError, match="parts"):
        verify(collection.folder, tsv, parts="two")


def test_no_password_is_written(collection: Collection, tmp_path: Path) -> None:
    """A collection that is published behind a password: folders and exports do not have it."""
    from pass_dataset.commands.main import main
    from pass_dataset.releases.release import format_release

    text = format_release(collection.describe())
    release = tmp_path / "secret.tsv"
    release.write_text(text.replace("-\t", "https://me:hush@host/x?token=hush\t"))
    assert "hush" in release.read_text()
    download(tmp_path / "out", release, mirrors=[collection.folder.as_uri()])
    archives = ["--archives", str(tmp_path / "out")]
    assert main(["build", "parquet", *archives, "--out", str(tmp_path / "parquet")]) == 0
    assert main(["croissant", "--release", str(release), *archives,
                 "--out", str(tmp_path / "out" / "c.json")]) == 0  # fmt: skip
    written = [*(tmp_path / "out").rglob("*"), *(tmp_path / "parquet").rglob("*")]
    assert {"pass_receipt.json", "export.json", "c.json"} <= {path.name for path in written}
    for path in written:
        assert path.is_dir() or b"hush" not in path.read_bytes(), path
    assert "https://host/x" in json.dumps(json.loads((tmp_path / "out" / "c.json").read_text()))
