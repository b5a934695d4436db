"""A curation by one settings file with a ranking in it, by the networks that are the default."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw, ImageFont

from pass_dataset import PassArchive
from pass_dataset.commands.curate.main import main
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from tests.support.curation import own_collection, small_jpeg

pytestmark = pytest.mark.slow

SETTINGS = """
steps = ["select", "fetch", "rank", "balance", "draw", "release"]
metadata = ["mine.csv"]

[select]
shard_rows = 8

[rank]
rankers = ["opennsfw", "text"]

[balance]
per_photographer = 4
sample = 0

[draw]
count = 15

[release]
name = "birds"
version = "1.0.0"
tars = 2
"""
PHOTOGRAPHS, PLANTED, BROKEN = 22, 13, 5


@pytest.fixture
def made(tmp_path: Path, shared: Path) -> Path:
    """Photographs of which one has a number plate, and one cannot be decoded."""
    own_collection(tmp_path, PHOTOGRAPHS)
    with Image.open(shared / "images" / "coffee.jpg") as opened:
        image = opened.convert("RGB").resize((480, 320))
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, 200, 60), "white", "black")
    draw.text((30, 24), "HN48 KXA", "black", ImageFont.load_default(24))
    image.save(tmp_path / "images" / f"{PLANTED:04}.jpg")
    # Cut, and ended anew: what `fetch` looks at is there.
    cut = small_jpeg(BROKEN)[:-300] + b"\xff\xd9"
    (tmp_path / "images" / f"{BROKEN:04}.jpg").write_bytes(cut)
    (tmp_path / "settings.toml").write_text(SETTINGS)
    return tmp_path


def test_from_beginning_to_end(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pycurl")
    pytest.importorskip("rapidocr")
    path = made / "curation"
    run = ("run", str(made / "settings.toml"), "--out", str(path))
    assert main([*run, "--release-dir", str(made / "release")]) == 0
    told = capsys.readouterr().out
    assert f"rank: {PHOTOGRAPHS} photographs came, {PHOTOGRAPHS} went on" in told

    ledger = Ledger(CurationFolder(path))
    steps = ledger.steps()
    assert [step.name for step in steps] == ["select", "fetch", "rank", "balance", "draw"]
    for before, step in itertools.pairwise(steps):
        assert step.came == before.left == step.left + sum(step.causes.values())
    rank = steps[2]
    assert not rank.causes
    assert (rank.left, rank.details) == (
        PHOTOGRAPHS,
        {"ranked": PHOTOGRAPHS - 1, "problems": {"truncated": 1}},
    )

    assert main(["ledger", str(path), "--out", str(made / "ledger.parquet")]) == 0
    rows = pq.read_table(made / "ledger.parquet").to_pylist()
    assert len(rows) == PHOTOGRAPHS
    scores = ("nsfw_score", "text_score", "plate_score", "email_score", "telephone_score",
              "web_score", "name_score")  # fmt: skip
    for row in rows:
        is_broken = row["path"].endswith(f"{BROKEN:04}.jpg")
        assert row["rank_problem"] == ("truncated" if is_broken else None)
        for name in scores:
            assert (row[name] is None) if is_broken else (0 <= row[name] <= 1)
    (planted,) = (row for row in rows if row["path"].endswith(f"{PLANTED:04}.jpg"))
    assert planted["plate_score"] == max(row["plate_score"] or 0 for row in rows) > 0.8
    assert [box["kind"] for box in planted["text_boxes"]].count("plate") == 1

    capsys.readouterr()
    assert main(["top", str(path), "--by", "plate", "-n", "1", "--json"]) == 0
    (first,) = json.loads(capsys.readouterr().out)
    assert first["image"] == planted["hash"]
    assert main(["explain", str(path), planted["hash"]]) == 0
    assert "plate_score" in capsys.readouterr().out
    # What was read is nowhere, and what is drawn is released.
    assert "KXA" not in (made / "ledger.parquet").read_bytes().decode(errors="replace")
    assert len(PassArchive(made / "release")) == steps[-1].left == 15
