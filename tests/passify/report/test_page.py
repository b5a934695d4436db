"""The page: every part of it, one file, safe from what the names say."""

from __future__ import annotations

import html
import io
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from pass_dataset.commands.passify import main as cli
from pass_dataset.errors import RunError
from pass_dataset.passify.report.document import write_report
from pass_dataset.passify.report.survey import Choices
from pass_dataset.passify.runs.exclusions import Exclusions
from pass_dataset.passify.runs.outcomes import Thresholds
from pass_dataset.passify.runs.results import Results
from tests.passify.report.conftest import HOSTILE, squares
from tests.support.markup import ParsedPage
from tests.support.runs import FACES, PEOPLE, make_run

SECTIONS = [
    "What became of the images",
    "Scores",
    "By folder",
    "Examples of each reason",
    "Nearest the thresholds",
    "Check by hand",
    "How it was made",
]

Write = Callable[..., ParsedPage]


@pytest.fixture
def write(results: Results, tmp_path: Path) -> Write:
    """Writes the report with these options, and reads it."""

    def written(of: Results = results, **options: object) -> ParsedPage:
        out = write_report(of, out=tmp_path / "page" / "report.html", **options)  # type: ignore[arg-type]
        return ParsedPage(out.read_text(encoding="utf-8"))

    return written


def text_of(page: ParsedPage) -> str:
    return page.text("body").replace("\xa0", " ")


def pictures(page: ParsedPage) -> list[str]:
    return [str(attributes["src"]) for tag, attributes in page.tags if tag == "img"]


def test_has_every_section(write: Write) -> None:
    page = write()
    assert [name for name in SECTIONS if name in page.text("h2")] == SECTIONS
    text = text_of(page)
    assert "13 images" in text
    assert "Listed 13 100 % Decoded 9 69.2 %" in text
    assert "Without people 4 30.8 %" in text
    assert "− 1 empty file, 1 no image, 1 single colour, 1 end of the file missing" in text
    assert "Dropped where a face scores over 0.5 or a person scores at least 0.5." in text
    assert f"Faces retinaface 0.5 9 {FACES.weights_sha256}" in text
    assert f"People cascade-rcnn 0.5 6 {PEOPLE.weights_sha256}" in text
    for fact in ("Kind of source folder", "Throughput", "node-1", "Python", "pillow", "pyarrow"):
        assert fact in text
    assert "flagged another 2 %" in text
    assert "c/empty.jpg no bytes" in text


def test_bounds_are_said(write: Write) -> None:
    text = text_of(write(choices=Choices(sample=2)))
    assert (
        "Look at the 2 images below. If nobody is in any of them, then with 95 % confidence at "
        "most 77.6 % of the 4 kept images show people: no more than 3." in text
    )
    assert "2 images, drawn at random from those that are kept (seed 0)" in text
    text = text_of(write())
    assert "The 4 images below are all that are kept: who looks at them knows." in text
    assert "No image is kept." in text_of(write(thresholds=Thresholds(0, 0)))


def test_needs_no_other_file(results: Results, tmp_path: Path) -> None:
    out = write_report(results, out=tmp_path / "report.html")
    text = out.read_text()
    page = ParsedPage(text)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "iframe", "object", "embed", "base"})
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    links = [attributes["href"] for _, attributes in page.tags if "href" in attributes]
    assert all(link and link.startswith(("#", "data:")) for link in links)
    styles = "".join(re.findall(r"<style>(.*?)</style>", text, re.S))
    assert "url(" not in styles
    assert "@import" not in styles
    policy = [str(a["content"]) for tag, a in page.tags if a.get("http-equiv")]
    assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]
    assert len(pictures(page)) >= 10
    for source in pictures(page):
        with Image.open(
            io.BytesIO(b64decode(source.removeprefix("data:image/jpeg;base64,")))
        ) as im:
            im.load()


def test_every_picture_and_plot_says_what_it_is(write: Write) -> None:
    page = write()
    assert all(attributes.get("alt") for tag, attributes in page.tags if tag == "img")
    plots = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert plots
    assert all(plot.get("aria-label") or plot.get("aria-hidden") == "true" for plot in plots)
    labels = [str(plot.get("aria-label")) for plot in plots if plot.get("class") == "plot"]
    assert labels == [
        "Faces: histogram of 9 images; 3 of them are on the far side of the threshold of 0.5",
        "People: histogram of 6 images; 2 of them are on the far side of the threshold of 0.5",
    ]
    tables = sum(tag == "table" for tag, _ in page.tags)
    assert tables == sum(tag == "caption" for tag, _ in page.tags) >= 6


def test_hostile_names_stay_text(write: Write) -> None:
    page = write()
    assert "script" not in {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    # The one control character in it is escaped before it comes here (see `sources.names`).
    shown = HOSTILE.replace("/", "").replace("\x1b", r"\x1b")
    assert "".join(page.texts["code"]).count(shown) >= 3
    alts = [str(attributes["alt"]) for tag, attributes in page.tags if tag == "img"]
    assert any(shown in alt for alt in alts)
    assert "photos & <b>more<b>" in page.text("h1")
    assert r"\a/caf\xe9 \xff.png" in page.text("code")


def test_opt_out_list_is_not_even_named(write: Write) -> None:
    page = write(exclusions=Exclusions(paths=frozenset({"b/both.png", "a/kept.png"})))
    text = text_of(page)
    assert "both.png" not in text
    assert "a/kept.png" not in text
    assert "Not on the opt-out list 11" in text
    assert "shown to nobody" in text


def test_blurring_is_said(write: Write) -> None:
    assert "at any score, is replaced" in text_of(write())
    assert "Nothing is blurred in this report" in text_of(write(blur=False))
    blurred, plain = pictures(write()), pictures(write(blur=False))
    assert len(blurred) == len(plain)
    assert blurred != plain


def test_sample_as_names_or_pictures(write: Write) -> None:
    names = write(choices=Choices(examples=0, sample=3))
    assert pictures(names) == []
    shown = write(choices=Choices(examples=0, sample=3), sample_pictures=True)
    assert len(pictures(shown)) == 3
    assert "Nothing in these pictures is blurred" in text_of(shown)


def test_unfinished_run(photos: Path, tmp_path: Path, write: Write) -> None:
    run = make_run(tmp_path / "run", photos, squares, shard_size=4, missing={1, 3})
    text = text_of(write(Results(run)))
    assert "2 of 4 shards are missing" in text
    assert "8 images" in text
    empty = make_run(tmp_path / "empty", photos, squares, shard_size=100, missing={0})
    with pytest.raises(RunError, match="no shard is done yet"):
        write(Results(empty))


def test_undecided_images(write: Write) -> None:
    text = text_of(write(thresholds=Thresholds(face=0.9)))
    assert "3 images are undecided" in text
    assert "passify fill" in text
    assert "Decided 4" in text


def test_one_detector_only(photos: Path, tmp_path: Path, write: Write) -> None:
    def finder(row):  # type: ignore[no-untyped-def]
        squares(row)
        row.face_max_score = row.face_boxes = None

    run = make_run(tmp_path / "run", photos, finder, detectors=(PEOPLE,))
    text = text_of(write(Results(run)))
    assert "Nobody looked for faces" in text
    assert "Dropped where a person scores at least 0.5." in text
    assert "with faces" not in text.lower()
    assert "Without faces" not in text


def test_source_that_is_gone(tmp_path: Path, photos: Path, write: Write) -> None:
    import shutil

    source = Path(shutil.copytree(photos, tmp_path / "gone"))
    run = make_run(tmp_path / "run", source, squares)
    shutil.rmtree(source)
    page = write(Results(run))
    assert "The images cannot be shown, as the source cannot be read" in text_of(page)
    assert "Not shown: the source cannot be read" in text_of(page)
    assert pictures(page) == []


def test_only_bad_files(tmp_path: Path, write: Write) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.jpg").write_bytes(b"")
    text = text_of(write(Results(make_run(tmp_path / "run", tmp_path / "bad"))))
    assert "No image was scored." in text
    assert "No image is kept." in text
    assert "All images are in one folder." in text


def test_nothing_dropped(tmp_path: Path, photos: Path, write: Write) -> None:
    def finder(row):  # type: ignore[no-untyped-def]
        squares(row)
        row.face_max_score = 0.01
        row.person_max_score = 0.01

    source = tmp_path / "good"
    source.mkdir()
    (source / "a.png").write_bytes((photos / "a" / "kept.png").read_bytes())
    text = text_of(write(Results(make_run(tmp_path / "run", source, finder))))
    assert text.count("No image was dropped.") == 2


# --- the command ----------------------------------------------------------------------------------


def test_command(results: Results, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = results.folder.path
    assert cli.main(["report", str(folder), "--face", "0.7", "--sample", "2", "--seed", "5"]) == 0
    assert capsys.readouterr().out.startswith(f"{folder / 'report.html'}: ")
    page = ParsedPage((folder / "report.html").read_text())
    assert "face scores over 0.7" in text_of(page)
    assert "(seed 5)" in text_of(page)
    opt_out = tmp_path / "opt-out.txt"
    opt_out.write_text("b/both.png\n")
    out = tmp_path / "deep" / "x.html"
    assert cli.main(["report", str(folder), "--out", str(out), "--exclude", str(opt_out)]) == 0
    assert "both.png" not in out.read_text()


def test_command_fails_in_words(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["report", str(tmp_path)]) == 1
    assert "expected the folder of a run" in capsys.readouterr().err
    run = make_run(tmp_path / "run", photos, squares, shard_size=4, missing={0})
    assert cli.main(["report", str(run.path)]) == 1
    assert "1 of 4 shards are not done" in capsys.readouterr().err
    assert run.report_path.exists()
    (tmp_path / "file").touch()
    assert cli.main(["report", str(run.path), "--out", str(tmp_path / "file" / "x.html")]) == 1
    assert "file" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--sample", "-1"], ["--face", "2"], ["--examples", "x"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["report", "run", *arguments])
    assert ended.value.code == 2
    assert "expected" in capsys.readouterr().err


def test_escaping_is_not_doubled(write: Write) -> None:
    assert html.escape("&amp;") not in write().text("h1")


def test_settings_are_said(photos: Path, tmp_path: Path) -> None:
    from pass_dataset.passify.report.facts import describe_settings

    settings = make_run(tmp_path / "run", photos, squares).settings()
    told = dict(describe_settings(replace(settings, exclusions_sha256="ab" * 32, max_pixels=1000)))
    assert told["Opt-out list"] == "SHA-256 " + "ab" * 32
    assert told["Largest image"] == "1,000 pixels"
    assert told["Endings of names"] == "all of image files"
    assert told["Detectors see"] == "what is left, faces first"


def test_scores_next_to_the_threshold_are_told_from_it(
    photos: Path, tmp_path: Path, write: Write
) -> None:
    def finder(row):  # type: ignore[no-untyped-def]
        squares(row)
        row.face_max_score = 0.5000001 if "kept" in row.path else 0.49996

    page = write(Results(make_run(tmp_path / "run", photos, finder)))
    text = " ".join(page.texts["span"])
    assert "face 0.5000001" in text
    assert "face 0.49996" in text
