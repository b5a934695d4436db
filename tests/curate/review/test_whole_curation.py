"""From metadata to a release, with people in between: a script reviews as the page does."""

from __future__ import annotations

import csv
import io
import itertools
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pycurl")
pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from pass_dataset.commands.curate.main import main
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from tests.curate.review.served import Served
from tests.support.curation import own_collection

SETTINGS = """
steps = ["select", "fetch", "filter", "balance", "review", "draw", "release"]
metadata = ["mine.csv"]

[select]
shard_rows = 25

[filter]
detectors = []

[balance]
per_photographer = 14
sample = 0

[review]
block = 12
flags = { person = "1", plate = "2" }

[draw]
count = 0

[release]
name = "birds"
version = "1.0.0"
tars = 3
"""


def run(made: Path, *more: str) -> int:
    command = ["run", str(made / "settings.toml"), "--out", str(made / "curation")]
    return main([*command, "--workers", "1", *more])


def review(served: Served, reviewer: str, queue: str, flags: dict[str, str]) -> Iterator[str]:
    """Accepts all pages that the server has for a reviewer; gives the names of the images.

    Args:
      served: the server.
      reviewer, queue: who, and what is looked at.
      flags: of images, by name.
    """
    number = itertools.count()

    def said(**what: Any) -> dict[str, Any]:
        own = {"id": f"{reviewer}-{next(number):08d}", "reviewer": reviewer, "size": 6}
        return {**own, "queue": queue, **what}

    start = served.json("/api/start")
    assert [one["name"] for one in start["flags"]] == ["person", "plate"]
    view = served.json(f"/api/next?reviewer={reviewer}&queue={queue}&size=6")
    while not view["done"]:
        place = {"block": view["block"], "page": view["page"]}
        for image in view["images"]:
            status, data, headers = served.ask(f"/image/{image}")
            assert (status, data[:2]) == (200, b"\xff\xd8")
            name = json.loads(headers["x-image-name"])
            if name in flags:
                told = said(**place, image=image, flag=flags[name], note="")
                assert served.ask("/api/mark", told)[0] == 200
            yield name
        view = served.json("/api/accept", said(**place, images=view["images"]))


@pytest.mark.slow
def test_counts_add_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own_collection(tmp_path, 80)
    (tmp_path / "images" / "0007.jpg").write_bytes(b"\xff\xd8\xff no more of it")
    (tmp_path / "settings.toml").write_text(SETTINGS)
    curation = CurationFolder(tmp_path / "curation")
    ledger = Ledger(curation)
    assert run(tmp_path) == 3
    assert f"pass-curate review {curation.path}" in capsys.readouterr().out
    came = [
        hash_ for shard in range(4) for hash_ in ledger.left(shard, ["hash"])["hash"].to_pylist()
    ]
    assert len(came) == 70  # five people, 14 of each

    # What is wrong with three of them; the reviewer overlooks one.
    person, plate, overlooked = came[3], came[40], came[69]
    served = Served(curation.path)
    try:
        looked = list(review(served, "anna", "all", {person: "person", plate: "plate"}))
    finally:
        assert served.stop() == (0, "")
    assert sorted(looked) == sorted(came)
    assert main(["review", str(curation.path), "--finish"]) == 0
    step = ledger.record("review")
    assert step is not None
    assert (step.came, step.left) == (70, 68)
    assert step.causes == {"review-person": 1, "review-plate": 1}
    assert step.settings["block"] == 12

    # An audit of what is left, by somebody else, finds it.
    audit = tmp_path / "audit"
    flags = ("--flag", "person=1", "--flag", "plate=2", "--unseen", "keep")
    served = Served(curation.path, audit, "--queue", "sample:60", *flags)
    try:
        looked = list(review(served, "ben", "sample:60", {overlooked: "person"}))
    finally:
        assert served.stop() == (0, "")
    assert len({*looked} & {*came} - {person, plate}) == 60
    assert overlooked in looked
    capsys.readouterr()
    receipt = tmp_path / "pass_review.json"
    command = ["audit", str(audit), "--queue", "sample:60", "--out", str(receipt)]
    assert main([*command, "--images", "68"]) == 0
    told = capsys.readouterr().out
    assert "1 of 60 images: 1.5 % to 4.4 % with 95 % confidence\n  of 68 images: 1 to 3\n" in told
    assert json.loads(receipt.read_text())["found"] == 1
    before = ledger.steps()
    assert main(["review", str(curation.path), "--out", str(audit), "--finish"]) == 0
    assert "its review is done and stays" in capsys.readouterr().out
    assert ledger.steps() == before
    assert (audit / "removals.txt").read_text().split() == [overlooked]

    assert run(tmp_path, "--exclude", str(audit / "removals.txt")) == 0
    assert "release: birds 1.0.0, 67 photographs" in capsys.readouterr().out
    out = curation.path / "release"
    rejected = {person, plate, overlooked}
    assert _names_in(out) == sorted({*came} - rejected)
    for path in out.iterdir():
        content = path.read_bytes()
        assert not any(name.encode() in content for name in rejected), path
    datasheet = (out / "DATASHEET.md").read_text()
    assert "1 on the list of what is excluded" in datasheet
    _require_whole_funnel(capsys, curation)


def _names_in(release: Path) -> list[str]:
    """Names of all images in the tars of a release, which are those of its table."""
    found = []
    for path in release.glob("*.tar"):
        with tarfile.open(path) as tar:
            found += [Path(one.name).stem for one in tar if one.isfile()]
    rows = csv.DictReader(io.StringIO((release / "birds_metadata.csv").read_text()))
    assert sorted(row["hash"] for row in rows) == sorted(found)
    return sorted(found)


def _require_whole_funnel(capsys: pytest.CaptureFixture[str], curation: CurationFolder) -> None:
    """At each step as many go on as came and did not stop, and come to the next."""
    assert main(["funnel", str(curation.path), "--json"]) == 0
    stages = json.loads(capsys.readouterr().out)["stages"]
    for before, after in itertools.pairwise(stages):
        assert before["came"] - sum(before["causes"].values()) == after["came"]
