"""`pass-dataset stats`: what it prints and writes, and what it says of folders it cannot use."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pass_dataset.archives import mini
from pass_dataset.commands.main import main
from tests.support.collection import Collection

MINI = Path(mini.__file__).parent


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs it in a folder of its own."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def call(*arguments: object) -> tuple[int, str, str]:
        code = main(["stats", *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_mini(run) -> None:
    code, out, _ = run(MINI / "archives", "--release", MINI / "pass_mini.tsv")
    assert code == 0
    assert out.splitlines()[:5] == [
        "pass_mini 1.0.0: 64 images, 1,248,898 bytes (1.2 MiB)",
        "GPS: 26 images (40.6\xa0%)",
        out.splitlines()[2],
        "photographers: 22, with 8 images at most; 0 with over 80",
        "headers: 64 read (all images), 0 unreadable, 0 with a camera's name",
    ]
    assert out.splitlines()[2].startswith("dates: 59 images (92.2\xa0%); 0 unreadable, 0 after 20")
    written = sorted(path.name for path in Path.cwd().iterdir())
    assert written == ["pass_mini-1.0.0-stats.html", "pass_mini-1.0.0-stats.json"]
    assert json.loads(Path(written[1]).read_text())["images"] == 64


def test_names_of_the_files(run, everything: Collection) -> None:
    everything.describe()
    archives = (everything.folder, "--release", everything.tsv)
    assert run(*archives, "--out", "new/page.html")[0] == 0
    assert Path("new/page.json").is_file()
    code, out, _ = run(*archives, "--out", "p.html", "--figures", "j.json")
    assert (code, Path("j.json").is_file(), Path("p.json").exists()) == (0, True, False)
    assert f"p.html: {Path('p.html').stat().st_size:,} bytes" in out


def test_two_files_have_two_names(run, everything: Collection) -> None:
    everything.describe()
    for names in (["--out", "a.json"], ["--out", "a", "--figures", "a"]):
        code, _, err = run(everything.folder, "--release", everything.tsv, *names)
        assert (code, "give another --figures FILE" in err) == (1, True)
    assert not list(Path.cwd().iterdir())


def test_unreadable_headers_are_named(run, everything: Collection) -> None:
    everything.describe()
    code, out, _ = run(everything.folder, "--release", everything.tsv, "--all-images")
    assert code == 0
    assert "headers: 8 read (all images), 1 unreadable, 3 with a camera's name" in out
    assert f"  {everything.hashes[5]} in PASS.1.tar at byte " in out


def test_no_headers(run, everything: Collection) -> None:
    everything.describe()
    code, out, _ = run(everything.folder, "--release", everything.tsv, "--sample", "0")
    assert (code, "headers" in out) == (0, False)


def test_missing_tar_and_parts(run, everything: Collection) -> None:
    everything.describe()
    code, out, _ = run(everything.folder, "--release", everything.tsv, "--parts", "1")
    assert (code, "4 images" in out, "not there" in out) == (0, True, False)
    everything.tar(0).unlink()
    code, out, _ = run(everything.folder, "--release", everything.tsv)
    assert code == 0
    assert "not there, and not counted: PASS.0.tar" in out
    code, _, err = run(everything.folder, "--release", everything.tsv, "--parts", "0")
    assert code == 1
    assert "PASS.0.tar is missing; pass-dataset download fetches it" in err


def test_no_metadata(run, everything: Collection) -> None:
    everything.describe()
    everything.csv.unlink()
    code, _, err = run(everything.folder, "--release", everything.tsv)
    assert code == 1
    assert "pass_metadata.csv of pass 1.0.0 is missing" in err
    assert not list(Path.cwd().iterdir())


def test_no_folder(run, tmp_path: Path) -> None:
    code, _, err = run(tmp_path / "nothing")
    assert code == 1
    assert "expected an archive folder, found nothing" in err


def test_folder_of_several_releases(run, everything: Collection, tmp_path: Path) -> None:
    """As other commands that read archives: the sub-folder is named like the version."""
    everything.describe()
    shutil.move(everything.folder, tmp_path / "all" / "1.0.0")
    code, out, _ = run(tmp_path / "all", "--release", everything.tsv)
    assert (code, "8 images" in out) == (0, True)


def test_empty_collection(run, tmp_path: Path) -> None:
    made = Collection(tmp_path / "archives", tars=2, per_tar=0)
    made.describe()
    code, out, _ = run(made.folder, "--release", made.tsv)
    assert code == 0
    assert out.startswith("pass 1.0.0: 0 images, 0 bytes\nGPS: 0 images (–)\n")


@pytest.mark.parametrize(
    "arguments", [["--sample", "-1"], ["--sample", "few"], ["--sample", "5", "--all-images"]]
)
def test_wrong_usage(run, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run("folder", *arguments)
    assert caught.value.code == 2


def test_page_that_cannot_be_written(run, everything: Collection) -> None:
    everything.describe()
    Path("file").write_text("")
    code, _, err = run(everything.folder, "--release", everything.tsv, "--out", "file/page.html")
    assert code == 1
    assert "file" in err
