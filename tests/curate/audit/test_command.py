"""`pass-curate audit`: plans, counts, and what a review says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PIL")

from pass_dataset.commands.curate.main import main
from pass_dataset.curate.review.folder import ReviewFolder
from pass_dataset.curate.review.listing import Gold, begin_review
from pass_dataset.curate.review.settings import ReviewSettings
from pass_dataset.folders.review_receipt import REVIEW_NAME, review_of
from tests.curate.review.conftest import accept_all, accept_next, desk_of, make_pictures
from tests.support.curation import Curation, hash_of, photograph


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> list[str]:
    """The lines that the command prints."""
    capsys.readouterr()
    assert main(["audit", *words]) == code
    return capsys.readouterr().out.splitlines()


def content(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    return json.loads("\n".join(told(capsys, *words, "--json", code=code)))


def test_counts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The paper's audit, and what a page about archives takes up."""
    counts = ("--found", "2", "--checked", "2000")
    assert told(capsys, *counts) == ["2 of 2,000 images: 0.012 % to 0.36 % with 95 % confidence"]
    more = ("--confidence", "99%", "--images", "1440191")
    assert told(capsys, *counts, *more)[1] == "  of 1,440,191 images: 75 to 6,666"
    path = tmp_path / REVIEW_NAME
    assert told(capsys, *counts, "--out", str(path))[-1] == str(path)
    receipt = review_of(tmp_path, is_pass=False)
    assert receipt is not None
    found = content(capsys, *counts)
    assert (found["low"], found["high"]) == (receipt.low, receipt.high)
    assert "2 are such that should not be there" in receipt.sentence()


def test_plans(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, "--claim", "0.1%")
    assert "  look at 3,688 and find none (one-sided 2,995)" in lines
    assert lines[-1] == "To meet one at all with 95 % chance, if 0.1 % are bad: 2,995"
    assert content(capsys, "--claim", "0.001")["plans"][0]["images"] == 3688
    lines = told(capsys, "--good", "0.02%", "--bad", "0.1%")
    assert lines[0] == "Look at 9,151, and accept if 4 or fewer are bad:"
    plan = content(capsys, "--good", "0", "--bad", "0.1%")
    assert (plan["images"], plan["allowed"], plan["accepted_if_good"]) == (2995, 0, 1.0)


def test_review(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Reviewers, what they miss, how far they agree; a sample; what it says of the whole."""
    pictures = make_pictures(tmp_path / "photographs", 60)
    bad = make_pictures(tmp_path / "bad", 2)
    folder = ReviewFolder(tmp_path / "review")
    settings = ReviewSettings(block=12, overlap=1.0, gold=1 / 12)
    begin_review(folder, pictures, settings, Gold(bad=bad))
    with desk_of(folder) as desk:
        accept_all(desk, "anna", _0002="plate", _0003="person")
        accept_all(desk, "ben", _0003="person", _0004="person")
    review = str(folder.path)
    lines = [line.replace("\N{NO-BREAK SPACE}", " ") for line in told(capsys, review)]
    assert lines[0] == "60 images of 60 looked at; 3 flagged (5.0 %)"
    assert "anna: 60 looked at, 2 flagged; missed 2 of 2 known ones (15.8 % to 100 %)" in lines
    assert lines[-2] == (
        "anna and ben, 60 images: positive agreement 50 % (1.7 % to 95 %), kappa 0.48"
    )
    assert "Positive agreement says nothing of what both miss" in lines[-1]
    assert content(capsys, review)["agreement"][0]["both"] == 1
    with desk_of(folder) as desk:
        assert len(desk.queue("sample:10").rows) == 10
    lines = told(capsys, review, "--queue", "sample:10", "--images", "60")
    assert lines[0].startswith("all: 10 of 60 images looked at, ")
    path = tmp_path / REVIEW_NAME
    told(capsys, review, "--queue", "sample:10", "--out", str(path))
    receipt = review_of(tmp_path, is_pass=False)
    assert receipt is not None
    assert receipt.method == "Clopper-Pearson, of a finite set"


def test_strata_of_a_curation(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made = Curation(tmp_path / "curation", [photograph(number) for number in range(40)], 20)
    scores = [number / 40 for number in range(40)]
    made.fetch().say("filter", {}, face_score=scores)
    command = ["review", str(made.path), "--block", "6", "--unseen", "keep", "--status"]
    assert main(command) == 1
    folder = ReviewFolder(made.folder.work_path("review"))
    with desk_of(folder) as desk:
        assert accept_next(desk, "anna", "sample:20:face_score") == 6
    audit = (str(made.path), "--queue", "sample:20:face_score")
    told(capsys, *audit, code=1)  # of some bands nobody has seen any
    with desk_of(folder) as desk:
        flags = {f"_{hash_of(39)}": "person"}
        assert accept_all(desk, "anna", "sample:20:face_score", **flags) == 14
    lines = told(capsys, *audit)
    assert lines[0] == "face_score under 0.4875: 6 of 20 images looked at, 0 bad"
    assert lines[4] == "face_score from 0.9555: 1 of 1 image looked at, 1 bad"
    found = content(capsys, *audit)
    assert (found["checked"], found["found"]) == (20, 1)
    assert found["low"] == 1 / 40
    assert "5 strata weighted back (Bonferroni)" in found["method"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give one of: a REVIEW, --found and --checked, --claim, --good and --bad"),
        (["x", "--claim", "1%"], "give one of"),
        (["--found", "2"], "--found and --checked belong together"),
        (["--found", "3", "--checked", "2"], "--found cannot be more than --checked"),
        (["--found", "1", "--checked", "2", "--images", "1"], "cannot be fewer than --checked"),
        (["--found", "1", "--checked", "2", "--queue", "all"], "--queue is of a REVIEW"),
        (["--claim", "0.1%", "--images", "9"], "--images is for what was looked at"),
        (["--claim", "0.1%", "--out", "x"], "--out is for what was looked at"),
        (["--claim", "2"], "expected a share such as 0.1% or 0.001, found '2'"),
        (["--claim", "much"], "expected a share such as 0.1% or 0.001, found 'much'"),
        (["--good", "1%"], "--good and --bad belong together"),
        (["--good", "1%", "--bad", "0.1%"], "--good has to be less than --bad"),
    ],
)
def test_usage(capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["audit", *words])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_what_is_no_review(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["audit", str(tmp_path)]) == 1
    assert "expected the folder of a review, found none" in capsys.readouterr().err
