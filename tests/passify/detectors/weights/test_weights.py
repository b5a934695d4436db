"""Weights files: found, fetched, verified, and refused before anything reads them."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pass_dataset.commands.main import main
from pass_dataset.downloads import RetryPolicy
from pass_dataset.errors import WeightsError
from pass_dataset.files.cache import user_cache
from pass_dataset.passify.detectors.settings import DetectorSettings
from pass_dataset.passify.detectors.weights import files
from pass_dataset.passify.detectors.weights.fetching import fetch
from pass_dataset.passify.detectors.weights.files import (
    ALL_WEIGHTS,
    CASCADE_RCNN,
    RETINAFACE_MOBILENET,
    RETINAFACE_RESNET50,
)
from pass_dataset.passify.detectors.weights.store import WEIGHTS_VARIABLE, examine, resolve
from tests.support.bad_server import BadServer, Fault, Kind

CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()
IMPATIENT = RetryPolicy(max_failures=3, base_delay_s=0.0, stall_timeout_s=2.0)


@pytest.fixture(autouse=True)
def no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WEIGHTS_VARIABLE, raising=False)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[BadServer]:
    source = tmp_path / "source"
    source.mkdir()
    (source / "weights.pth").write_bytes(CONTENT)
    with BadServer(source) as running:
        yield running


def pinned(server: BadServer) -> files.WeightsFile:
    return replace(
        RETINAFACE_MOBILENET,
        filename="weights.pth",
        url=f"{server.url}/weights.pth",
        size_bytes=len(CONTENT),
        sha256=SHA256,
    )


def by_digits(server: BadServer, digits: str = MD5[:6]) -> files.WeightsFile:
    return replace(pinned(server), size_bytes=None, sha256=None, digits=digits)


def test_facts(shared: Path) -> None:
    assert len({file.filename for file in ALL_WEIGHTS}) == len(ALL_WEIGHTS)
    for file in ALL_WEIGHTS:
        assert file.licence
        assert file.sha256 or file.digits or file.url is None
    found = examine(RETINAFACE_MOBILENET, shared / "weights")
    assert found.state == "verified"
    assert found.path.stat().st_size == RETINAFACE_MOBILENET.size_bytes


def test_fetched_once_into_the_cache(server: BadServer) -> None:
    file = pinned(server)
    found = resolve(file)
    assert found.path == user_cache("weights") / "weights.pth"
    assert found.sha256 == SHA256
    assert found.path.read_bytes() == CONTENT
    assert resolve(file) == found
    assert len(server.answers) == 1


def test_broken_connection_is_continued(server: BadServer) -> None:
    server.faults = lambda path, start: (
        Fault(Kind.RESET, 200_000) if len(server.answers) < 2 else None
    )
    assert resolve(pinned(server)).sha256 == SHA256
    assert [answer.start for answer in server.answers][:2] == [None, 200_000]
    assert server.sent_bytes < 1.1 * len(CONTENT)


def test_wrong_bytes_get_no_name(server: BadServer, tmp_path: Path) -> None:
    file = replace(pinned(server), sha256="0" * 64)
    with pytest.raises(WeightsError, match="could not be fetched") as caught:
        fetch(file, tmp_path / "weights", policy=IMPATIENT)
    assert "PASS_WEIGHTS_DIR" in str(caught.value)
    assert not (tmp_path / "weights" / "weights.pth").exists()


@pytest.mark.parametrize("digits", [MD5[:6], SHA256[:6]], ids=["MD5", "SHA-256"])
def test_first_digits_then_the_record(
    server: BadServer, digits: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = by_digits(server, digits)
    with caplog.at_level(logging.INFO):
        found = resolve(file)
    assert found.sha256 == SHA256
    assert f"Recorded SHA-256 {SHA256}" in caplog.text
    record = found.path.with_name("weights.pth.sha256")
    assert record.read_text() == f"{SHA256}  weights.pth\n"
    assert examine(file, found.path.parent).state == "verified"
    found.path.write_bytes(CONTENT + b"more")
    with pytest.raises(WeightsError, match=f"expected SHA-256 {SHA256}, found") as caught:
        resolve(file)
    assert "Delete it" in str(caught.value)
    assert examine(file, found.path.parent).state == "wrong"
    record.write_text("nonsense")
    with pytest.raises(WeightsError, match="expected the SHA-256 of"):
        resolve(file)


def test_wrong_first_digits(server: BadServer) -> None:
    with pytest.raises(WeightsError, match="a hash that begins abcdef, found"):
        resolve(by_digits(server, "abcdef"))
    assert not any(path.name.startswith("weights.pth") for path in user_cache("weights").iterdir())


def test_size_is_asked_for_patiently(server: BadServer, tmp_path: Path) -> None:
    server.faults = lambda path, start: Fault(Kind.UNAVAILABLE) if not server.answers else None
    assert fetch(by_digits(server), tmp_path, policy=IMPATIENT).read_bytes() == CONTENT
    (tmp_path / "weights.pth").unlink()
    server.faults = lambda path, start: Fault(Kind.NOT_FOUND)
    with pytest.raises(WeightsError, match="its size could not be asked for \\(HTTP 404"):
        fetch(by_digits(server), tmp_path, policy=IMPATIENT)


def test_error_page_is_no_weights(server: BadServer, tmp_path: Path) -> None:
    server.faults = lambda path, start: Fault(Kind.HTML_PAGE)
    with pytest.raises(WeightsError, match="could not be fetched"):
        fetch(by_digits(server), tmp_path, policy=IMPATIENT)
    assert not (tmp_path / "weights.pth").exists()


def test_folder_for_work_without_network(
    server: BadServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "offline"
    folder.mkdir()
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(folder))
    file = pinned(server)
    with pytest.raises(WeightsError, match="PASS_WEIGHTS_DIR is set, so nothing is fetched") as no:
        resolve(file)
    assert file.url in str(no.value)
    (folder / "weights.pth").write_bytes(CONTENT)
    assert resolve(file).path == folder / "weights.pth"
    (folder / "weights.pth").write_bytes(b"other")
    with pytest.raises(WeightsError, match="not the published weights, or damaged"):
        resolve(file)
    assert server.answers == []


def test_read_only_folder_is_verified_without_a_record(
    server: BadServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights.pth").write_bytes(CONTENT)
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))

    def refuse(path: Path, data: bytes) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pass_dataset.passify.detectors.weights.hashes.write_whole", refuse)
    assert resolve(by_digits(server)).sha256 == SHA256


def test_weights_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    with pytest.raises(WeightsError, match="found nothing there"):
        resolve(RETINAFACE_MOBILENET, DetectorSettings(weights=path))
    path.write_bytes(CONTENT)
    assert resolve(RETINAFACE_MOBILENET, DetectorSettings(weights=path)).sha256 == SHA256
    named = DetectorSettings(weights=path, weights_sha256=SHA256.upper())
    assert resolve(RETINAFACE_MOBILENET, named).path == path
    wrong = DetectorSettings(weights=path, weights_sha256="0" * 64)
    with pytest.raises(WeightsError, match=f"expected SHA-256 0+, found SHA-256 {SHA256}"):
        resolve(RETINAFACE_MOBILENET, wrong)


def test_weights_whose_hash_nobody_publishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WeightsError, match="cannot be fetched: get Resnet50_Final"):
        resolve(RETINAFACE_RESNET50)
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    path = tmp_path / RETINAFACE_RESNET50.filename
    path.write_bytes(CONTENT)
    with pytest.raises(WeightsError, match="nothing to check it by"):
        resolve(RETINAFACE_RESNET50)
    assert resolve(RETINAFACE_RESNET50, DetectorSettings(weights_sha256=SHA256)).sha256 == SHA256
    path.with_name(path.name + ".sha256").write_text(f"{SHA256}  {path.name}\n")
    assert resolve(RETINAFACE_RESNET50).sha256 == SHA256


def test_command_lists(shared: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["weights", "--dir", str(shared / "weights")]) == 0
    out = capsys.readouterr().out
    assert "mobilenet0.25_Final.pth, 1,789,735 bytes (1.7 MiB), MIT, used by retinaface" in out
    assert f"verified {shared}/weights/mobilenet0.25_Final.pth" in out
    assert "CC-BY-SA 3.0" in out
    assert "begins 480dd8" in out
    assert "MIT, used by pass-curate duplicates --crops" in out
    assert main(["weights", "--json", "cascade-rcnn"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert listed["state"] == "missing"
    assert listed["path"] == str(user_cache("weights") / CASCADE_RCNN.filename)
    (tmp_path / RETINAFACE_MOBILENET.filename).write_bytes(b"wrong")
    assert main(["weights", "--dir", str(tmp_path)]) == 1
    assert "wrong " in capsys.readouterr().out
    assert main(["weights", "nothing"]) == 1
    assert "expected some of retinaface" in capsys.readouterr().err


def test_command_fetches(
    server: BadServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed = (pinned(server), RETINAFACE_RESNET50)
    monkeypatch.setattr("pass_dataset.commands.weights.ALL_WEIGHTS", listed)
    monkeypatch.setattr("pass_dataset.commands.weights.RANKING_WEIGHTS", ())
    assert main(["weights", "--fetch", "--dir", str(tmp_path / "new")]) == 0
    assert (tmp_path / "new" / "weights.pth").read_bytes() == CONTENT
    out = capsys.readouterr().out
    assert "verified" in out
    assert "missing" in out
    assert main(["weights", "retinaface-resnet50", "--fetch", "--dir", str(tmp_path)]) == 1
    assert "cannot be fetched" in capsys.readouterr().err
