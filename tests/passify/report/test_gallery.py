"""Images for the report: blurred by boxes, and not shown where they cannot be."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pass_dataset.passify.report.gallery import Gallery, ShownImage, make_gallery
from pass_dataset.passify.report.survey import Choices, make_survey
from pass_dataset.passify.runs.outcomes import Thresholds
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.schema import ImageResult
from tests.support.passify import encoded
from tests.support.runs import box, found, make_run

EVERYTHING = Choices(examples=50, sample=50)


def detail(shown: ShownImage, area: tuple[slice, slice]) -> float:
    """Mean difference of neighbouring pixels in a part of the picture."""
    assert shown.picture is not None
    with Image.open(io.BytesIO(shown.picture.data)) as image:
        pixels = np.asarray(image.convert("L")).astype(np.int16)[area]
    return float(np.abs(np.diff(pixels, axis=1)).mean())


def gallery_of(
    tmp_path: Path,
    finder: Callable[[ImageResult], None],
    thresholds: Thresholds | None = None,
    **options: bool,
) -> dict[str, ShownImage]:
    """The one image ``noise.png``, 200×100 of noise, as a report shows it."""
    source = tmp_path / "source"
    source.mkdir(exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 256, (100, 200, 3)).astype(np.uint8)
    (source / "noise.png").write_bytes(encoded(noise))
    results = Results(make_run(tmp_path / "run", source, finder))
    thresholds = thresholds or Thresholds()
    survey = make_survey(results, thresholds, EVERYTHING)
    gallery = make_gallery(results, survey, thresholds, **options)
    images = {"shown": [*gallery.shown.values()], "sample": [*gallery.sample.values()]}
    return {name: found[0] for name, found in images.items() if found}


LEFT, RIGHT = (slice(None), slice(5, 85)), (slice(None), slice(125, 195))
LEFT_BOX = (0, 0, 90, 100)


def face_on_the_left(score: float) -> Callable[[ImageResult], None]:
    def finder(row: ImageResult) -> None:
        found(row, "face", [box(*LEFT_BOX, score)])
        found(row, "person", [])

    return finder


@pytest.mark.parametrize("score", [0.9, 0.45, 0.03])
def test_what_was_found_is_blurred_at_any_score(tmp_path: Path, score: float) -> None:
    shown = gallery_of(tmp_path, face_on_the_left(score))["shown"]
    assert detail(shown, LEFT) < 3
    assert detail(shown, RIGHT) > 30
    (outline,) = shown.outlines
    assert outline.is_flagged == (score > 0.5)
    assert outline.box["x2"] == 90


def test_people_are_blurred_too(tmp_path: Path) -> None:
    def finder(row: ImageResult) -> None:
        found(row, "face", [])
        found(row, "person", [box(*LEFT_BOX, 0.5)])

    shown = gallery_of(tmp_path, finder)["shown"]
    assert detail(shown, LEFT) < 3
    assert shown.outlines[0].is_flagged  # from the threshold on


def test_no_blur(tmp_path: Path) -> None:
    shown = gallery_of(tmp_path, face_on_the_left(0.9), blur=False)["shown"]
    assert detail(shown, LEFT) > 30
    assert len(shown.outlines) == 1


def test_score_without_a_box_blurs_all(tmp_path: Path) -> None:
    """With a threshold below the storing one there is no telling where the face is."""

    def finder(row: ImageResult) -> None:
        found(row, "face", [], 0.015)
        found(row, "person", [])

    shown = gallery_of(tmp_path, finder, Thresholds(face=0.01))["shown"]
    assert detail(shown, RIGHT) < 3


def test_sample_for_the_eye(tmp_path: Path) -> None:
    """It hides nothing; the same image among those nearest a threshold stays blurred."""
    images = gallery_of(tmp_path, face_on_the_left(0.4), sample_pictures=True)
    assert detail(images["sample"], LEFT) > 30
    assert images["sample"].outlines == ()
    assert detail(images["shown"], LEFT) < 3
    shutil.rmtree(tmp_path / "run")
    assert gallery_of(tmp_path, face_on_the_left(0.4))["sample"].picture is None


# --- what cannot be shown -------------------------------------------------------------------------


def gallery(results: Results, **options: bool) -> Gallery:
    survey = make_survey(results, Thresholds(), EVERYTHING)
    return make_gallery(results, survey, Thresholds(), **options)


def by_path(found: Gallery) -> dict[str, ShownImage]:
    return {shown.row.path: shown for shown in found.shown.values()}


def test_only_what_came_to_a_detector_has_a_picture(results: Results) -> None:
    shown = by_path(gallery(results))
    assert shown["a/face.png"].picture is not None
    assert shown["\\a/caf\\xe9 \\xff.png"].picture is not None
    for path in ("c/empty.jpg", "c/page.jpg", "c/cut.png", "c/grey.png"):
        assert shown[path].picture is None
        assert shown[path].problem == ""
        assert shown[path].row.message


def test_images_that_are_gone_or_changed(photos: Path, tmp_path: Path) -> None:
    source = Path(shutil.copytree(photos, tmp_path / "photos"))
    from tests.passify.report.conftest import squares

    results = Results(make_run(tmp_path / "run", source, squares))
    (source / "a" / "face.png").unlink()
    shutil.copy(source / "a" / "kept.png", source / "a" / "person.png")
    found = gallery(results)
    shown = by_path(found)
    assert shown["a/face.png"].problem == "No such file or directory"
    assert shown["a/person.png"].problem == "the file has changed since the run"
    assert shown["b/both.png"].picture is not None
    assert [image.row.path for image in found.not_shown] == ["a/face.png", "a/person.png"]
    shutil.rmtree(source)
    found = gallery(results)
    assert "no such file or folder" in found.source_problem
    assert all(image.picture is None for image in found.shown.values())
    assert by_path(found)["b/both.png"].problem == "the source cannot be read"


def test_pass_archive_as_the_source(tmp_path: Path) -> None:
    """Images within tars; the mini release, which the package brings."""
    import pass_dataset.archives.mini
    from pass_dataset.passify.sources.opening import SourceSettings

    archives = Path(pass_dataset.archives.mini.__file__).parent / "archives"
    copy = shutil.copytree(archives, tmp_path / "archives")
    shutil.copy(archives.parent / "pass_mini.tsv", copy)
    source = SourceSettings(str(copy), "pass", release=str(copy / "pass_mini.tsv"))
    results = Results(make_run(tmp_path / "run", source))
    assert results.plan.images == 64
    shown = gallery(results).shown
    assert len(shown) > 20
    assert all(image.picture is not None for image in shown.values())
