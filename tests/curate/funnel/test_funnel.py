"""The funnel adds up, and a photograph's story is told."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from pass_dataset.commands.curate.main import main
from pass_dataset.curate.funnel.counts import Funnel, Stage, funnel_of
from pass_dataset.curate.funnel.listing import text_lines
from pass_dataset.curate.funnel.page import draw, render_page
from pass_dataset.curate.profiles.profile import open_profile, profile_names
from pass_dataset.errors import CurationError
from tests.support.curation import Curation, hash_of, photograph


@pytest.fixture(scope="module")
def curation(tmp_path_factory: pytest.TempPathFactory) -> Curation:
    path = tmp_path_factory.mktemp("made") / "curation"
    made = Curation(path, [photograph(n) for n in range(20)])
    made.say("fetch", {3: "missing", 4: "missing", 5: "placeholder"})
    return made.say("filter", {0: "face", 7: "person"}, face_score=[n / 20 for n in range(20)])


def test_text(curation: Curation) -> None:
    lines = list(text_lines(funnel_of(curation.ledger, open_profile("pass-2021").published)))
    assert [" ".join(line.split()) for line in lines] == [
        "read 20",
        "select 20 100 % published: about 17,000,000 (section 3)",
        "missing -2",
        "placeholder -1",
        "fetch 17 85.0 %",
        "face -1",
        "person -1",
        "filter 15 75.0 % published: about 6,000,000 (section 3)",
    ]


def test_json_adds_up(curation: Curation, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["funnel", str(curation.path), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    came = content["stages"][0]["came"]
    for stage in content["stages"]:
        assert stage["came"] == came
        came -= sum(stage["causes"].values())
        assert stage["left"] == came
    assert content["stages"][-1]["published"] == []


def test_page_and_figure(curation: Curation, tmp_path: Path) -> None:
    page, figure = tmp_path / "funnel.html", tmp_path / "funnel.svg"
    command = ["funnel", str(curation.path), "--html", str(page), "--svg", str(figure)]
    assert main([*command, "--profile", "pass-2021"]) == 0
    text = page.read_text()
    assert "about 6,000,000 (section 3)" in text
    assert "Nobody knows where the other 7 million went" in text
    assert "<script" not in text
    root = ElementTree.parse(figure).getroot()
    words = " ".join(element.text or "" for element in root.iter())
    assert "− 2 missing on the server, − 1 placeholders" in words
    assert "published about 6,000,000" in words


def test_names_in_pages_are_escaped() -> None:
    stage = Stage("<b>step</b>", 2, {"<i>cause</i>": 1}, {}, "2026-01-01T00:00:00+00:00")
    for text in (render_page(Funnel((stage,)), "<u>title</u>"), draw(Funnel((stage,)), alone=True)):
        assert "<b>" not in text
        assert "<i>" not in text
        assert "<u>" not in text


def test_nothing_is_left() -> None:
    stage = Stage("select", 0, {}, {}, "2026-01-01T00:00:00+00:00")
    assert "0 photographs" in draw(Funnel((stage,)))


def test_stages_that_do_not_add_up() -> None:
    stages = [Stage(name, 5, {"face": 1}, {}, "") for name in ("select", "fetch")]
    with pytest.raises(CurationError, match="5 photographs came, 4 went on from select"):
        Funnel(tuple(stages))


def test_explain(curation: Curation, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(curation.path), hash_of(7).upper()]) == 0
    told = capsys.readouterr().out
    assert "  page_url: http://www.flickr.com/photos/20000@N00/1000007/" in told
    assert "fetch: went on\nfilter: stopped: person (with people)\n  face_score: 0.35" in told
    assert told.endswith("It stopped at filter.\n")
    assert main(["explain", str(curation.path), hash_of(3), "--json"]) == 0
    story = json.loads(capsys.readouterr().out)
    assert [step["cause"] for step in story["told"]] == [None, "missing"]
    assert story["photograph"]["nsid"] == "30000@N00"
    assert main(["explain", str(curation.path), hash_of(8)]) == 0
    assert capsys.readouterr().out.endswith("It is left.\n")
    assert main(["explain", str(curation.path), "0" * 31 + "1"]) == 1
    assert "was not selected" in capsys.readouterr().err


def test_profiles(capsys: pytest.CaptureFixture[str]) -> None:
    assert {"humans", "pass-2021", "random", "random6m"} <= set(profile_names())
    assert main(["profiles"]) == 0
    assert "pass-2021    PASS as it was made in 2021" in capsys.readouterr().out
    assert main(["profiles", "random"]) == 0
    assert capsys.readouterr().out == open_profile("random").text
    assert main(["profiles", "random7"]) == 1
    assert "there are: humans, " in capsys.readouterr().err


def test_published_numbers_are_the_papers() -> None:
    published = {number.step: number for number in open_profile("pass-2021").published}
    assert published["draw"].left == 1_440_191
    assert published["draw"].left - 472 - 131 == published["release"].left
    assert published["duplicates"].causes == {
        "duplicate-within": 2529,
        "duplicate-of:coco": 114,
        "duplicate-of:imagenet": 9,
    }
