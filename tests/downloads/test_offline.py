"""Where the user says that there is no network, loaders say at once what is missing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pass_dataset.archives.ensure import provide
from pass_dataset.archives.streaming import open_remote
from pass_dataset.downloads.offline import offline_variable, require_reachable
from pass_dataset.errors import DownloadError
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.releases.release import official_release
from tests.support.collection import Collection


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, None),
        ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE"),
        ({"HF_HUB_OFFLINE": "0"}, None),
        ({"HF_HUB_OFFLINE": ""}, None),
        ({"HF_DATASETS_OFFLINE": "yes"}, "HF_DATASETS_OFFLINE"),
        ({"TRANSFORMERS_OFFLINE": "true"}, "TRANSFORMERS_OFFLINE"),
        # As in `datasets`, its own word counts before that of the Hub.
        ({"HF_DATASETS_OFFLINE": "0", "HF_HUB_OFFLINE": "1"}, None),
    ],
)
def test_variables(environment: dict[str, str], found: str | None) -> None:
    assert offline_variable(environment) == found


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")


@pytest.mark.usefixtures("offline")
def test_what_is_missing_is_named(tmp_path: Path) -> None:
    archives = ArchiveFolder.at(tmp_path / "pass", official_release())
    message = (
        r"pass: PASS\.0\.tar, PASS\.1\.tar, PASS\.2\.tar and 8 more of PASS 3\.0\.0 missing, and "
        r"HF_DATASETS_OFFLINE says .* PASS_ARCHIVES"
    )
    with pytest.raises(DownloadError, match=message):
        provide(archives)
    with pytest.raises(DownloadError, match="HF_DATASETS_OFFLINE"):
        open_remote(official_release(), folder=tmp_path, mirrors=["https://mirror.example.org/"])
    assert not archives.path.exists()


@pytest.mark.usefixtures("offline")
def test_a_folder_without_receipt_is_read(collection: Collection) -> None:
    assert len(provide(collection.archives())) == 15


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    "mirror", ["file:///a/", "http://127.0.0.1:80/", "http://localhost/", "http://[::1]:80/"]
)
def test_this_machine_needs_no_network(mirror: str, tmp_path: Path) -> None:
    release = official_release()
    require_reachable(release, release.files, [mirror], tmp_path)
    files = [dataclasses.replace(file, url=mirror + file.filename) for file in release.files]
    require_reachable(release, files, [], tmp_path)


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("mirror", ["http://10.0.0.1/", "http://[::", "nonsense", ""])
def test_anything_else_does(mirror: str, tmp_path: Path) -> None:
    release = official_release()
    with pytest.raises(DownloadError, match="missing"):
        require_reachable(release, release.files, [mirror], tmp_path)


def test_nobody_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_DATASETS_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    release = official_release()
    require_reachable(release, release.files, [], tmp_path)
