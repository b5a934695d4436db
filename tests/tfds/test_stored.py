"""A build compared with its archives: every kind of damage is found and named."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pass_dataset.archives.ensure import open_mini
from pass_dataset.archives.mini import ARCHIVES, CHECKSUMS
from pass_dataset.builds.reading.comparison import Finding, FindingKind, verify_build
from pass_dataset.builds.stored_build import Damage
from pass_dataset.commands import main as cli
from pass_dataset.errors import FolderError, UnreadableBuildError
from pass_dataset.tfds.stored import find_build
from pass_dataset.tfds.stored_shards import read_shard
from tests.support.official import make_official
from tests.support.tfds_builds import edited, rewrite, shard_of, value_of

tfds = pytest.importorskip("tensorflow_datasets")

FORMATS = ("tfrecord", "array_record", "parquet")


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """`pass_mini` in every format: the folders of the version."""
    made = {}
    for file_format in FORMATS:
        folder = tmp_path_factory.mktemp(file_format)
        builder = tfds.builder("pass_mini", data_dir=str(folder), file_format=file_format)
        builder.download_and_prepare()
        made[file_format] = Path(builder.data_dir)
    return made


@pytest.fixture
def build(builds: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy to damage, TFRecord unless the test says otherwise."""
    return copied(builds[getattr(request, "param", "tfrecord")], tmp_path)


def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "data" / "pass_mini" / "1.0.0"))


def flip(path: Path, position: int) -> None:
    with path.open("r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ 1]))


def frame_starts(path: Path) -> list[int]:
    """Where the frames of a TFRecord file begin."""
    data, starts, position = path.read_bytes(), [], 0
    while position < len(data):
        starts.append(position)
        position += 16 + struct.unpack_from("<Q", data, position)[0]
    return starts


def findings(build: Path) -> tuple[Finding, ...]:
    found = verify_build(build)
    assert found.is_right == (not found.findings)
    assert sum(found.counts.values()) == len(found.findings)
    return found.findings


def by_kind(found: Sequence[Finding]) -> dict[FindingKind, list[Finding]]:
    return {kind: [item for item in found if item.kind is kind] for kind in {f.kind for f in found}}


# --- right builds ---------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", FORMATS)
def test_right(builds: dict[str, Path], file_format: str) -> None:
    found = verify_build(builds[file_format])
    assert found.is_right
    assert found.findings == ()
    assert (found.num_expected, found.num_read) == (64, 64)
    assert found.build.file_format == file_format
    # A data folder is as good as a version's folder.
    assert verify_build(builds[file_format].parent.parent).build.folder == builds[file_format]


def test_needs_no_tensorflow(builds: dict[str, Path]) -> None:
    code = (
        "import sys; from pass_dataset.commands.main import main\n"
        f"codes = [main(['verify-build', folder]) for folder in {[*map(str, builds.values())]!r}]\n"
        "print(codes, 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[0, 0, 0] False"


def test_official_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pass_dataset.releases.release import official_release

    with monkeypatch.context() as patch:
        made = make_official(tmp_path / "archives")
        made.publish(patch)
        patch.setenv("PASS_ARCHIVES", str(made.root))
        tfds.builder("pass", data_dir=str(tmp_path / "tfds")).download_and_prepare()
        assert verify_build(tmp_path / "tfds").is_right
        assert verify_build(tmp_path / "tfds", archives=made.root / "3.0.0").is_right
        with pytest.raises(UnreadableBuildError, match=r"is version 3\.0\.0, but .* holds PASS 2"):
            verify_build(tmp_path / "tfds", archives=made.root / "2.0.0")
    official_release.cache_clear()


def test_parts(build: Path, tmp_path: Path) -> None:
    kept = {record.hash for record in open_mini()[:14]}  # parts 0 and 1
    rewrite(build, lambda rows: [r for r in rows if value_of(r, "image/hash").decode() in kept])
    info = json.loads((build / "dataset_info.json").read_text())
    info["splits"][0]["shardLengths"] = ["14"]
    (build / "dataset_info.json").write_text(json.dumps(info))
    assert verify_build(build).counts == {FindingKind.MISSING: 50}
    # A copy, because an archive folder gets an index.
    arguments = {"archives": shutil.copytree(ARCHIVES, tmp_path / "mini"), "release": CHECKSUMS}
    assert verify_build(build, parts=[0, 1], **arguments).is_right
    assert verify_build(build, parts=[0, 1, 2], **arguments).counts == {FindingKind.MISSING: 7}
    # The folder's name tells as well, as does that of a build cut short.
    for config, missing in (("parts_0-1", 0), ("mini_1f3a90c2-parts_0_1_3", 7), ("first_14", 0)):
        (build / "dataset_info.json").write_text(json.dumps({**info, "configName": config}))
        assert verify_build(build, **arguments).counts.get(FindingKind.MISSING, 0) == missing


# --- damaged files --------------------------------------------------------------------------------


def test_flipped_byte_in_a_tfrecord(build: Path) -> None:
    shard = shard_of(build)
    records = list(read_shard(shard, "tfrecord"))
    assert isinstance(records[7], bytes)
    image = value_of(records[7], "image")
    start = frame_starts(shard)[7]
    flip(shard, shard.read_bytes().index(image) + len(image) // 2)
    (finding,) = findings(build)
    assert finding.kind is FindingKind.DAMAGED
    assert (finding.shard, finding.record) == (shard.name, 7)
    assert finding.hash == value_of(records[7], "image/hash").decode()
    assert f"wrong checksum of the frame at byte {start:,}" in finding.detail
    assert f"image: expected {len(image):,} bytes with SHA-256" in finding.detail


def test_every_byte_of_a_frame_counts(build: Path) -> None:
    shard = shard_of(build)
    whole = shard.read_bytes()
    start, end = frame_starts(shard)[20:22]
    for position in [*range(start, start + 12), start + 12, end - 5, *range(end - 4, end)]:
        flip(shard, position)
        found = by_kind(findings(build))
        # A wrong length loses the place where the next frame starts.
        kind = FindingKind.DAMAGED if FindingKind.DAMAGED in found else FindingKind.UNREADABLE
        assert found[kind][0].record == 20
        shard.write_bytes(whole)
    assert findings(build) == ()


def test_cut_tfrecord(build: Path) -> None:
    shard = shard_of(build)
    starts = frame_starts(shard)
    os.truncate(shard, starts[60] + 100)
    found = by_kind(findings(build))
    (damage,) = found[FindingKind.UNREADABLE]
    assert (damage.shard, damage.record) == (shard.name, 60)
    assert "the 100 bytes from there to the end" in damage.detail
    assert len(found[FindingKind.MISSING]) == 4
    assert "expected 64 records as described, found 60" in found[FindingKind.COUNT][0].detail


@pytest.mark.parametrize("build", ["array_record"], indirect=True)
def test_flipped_byte_in_an_array_record(build: Path) -> None:
    shard = shard_of(build)
    records = list(read_shard(shard, "array_record"))
    assert isinstance(records[7], bytes)
    flip(shard, shard.read_bytes().index(value_of(records[7], "image")[-200:]) + 100)
    found = by_kind(findings(build))
    (damage,) = found[FindingKind.DAMAGED]
    assert (damage.shard, damage.record) == (shard.name, 7)
    assert "hash mismatch" in damage.detail
    (missing,) = found[FindingKind.MISSING]
    assert missing.hash == value_of(records[7], "image/hash").decode()


@pytest.mark.parametrize("build", ["parquet"], indirect=True)
def test_flipped_byte_in_parquet(build: Path) -> None:
    shard = shard_of(build)
    records = list(read_shard(shard, "parquet"))
    assert isinstance(records[7], bytes)
    # Pixels do not compress, so the file has them as they are.
    flip(shard, shard.read_bytes().index(value_of(records[7], "image")[-200:]) + 100)
    (finding,) = findings(build)
    assert finding.kind is FindingKind.IMAGE
    assert (finding.shard, finding.record) == (shard.name, 7)
    assert finding.hash == value_of(records[7], "image/hash").decode()


@pytest.mark.parametrize("build", ["array_record", "parquet"], indirect=True)
def test_cut_files(build: Path) -> None:
    shard = shard_of(build)
    os.truncate(shard, shard.stat().st_size // 2)
    found = by_kind(findings(build))
    assert len(found[FindingKind.MISSING]) == 64
    (damage,) = found[FindingKind.UNREADABLE]
    assert (damage.shard, damage.record) == (shard.name, 0)
    assert "expected 64 records as described, found 0" in found[FindingKind.COUNT][0].detail


def test_missing_shard(build: Path) -> None:
    shard = shard_of(build)
    shard.unlink()
    found = by_kind(findings(build))
    assert found[FindingKind.NO_SHARD][0].shard == shard.name
    assert len(found[FindingKind.MISSING]) == 64


def test_unreadable_bytes_in_a_right_frame(build: Path) -> None:
    rewrite(build, lambda rows: [b"\xff\xff no example", *rows[1:]])
    found = by_kind(findings(build))
    assert found[FindingKind.DAMAGED][0].record == 0
    assert "not an example of this dataset" in found[FindingKind.DAMAGED][0].detail
    assert len(found[FindingKind.MISSING]) == 1


# --- wrong records --------------------------------------------------------------------------------


@pytest.mark.parametrize("build", FORMATS, indirect=True)
def test_changed_image(build: Path) -> None:
    rewrite(build, lambda rows: [edited(rows[0], image=b"\xff\xd8"), *rows[1:]])
    (finding,) = findings(build)
    assert finding.kind is FindingKind.IMAGE
    assert finding.record == 0
    assert "found 2 bytes with SHA-256" in finding.detail


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"image_creator_uname": b"someone"}, "image/creator_uname: expected '"),
        ({"image_date_taken": b"2001-01-01"}, "found '2001-01-01'"),
        ({"image_gps_lat": 12.5}, "image/gps_lat: expected "),
        ({"image_gps_lon": 0.0}, "image/gps_lon: expected "),
    ],
)
def test_changed_metadata(build: Path, changes: dict[str, object], text: str) -> None:
    rewrite(build, lambda rows: [*rows[:3], edited(rows[3], **changes), *rows[4:]])
    (finding,) = findings(build)
    assert finding.kind is FindingKind.METADATA
    assert finding.record == 3
    assert text in finding.detail


def test_missing_extra_and_duplicate(build: Path) -> None:
    rewrite(build, lambda rows: [edited(rows[0], image_hash=b"abc"), rows[2], *rows[2:], rows[5]])
    found = by_kind(findings(build))
    assert [finding.hash for finding in found[FindingKind.EXTRA]] == ["abc"]
    assert [finding.record for finding in found[FindingKind.DUPLICATE]] == [2, 64]
    assert len(found[FindingKind.MISSING]) == 2
    assert "PASS." in found[FindingKind.MISSING][0].detail
    assert "expected 64 records as described, found 65" in found[FindingKind.COUNT][0].detail


def test_findings_are_capped(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pass_dataset.builds.reading.comparison._KEPT", 10)
    shard_of(build).unlink()
    found = verify_build(build)
    assert found.counts[FindingKind.MISSING] == 64
    assert len(by_kind(found.findings)[FindingKind.MISSING]) == 10


def test_all_features_are_compared(builds: dict[str, Path]) -> None:
    from pass_dataset.tfds import stored_records as stored_records

    features = tfds.builder_from_directory(str(builds["tfrecord"])).info.features
    assert set(stored_records._FIELDS) == set(features)


# --- folders and the command ----------------------------------------------------------------------


def test_no_build(tmp_path: Path, builds: dict[str, Path]) -> None:
    with pytest.raises(UnreadableBuildError, match="no build of pass or pass_mini in it"):
        find_build(tmp_path)
    with pytest.raises(UnreadableBuildError, match="found nothing"):
        find_build(tmp_path / "absent")
    with pytest.raises(UnreadableBuildError, match="no build of pass in it"):
        find_build(builds["tfrecord"].parent.parent, "pass")


def test_the_newest_of_several_versions_of_the_whole(tmp_path: Path) -> None:
    for folder in ("pass/2.0.0", "pass/10.0.0", "pass/parts_0/11.0.0", "pass/incomplete.X_12.0.0"):
        path = tmp_path / folder
        path.mkdir(parents=True)
        config = "parts_0" if "parts" in folder else ""
        info = {"name": "pass", "version": path.name.split("_")[-1], "configName": config}
        info["moduleName"] = "pass_dataset.tfds.pass_dataset_builder"
        (path / "dataset_info.json").write_text(json.dumps(info))
    assert find_build(tmp_path) == tmp_path / "pass/10.0.0"
    (tmp_path / "other/1.0.0").mkdir(parents=True)
    (tmp_path / "other/1.0.0/dataset_info.json").write_text('{"name": "mnist", "version": "1.0.0"}')
    assert find_build(tmp_path) == tmp_path / "pass/10.0.0"
    info["name"], info["version"], info["configName"] = "pass_mini", "1.0.0", ""
    (tmp_path / "other/1.0.0/dataset_info.json").write_text(json.dumps(info))
    with pytest.raises(UnreadableBuildError, match="several datasets"):
        find_build(tmp_path)


def test_damaged_description(build: Path) -> None:
    (build / "features.json").write_text("{")
    with pytest.raises(UnreadableBuildError, match="description"):
        verify_build(build)


def test_archives_must_be_named(build: Path, tmp_path: Path) -> None:
    info = json.loads((build / "dataset_info.json").read_text())
    (build / "dataset_info.json").write_text(json.dumps({**info, "name": "pass"}))
    with pytest.raises(UnreadableBuildError, match="--archives"):
        verify_build(build)
    with pytest.raises(FolderError):
        verify_build(build, archives=tmp_path)


def test_command(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify-build", str(build)]) == 0
    assert "64 records, 64 expected" in capsys.readouterr().out
    rewrite(build, lambda rows: [edited(rows[0], image_date_taken=b"never"), *rows[1:]])
    assert cli.main(["verify-build", str(build)]) == 1
    printed = capsys.readouterr().out
    assert "pass_mini-train.tfrecord-00000-of-00001, record 0, " in printed
    assert "NOT right" in printed
    assert cli.main(["verify-build", str(build), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["counts"] == {"metadata differ": 1}
    assert found["findings"][0]["record"] == 0
    assert cli.main(["verify-build", str(build.parent / "absent")]) == 1


def test_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(UnreadableBuildError, match="riegeli"):
        list(read_shard(tmp_path / "shard", "riegeli"))
    assert [*read_shard(tmp_path / "absent", "tfrecord")] == [
        Damage("cannot be read: No such file or directory", ends_file=True)
    ]
