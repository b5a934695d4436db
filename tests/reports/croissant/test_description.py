"""Croissant: valid, with the right hashes, and records can be loaded by it."""

from __future__ import annotations

import importlib
import io
import json
import logging
import shutil
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from pass_dataset.archives import mini
from pass_dataset.archives.collection import describe_collection
from pass_dataset.archives.ensure import open_mini
from pass_dataset.archives.metadata import known_columns
from pass_dataset.archives.records import ImageRecord
from pass_dataset.commands.main import main
from pass_dataset.errors import ReleaseError
from pass_dataset.releases.release import OFFICIAL_VERSIONS, official_release, read_release
from pass_dataset.reports.croissant.description import (
    columns_of,
    description_of,
    format_description,
)

COMMITTED = Path(__file__).parent.parent.parent.parent / "builder_hf"
ALL = {"creator_uname", "hash", "date_taken", "license", "gps_lat", "gps_lon"}


def fields_of(description: dict[str, Any], record_set: str) -> set[str]:
    (found,) = [one for one in description["recordSet"] if one["name"] == record_set]
    return {field["name"] for field in found["field"]}


@pytest.mark.parametrize("version", OFFICIAL_VERSIONS)
def test_committed_files_are_what_is_generated(version: str) -> None:
    text = (COMMITTED / "croissant" / f"{version}.json").read_text()
    assert text == format_description(description_of(official_release(version)))


def test_the_file_without_number_is_the_default() -> None:
    default = (COMMITTED / "croissant.json").read_text()
    assert default == format_description(description_of(official_release()))
    assert sorted(path.stem for path in (COMMITTED / "croissant").iterdir()) == [*OFFICIAL_VERSIONS]


@pytest.mark.parametrize("version", OFFICIAL_VERSIONS)
def test_files_are_those_of_the_release(version: str) -> None:
    content = json.loads((COMMITTED / "croissant" / f"{version}.json").read_text())
    files = [item for item in content["distribution"] if item["@type"] == "cr:FileObject"]
    assert len(files) == 11
    release = official_release(version)
    for item, file in zip(files, release.files, strict=True):
        assert item["sha256"] == file.sha256
        assert len(item["sha256"]) == 64
        assert item["contentUrl"] == file.url
        assert item["contentSize"] == f"{file.size_bytes} B"
    assert content["version"] == version
    assert content["datePublished"] == release.released
    assert "http://mlcommons.org/croissant/1.1" in content["conformsTo"]
    assert sum(key.startswith("rai:") for key in content) >= 12


def test_release_1_has_only_what_is_certain() -> None:
    first, second = (description_of(official_release(v)) for v in OFFICIAL_VERSIONS[:2])
    assert fields_of(first, "metadata") == {"hash", "creator_uname"}
    assert fields_of(first, "images") == {"image", "hash", "creator_uname"}
    assert fields_of(second, "metadata") == ALL
    assert fields_of(second, "images") == ALL | {"image"}


def test_of_ones_own_nothing_is_claimed() -> None:
    text = format_description(description_of(read_release(mini.CHECKSUMS)))
    for word in ("asano", "Oxford", "rai:data", "creativecommons"):
        assert word not in text


def test_columns_that_cannot_be_joined() -> None:
    with pytest.raises(ReleaseError, match="expected a column 'hash', found"):
        description_of(official_release(), ["unickname"])


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["croissant"]) == 0
    assert capsys.readouterr().out == (COMMITTED / "croissant.json").read_text()
    out = tmp_path / "croissant.json"
    given = ["--release", str(mini.CHECKSUMS), "--archives", str(mini.ARCHIVES)]
    assert main(["croissant", *given, "--out", str(out)]) == 0
    assert "pass_mini 1.0.0, 11 files" in capsys.readouterr().out
    assert fields_of(json.loads(out.read_text()), "images") == ALL | {"image"}
    assert main(["croissant", "--release", "9.9.9"]) == 1
    assert "unknown release '9.9.9'" in capsys.readouterr().err


# --- with mlcroissant -----------------------------------------------------------------------------


@pytest.fixture
def mlcroissant() -> Any:
    reason = "needs mlcroissant: pip install 'pass-dataset[beam]'"
    return pytest.importorskip("mlcroissant", reason=reason)


#: mlcroissant calls what rdflib has deprecated.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["croissant.json", "croissant/1.0.0.json", "croissant/2.0.0.json"])
def test_mlcroissant_validates(mlcroissant: Any, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mlcroissant.scripts.cli", "validate", "--jsonld", COMMITTED / name],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    dataset = mlcroissant.Dataset(str(COMMITTED / name))
    issues = dataset.metadata.ctx.issues
    assert not issues.errors
    assert not issues.warnings
    assert str(dataset.metadata.ctx.conforms_to.value).endswith("/croissant/1.1")
    assert dataset.metadata.data_biases
    assert dataset.metadata.personal_sensitive_information


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture(params=["local files", "over HTTP"])
def described(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """The description of the mini release, and where its files are."""
    folder = Path(shutil.copytree(mini.ARCHIVES, tmp_path / "archives"))
    columns = known_columns(folder / "pass_metadata.csv")
    if request.param == "local files":
        path = folder / "croissant.json"
        release = describe_collection(folder, version="1.0.0", name="pass_mini")
        path.write_text(format_description(description_of(release, columns)))
        yield path
        return
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        release = describe_collection(folder, version="1.0.0", name="pass_mini", base_url=url)
        path = tmp_path / "croissant.json"
        path.write_text(format_description(description_of(release, columns)))
        yield path
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.filterwarnings("ignore")
def test_records_are_loaded(
    mlcroissant: Any, described: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from etils import epath

    constants = importlib.import_module("mlcroissant._src.core.constants")
    monkeypatch.setattr(constants, "DOWNLOAD_PATH", epath.Path(tmp_path / "download"))
    monkeypatch.setattr(constants, "EXTRACT_PATH", epath.Path(tmp_path / "extract"))
    logging.getLogger("absl").setLevel(logging.ERROR)
    found = {
        record["images/hash"].decode(): record
        for record in mlcroissant.Dataset(str(described)).records("images")
    }
    archive = open_mini()
    assert found.keys() == {record.hash for record in archive}
    for record in archive:
        compare(record, found[record.hash])


def compare(record: ImageRecord, found: dict[str, Any]) -> None:
    import PIL.Image

    # It reads the CSV with pandas, which takes these photographers for missing.
    creator = None if record.creator in ("NA", "null", "None") else record.creator
    assert found["images/creator_uname"] == (creator and creator.encode())
    taken = found["images/date_taken"]
    assert (None if taken is None else taken.to_pydatetime()) == record.date_taken
    assert found["images/gps_lat"] == record.latitude
    assert found["images/gps_lon"] == record.longitude
    assert found["images/license"] == (record.license and record.license.encode())
    expected = PIL.Image.open(io.BytesIO(record.jpeg))
    image = found["images/image"]
    assert image.size == expected.size
    assert image.tobytes() == expected.tobytes()


def test_unofficial_columns() -> None:
    assert columns_of(read_release(mini.CHECKSUMS)) == ("hash", "unickname")
