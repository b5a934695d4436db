"""A release is written, read back, and the same each time."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import tarfile
from pathlib import Path

import pyarrow as pa
import pytest

from pass_dataset.archives.integrity import verify
from pass_dataset.archives.metadata import read_metadata, read_rows
from pass_dataset.archives.removals import RemovalList, read_removals
from pass_dataset.archives.tar_listing import list_tar
from pass_dataset.commands.curate.main import main
from pass_dataset.curate.release import writing
from pass_dataset.curate.release.settings import ReleaseSettings
from pass_dataset.curate.release.writing import run_release
from pass_dataset.curate.sampling.order import order_keys
from pass_dataset.curate.step_writer import begin_step
from pass_dataset.errors import CurationError, MetadataError, VerificationError
from pass_dataset.releases.release import read_release
from tests.support.curation import Curation, hash_of, photograph, small_jpeg

SETTINGS = ReleaseSettings("birds", "1.0.0", tars=3)


def missing_every_tenth(number: int) -> bytes | None:
    return None if number % 10 == 9 else small_jpeg(number)


def made(path: Path, photographs: int = 30, shard_size: int = 12) -> Curation:
    curation = Curation(path, [photograph(number) for number in range(photographs)], shard_size)
    curation.fetch(missing_every_tenth)
    scores = {"face_score": [number / 100 for number in range(photographs)]}
    return curation.say("filter", {0: "face", 1: "face", 2: "person"}, **scores)


@pytest.fixture(scope="module")
def curation(tmp_path_factory: pytest.TempPathFactory) -> Curation:
    """30 photographs, of which 3 are missing and 3 have people."""
    return made(tmp_path_factory.mktemp("made") / "curation")


@pytest.fixture(scope="module")
def birds(curation: Curation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release of what is left."""
    out = tmp_path_factory.mktemp("released") / "birds"
    run_release(curation.folder, SETTINGS, out)
    return out


def sums(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.suffix in (".tar", ".csv", ".tsv")
    }


def test_all_are_in_it_unchanged(curation: Curation, birds: Path) -> None:
    left = [row["hash"] for row in curation.left()]
    assert len(left) == 24
    _, keys = order_keys(pa.array(left), 0)
    in_order = [name for _, name in sorted(zip(keys.tolist(), left, strict=True))]
    found = []
    for number in range(3):
        with tarfile.open(birds / f"birds.{number}.tar") as tar:
            members = tar.getmembers()
            assert [member.name for member in members[:2]] == [
                "PASS_dataset",
                f"PASS_dataset/{number}",
            ]
            for member in members[2:]:
                assert member.name.startswith(f"PASS_dataset/{number}/")
                name = member.name.rpartition("/")[2].removesuffix(".jpg")
                opened = tar.extractfile(member)
                assert opened is not None
                assert opened.read() == curation.bodies[name]
                assert (member.mtime, member.uid, member.gid, member.mode) == (0, 0, 0, 0o644)
                found.append(name)
            assert len(members) == 10
    assert found == in_order


def test_table_has_the_columns_of_pass_and_the_credit(birds: Path) -> None:
    path = birds / "birds_metadata.csv"
    lines = path.read_text().splitlines()
    assert lines[0] == (
        ",unickname,datetaken,licensename,hash,latitude,longitude,"
        "title,pageurl,licenseurl,uid,photoid,downloadurl"
    )
    assert lines[1].split(",") == [
        "3",
        "user+3%3C3",
        "2007-05-04 06:11:48.0",
        "Attribution License",
        hash_of(3),
        "53.535233",
        "-113.565075",
        "No.+3%2C+%22a+view%22",
        "http://www.flickr.com/photos/30000@N00/1000003/",
        "http://creativecommons.org/licenses/by/2.0/",
        "30000@N00",
        "1000003",
        photograph(3)["download_url"],
    ]
    table = read_metadata(path)
    assert table.num_rows == 24
    assert table["creator"][0].as_py() == "user+3%3C3"
    assert table["date_taken"].null_count == 4
    numbers = [int(row) for row in read_rows(path, [""])[""].to_pylist()]
    assert numbers == sorted(numbers)


def test_papers(birds: Path) -> None:
    release = read_release(birds / "birds-1.0.0.tsv")
    assert (release.label, release.num_examples) == ("birds 1.0.0", 24)
    assert verify(birds).is_whole
    assert verify(birds).unknown == ()
    card = (birds / "README.md").read_text()
    assert "license: cc-by-2.0\n" in card
    assert "24 photographs by 5 photographers" in card
    sheet = (birds / "DATASHEET.md").read_text()
    assert "**2.2 How many are there?** 24 photographs by 5 photographers" in sheet
    assert "Nobody" not in sheet
    assert "3 by detectors" in sheet
    assert "No person has looked at the photographs." in sheet
    assert "Duplicates were not looked for." in sheet
    assert "- Fetched: 27 of 30; not: 3 missing on the server" in sheet
    assert (
        "**1.2 Who made it, and for whom?** *To be answered by the author (question 1.2).*" in sheet
    )
    assert "`pass-curate alive` does it" in sheet
    description = json.loads((birds / "croissant.json").read_text())
    assert description["license"] == ["http://creativecommons.org/licenses/by/2.0/"]
    sizes = {file["name"]: file.get("sha256") for file in description["distribution"]}
    assert sizes["birds.0.tar"] == release.files[0].sha256
    figure = (birds / "funnel.svg").read_text()
    assert figure.startswith("<svg")
    assert "− 2 with faces, − 1 with people" in figure


def test_same_bytes_of_the_same_curation(birds: Path, tmp_path: Path) -> None:
    """Shards, and where it is, are nothing to the tars; the CSV numbers rows as the ledger does."""
    other = made(tmp_path / "other", shard_size=7)
    run_release(other.folder, SETTINGS, tmp_path / "again")
    assert sums(tmp_path / "again") == sums(birds)


class _Cut(Exception):
    """Where a run is cut."""


def test_goes_on(
    curation: Curation, birds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def cut(*args: object) -> object:
        if len(written) == 2:
            raise _Cut
        written.append(args[2])
        return write_tar(*args)

    write_tar = writing.write_tar
    monkeypatch.setattr(writing, "write_tar", cut)
    with pytest.raises(_Cut):
        run_release(curation.folder, SETTINGS, tmp_path)
    assert not (tmp_path / "birds-1.0.0.tsv").exists()
    written[:] = [0]
    run_release(curation.folder, SETTINGS, tmp_path)
    assert written == [0, 2]
    assert sums(tmp_path) == sums(birds)
    # Done is done: nothing is written again.
    before = (tmp_path / "birds.0.tar").stat().st_mtime_ns
    run_release(curation.folder, SETTINGS, tmp_path)
    assert (tmp_path / "birds.0.tar").stat().st_mtime_ns == before


def test_other_settings_are_refused(curation: Curation, birds: Path) -> None:
    with pytest.raises(CurationError, match="tars: it was begun with 3, asked for is 4"):
        run_release(curation.folder, ReleaseSettings("birds", "1.0.0", tars=4), birds)


def test_folder_of_somebody_else(curation: Curation, tmp_path: Path) -> None:
    (tmp_path / "theirs.tar").write_bytes(b"")
    with pytest.raises(CurationError, match=r"has theirs\.tar already"):
        run_release(curation.folder, SETTINGS, tmp_path)


def test_excluded(curation: Curation, birds: Path, tmp_path: Path) -> None:
    """They are not in the release, and count; nothing else moves but into the place before."""
    path = tmp_path / "removed.txt"
    gone = [hash_of(4), hash_of(17)]
    # One as others print MD5 sums, one that no curation knows, one by the bytes of its file.
    by_sum = hashlib.sha256(curation.bodies[hash_of(20)]).hexdigest().upper()
    lines = [f"PASS_dataset/1/{gone[0]}.jpg", gone[1].upper(), "ab" * 16, by_sum]
    path.write_text("\n".join([*lines, f"sha256:{by_sum}", "cd" * 32]))
    gone.append(hash_of(20))
    done = run_release(curation.folder, SETTINGS, tmp_path / "v2", exclude=read_removals(path))
    assert done.release.num_examples == 21
    assert done.funnel.stages[-1].causes == {"excluded": 3}
    assert "3 on the list of what is excluded" in (tmp_path / "v2" / "DATASHEET.md").read_text()
    before, after = (
        [name for number in range(3) for name in list_tar(folder / f"birds.{number}.tar").hashes]
        for folder in (birds, tmp_path / "v2")
    )
    assert after == [name for name in before if name not in gone]


def test_bad_list_releases_nothing(curation: Curation, tmp_path: Path) -> None:
    path = tmp_path / "removed.txt"
    path.write_text("my favourite bird\n")
    out = tmp_path / "out"
    with pytest.raises(CurationError, match="can be no hash"):
        run_release(curation.folder, SETTINGS, out, exclude=read_removals(path))
    path.write_text("")
    with pytest.raises(MetadataError):
        read_removals(path)
    assert not out.exists()


def test_damaged_tar_is_named(tmp_path: Path) -> None:
    curation = made(tmp_path / "curation")
    path = curation.folder.work_path("fetch") / "tars" / "000001.tar"
    place = curation.left(["hash", "tar_offset"])[-5]
    data = bytearray(path.read_bytes())
    offset = place["tar_offset"] if place["row"] // 12 == 1 else 512
    data[offset + 30] ^= 1
    path.write_bytes(data)
    with pytest.raises(CurationError, match=r"000001.tar: \w+: expected .* the tar is damaged"):
        run_release(curation.folder, SETTINGS, tmp_path / "out")
    path.unlink()
    with pytest.raises(CurationError, match="missing; a release needs the tars"):
        run_release(curation.folder, SETTINGS, tmp_path / "out")


def test_what_is_written_is_read_back(
    curation: Curation, birds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that keeps something else is found out, and the next run writes that file again."""
    write_table = writing.write_table

    def spoiling(*args: object) -> object:
        done = write_table(*args)
        tar = tmp_path / "birds.1.tar"
        data = bytearray(tar.read_bytes())
        data[5000] ^= 1
        tar.write_bytes(data)
        return done

    monkeypatch.setattr(writing, "write_table", spoiling)
    with pytest.raises(VerificationError, match=r"birds.1.tar: corrupt"):
        run_release(curation.folder, SETTINGS, tmp_path)
    monkeypatch.undo()
    run_release(curation.folder, SETTINGS, tmp_path)
    assert sums(tmp_path) == sums(birds)


def test_too_few(curation: Curation, tmp_path: Path) -> None:
    with pytest.raises(CurationError, match="24 photographs are left for 25 tars"):
        run_release(curation.folder, ReleaseSettings("birds", "1.0.0", tars=25), tmp_path / "out")
    everyone = [row["hash"] for row in curation.left()]
    with pytest.raises(CurationError, match="0 photographs are left"):
        run_release(
            curation.folder, SETTINGS, tmp_path / "out", exclude=RemovalList(frozenset(everyone))
        )


def test_step_that_is_not_done(tmp_path: Path) -> None:
    curation = made(tmp_path / "curation")
    begin_step(curation.ledger, "draw", {})
    with pytest.raises(CurationError, match="draw is begun and not done"):
        run_release(curation.folder, SETTINGS, tmp_path / "out")
    early = Curation(tmp_path / "early", [photograph(0)])
    with pytest.raises(CurationError, match="release needs fetch to be done first"):
        run_release(early.folder, SETTINGS, tmp_path / "out")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "My Birds"}, "name: expected a-z"),
        ({"version": "1"}, "version: expected X.Y.Z"),
        ({"tars": 0}, "tars: expected 1 or more"),
    ],
)
def test_bad_settings(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReleaseSettings(**{"name": "birds", "version": "1.0.0", **values})


def test_people_are_not_promised_away(tmp_path: Path) -> None:
    """Without a filter the datasheet says that nobody looked."""
    curation = Curation(tmp_path / "c", [photograph(n) for n in range(3)]).fetch()
    run_release(curation.folder, ReleaseSettings("all", "1.0.0", tars=1), tmp_path / "out")
    sheet = (tmp_path / "out" / "DATASHEET.md").read_text()
    assert "Nobody looked for people: there may be people in any photograph." in sheet
    assert "None was drawn: all that went through the other steps are in it." in sheet


def test_command(
    curation: Curation,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    list_path = tmp_path / "removed.txt"
    list_path.write_text(f"{hash_of(5)}\n{'cd' * 16}\n")
    out = tmp_path / "out"
    command = ["release", str(curation.path), "--out", str(out), "--tars", "2"]
    command += ["--name", "birds", "--version", "2.0.0", "--exclude", str(list_path)]
    with caplog.at_level(logging.INFO):
        assert main(command) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith(f"{out}: birds 2.0.0, 23 photographs, ")
    assert told[0].endswith(", whole")
    assert told[1] == "  excluded 1"
    assert told[2].startswith("DATASHEET.md leaves ")
    assert io.BytesIO((out / "birds.0.tar").read_bytes()).read(12) == b"PASS_dataset"
    assert main(["release", str(curation.path), "--out", str(out), "--name", "x"]) == 1
    assert "version is missing" in capsys.readouterr().err
