"""What decisions become: verdicts, lists, receipts, and a step of a curation's ledger."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pass_dataset.commands.curate.main import main
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import FIRST_STEP, Ledger
from pass_dataset.curate.review.folder import ReviewFolder
from pass_dataset.curate.review.listing import begin_review
from pass_dataset.curate.review.record import load_record
from pass_dataset.curate.review.settings import ReviewSettings
from pass_dataset.curate.review.step import run_review
from pass_dataset.curate.review.verdicts import collect, write_answer, write_decisions
from pass_dataset.curate.step_writer import begin_step
from pass_dataset.errors import CurationError
from tests.curate.review.conftest import (
    Begin,
    accept_all,
    accept_next,
    desk_of,
    draw,
    make_pictures,
)


def names(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_lists_and_receipt(begin: Begin) -> None:
    folder = begin(ReviewSettings(block=12, overlap=1.0))
    with desk_of(folder) as desk:
        accept_all(desk, "anna", _0001="person", _0002="plate")
        accept_all(desk, "ben", _0002="person")
        view = desk.next_page(desk.queue("disagreements").name, "carla", 6)
        assert view is not None
        desk.accept("carla", view.queue, (view.block, view.page), view.images)
    verdicts = collect(folder)
    write_answer(folder, verdicts)
    # 0001 was cleared by the second look; of 0002's flags the first in the settings counts.
    assert verdicts.flagged == {"person": 1}
    assert names(folder.removals_path) == ["0002"]
    assert names(folder.flagged_path) == ["0002.jpg\tperson\t2"]
    assert len(names(folder.kept_path)) == 59
    receipt = json.loads(folder.receipt_path.read_text())
    assert [(one["name"], one["looked"], one["flagged"]) for one in receipt["reviewers"]] == [
        ("anna", 60, 2),
        ("ben", 60, 1),
        ("carla", 0, 0),
    ]
    (two,) = receipt["agreement"]
    assert (two["both"], two["only_first"], two["only_second"], two["neither"]) == (1, 1, 0, 58)


def test_unseen_images(begin: Begin) -> None:
    folder = begin()
    with desk_of(folder) as desk:
        accept_next(desk, "anna")
    with pytest.raises(CurationError, match="nobody has looked at 54 images yet"):
        write_answer(folder, collect(folder))
    assert not folder.kept_path.exists()


@pytest.mark.parametrize(("unseen", "kept"), [("keep", 60), ("drop", 6)])
def test_unseen_images_where_settings_say(begin: Begin, unseen: str, kept: int) -> None:
    folder = begin(ReviewSettings(block=12, unseen=unseen))  # type: ignore[arg-type]
    with desk_of(folder) as desk:
        accept_next(desk, "anna")
    write_answer(folder, collect(folder))
    assert len(names(folder.kept_path)) == kept


def test_decisions_as_csv(begin: Begin, tmp_path: Path) -> None:
    folder = begin()
    with desk_of(folder) as desk:
        accept_all(desk, "anna", _0001="person")
    out = tmp_path / "decisions.csv"
    assert write_decisions(collect(folder), out) == 60
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert len(rows) == 60
    (flagged,) = [row for row in rows if row["flag"]]
    assert (flagged["image"], flagged["reviewer"], flagged["look"]) == ("0001.jpg", "anna", "first")


def test_gold_measures_reviewers(begin: Begin, tmp_path: Path) -> None:
    bad = make_pictures(tmp_path / "bad", 5)
    folder = begin(ReviewSettings(block=12, gold=1 / 12), bad=bad)
    with desk_of(folder) as desk:
        gold = desk.images.gold
        while (view := desk.next_page("all", "anna", 6)) is not None:
            place = (view.block, view.page)
            for image in view.images:
                # One of the known ones is missed.
                if image in gold[1:]:
                    desk.mark("anna", "all", place, image, "person", "")
            desk.accept("anna", "all", place, view.images)
    verdicts = collect(folder)
    (anna,) = verdicts.reviewers()
    assert (anna.gold.bad, anna.gold.missed) == (5, 1)
    assert anna.looked == 60
    assert anna.flagged == 0
    # Known images are no part of the answer.
    write_answer(folder, verdicts)
    assert len(names(folder.kept_path)) == 60


def test_sample_is_weighted_back(tmp_path: Path) -> None:
    curation = make_curation(tmp_path / "curation")
    folder = ReviewFolder(tmp_path / "review")
    begin_review(folder, curation.path, ReviewSettings(block=12))
    with desk_of(folder) as desk:
        queue = desk.queue("risk:face_score")
        scores = desk.images.column("face_score")[queue.rows]
        assert (np.diff(scores) <= 0).all()
        assert accept_all(desk, "anna", "sample:20:face_score") == 20
    strata = collect(folder).strata(folder, "sample:20:face_score")
    assert sum(one.images for one in strata) == 40
    assert sum(one.checked for one in strata) <= 20
    with pytest.raises(CurationError, match="is no sample"):
        collect(folder).strata(folder, "risk:face_score")
    with pytest.raises(CurationError, match="there is no queue"):
        collect(folder).strata(folder, "sample:9")


def make_curation(path: Path, per_shard: int = 20) -> CurationFolder:
    """Two shards of photographs that were selected, fetched and scored."""
    folder = CurationFolder(path)
    ledger = Ledger(folder)
    tars = folder.work_path("fetch") / "tars"
    tars.mkdir(parents=True)
    fetched, scored = [], []
    select = begin_step(ledger, FIRST_STEP, {})
    for shard in range(2):
        rows = np.arange(shard * per_shard, (shard + 1) * per_shard)
        hashes = [f"{row:032x}" for row in rows]
        picture = path / "picture.jpg"
        offsets, sizes = [], []
        with tarfile.open(tars / f"{shard:06d}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            for row, name in zip(rows, hashes, strict=True):
                draw(picture, int(row))
                tar.add(picture, f"PASS_dataset/0/{name}.jpg")
                info = tar.getmembers()[-1]
                offsets.append(info.offset_data)
                sizes.append(info.size)
        said = pa.table({"row": rows, "cause": pa.nulls(per_shard, pa.string()), "hash": hashes})
        select.write(shard, said)
        fetched.append(
            pa.table(
                {
                    "row": rows,
                    "cause": pa.nulls(per_shard, pa.string()),
                    "tar_offset": offsets,
                    "size_bytes": sizes,
                }
            )
        )
        scored.append(
            pa.table(
                {
                    "row": rows,
                    "cause": pa.nulls(per_shard, pa.string()),
                    "face_score": pa.array((rows * 7 % 40) / 2000, pa.float32()),
                }
            )
        )
    select.finish()
    for step, tables in (("fetch", fetched), ("filter", scored)):
        writer = begin_step(ledger, step, {})
        for shard, table in enumerate(tables):
            writer.write(shard, table)
        writer.finish()
    return folder


def test_curation_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reviewed by a script, written into the ledger, and the numbers add up."""
    curation = make_curation(tmp_path / "curation")
    folder = ReviewFolder(curation.work_path("review"))
    assert main(["review", str(curation.path), "--status", "--block", "12"]) == 1
    assert "0 images of 40 looked at" in capsys.readouterr().out
    flags = {f"_{row:032x}": flag for row, flag in ((3, "person"), (25, "plate"), (26, "plate"))}
    with desk_of(folder) as desk:
        assert accept_all(desk, "anna", **flags) == 40
    assert main(["review", str(curation.path), "--finish"]) == 0
    assert "40 images of 40 looked at; 3 flagged" in capsys.readouterr().out
    ledger = Ledger(curation)
    step = ledger.steps()[-1]
    assert (step.name, step.after, step.came, step.left) == ("review", "filter", 40, 37)
    assert step.causes == {"review-plate": 2, "review-person": 1}
    left = [row for shard in range(2) for row in ledger.left(shard)["row"].to_pylist()]
    assert left == [row for row in range(40) if row not in (3, 25, 26)]
    assert names(folder.kept_path) == [f"{row:032x}" for row in left]
    everyone = ledger.everyone(0)
    assert everyone["review_looks"].to_pylist() == [1] * 20
    # Once more changes nothing, and other decisions are refused.
    assert main(["review", str(curation.path), "--finish"]) == 0
    with desk_of(folder) as desk:
        desk.undo("anna")
    verdicts = collect(folder)
    with pytest.raises(CurationError):
        run_review(curation, verdicts)


def test_settings_of_a_curation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table [review] of what `pass-curate run` was told; a file and options go before it."""
    curation = make_curation(tmp_path / "curation")
    told = '[review]\nblock = 10\nunseen = "keep"\nflags = { person = "1", nest = "2" }\n'
    curation.settings_path.write_text(told)
    other = tmp_path / "other.toml"
    other.write_text("[review]\nlooks = 3\n")

    def begun(*more: str, out: str | None = None) -> ReviewSettings:
        where = () if out is None else ("--out", str(tmp_path / out))
        assert main(["review", str(curation.path), *where, *more, "--status"]) == 1
        return load_record(
            ReviewFolder(curation.work_path("review") if out is None else tmp_path / out)
        ).settings

    own = begun("--block", "12")
    assert (own.block, own.unseen, dict(own.flags)) == (12, "keep", {"person": "1", "nest": "2"})
    # Another look has settings of its own.
    assert begun(out="a") == ReviewSettings()
    assert begun("--settings", str(other), out="b") == ReviewSettings(looks=3)
    capsys.readouterr()
    # What was begun stays, whatever the file says by now.
    curation.settings_path.write_text("[review]\nblock = 0\n")
    assert begun() == own
    curation.settings_path.write_text(told)
    again = ["review", str(curation.path), "--settings", str(curation.settings_path), "--status"]
    assert main(again) == 1
    assert "block: it was begun with 12, asked for is 10" in capsys.readouterr().err
    other.write_text("[review]\nblok = 3\n")
    assert main([*again[:3], str(other), "--out", str(tmp_path / "c")]) == 1
    assert f"{other} [review]: 'blok' is no setting" in capsys.readouterr().err


def test_other_settings_are_refused(begin: Begin, pictures: Path) -> None:
    folder = begin()
    with pytest.raises(CurationError, match="seed: it was begun with 0, asked for is 1"):
        begin_review(folder, pictures, ReviewSettings(block=12, seed=1))
    with pytest.raises(CurationError, match="source: it was begun with"):
        begin_review(folder, pictures.parent, ReviewSettings(block=12))


@pytest.mark.parametrize(
    "changed",
    [
        {"flags": {}},
        {"flags": {"Person": "1"}},
        {"flags": {"a": "1", "b": "1"}},
        {"flags": {"a": "x"}},
        {"flags": {"a": "12"}},
        {"block": 0},
        {"overlap": 1.5},
        {"gold": -0.1},
        {"looks": 1},
        {"unseen": "perhaps"},
    ],
)
def test_settings_that_cannot_be(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(changed))):
        ReviewSettings(**changed)  # type: ignore[arg-type]
