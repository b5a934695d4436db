"""One pass over the rows: the counts of the verdicts, and a choice that does not change."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from pass_dataset.passify.outputs.summary import summarize
from pass_dataset.passify.report.selection import RowId
from pass_dataset.passify.report.survey import Choices, Survey, make_survey
from pass_dataset.passify.runs.exclusions import Exclusions
from pass_dataset.passify.runs.outcomes import Thresholds
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.schema import ImageResult
from tests.support.passify import many
from tests.support.runs import FACES, found, make_run


def paths(results: Results, rows: list) -> list[str]:
    return [results.rows(row.shard, [row.position])[0].path for row in rows]


def test_counts_are_those_of_the_summary(results: Results) -> None:
    for thresholds in (Thresholds(), Thresholds(face=0.7, person=0.05), Thresholds(0.0, 0.0)):
        survey = make_survey(results, thresholds)
        summary = summarize(results, thresholds)
        assert survey.images == summary.images
        assert survey.kept == summary.kept
        assert {reason: n for reason, n in survey.reasons.items() if reason} == summary.reasons


def test_chosen_images(results: Results) -> None:
    survey = make_survey(results, Thresholds(), Choices(examples=2, sample=3))
    assert {name: len(lowest.rows) for name, lowest in survey.examples.items()} == {
        "face": 2,
        "person": 2,
        "empty": 1,
        "not-an-image": 1,
        "truncated": 1,
        "single-colour": 1,
    }
    for path in paths(results, survey.examples["face"].rows):
        assert "face" in path or "both" in path
    assert set(paths(results, survey.sample.rows)) <= {
        "a/kept.png",
        "b/half.png",
        "kept too.png",
        "\\a/caf\\xe9 \\xff.png",
    }
    near = survey.nearest["face"]
    assert paths(results, near.over.rows)[0] == "b/both.png"  # 0.6, the others 0.8
    assert len(near.under.rows) == 2


def test_nothing_is_shown_of_the_opt_out_list(results: Results) -> None:
    named = frozenset({"b/both.png", "a/kept.png"})
    survey = make_survey(
        results, Thresholds(), Choices(examples=50, sample=50), exclusions=Exclusions(paths=named)
    )
    assert survey.reasons["excluded"] == 2
    chosen = [*survey.sample.rows]
    for lowest in survey.examples.values():
        chosen += lowest.rows
    for nearest in survey.nearest.values():
        chosen += nearest.under.rows + nearest.over.rows
    assert chosen
    assert not named & set(paths(results, chosen))


def test_choice_depends_on_the_seed_alone(tmp_path: Path) -> None:
    source = many(tmp_path / "source", 60, shares=(0.0, 0.1))

    def drawn(shard_size: int, seed: int) -> list[str]:
        folder = tmp_path / f"run {shard_size} {seed}"
        results = Results(make_run(folder, source, shard_size=shard_size))
        survey = make_survey(results, Thresholds(), Choices(sample=10, seed=seed))
        return paths(results, survey.sample.rows)

    first = drawn(7, 1)
    assert len(set(first)) == 10
    assert drawn(50, 1) == first
    assert drawn(7, 2) != first


@pytest.mark.slow
def test_sample_is_uniform(tmp_path: Path) -> None:
    """Over many seeds, every image is drawn equally often, within four standard deviations."""

    def nothing(row: ImageResult) -> None:
        found(row, "face", [])
        found(row, "person", [])

    source = many(tmp_path / "source", 20)
    results = Results(make_run(tmp_path / "run", source, nothing, shard_size=6))
    counts: Counter[RowId] = Counter()
    for seed in range(200):
        choices = Choices(examples=0, sample=5, seed=seed)
        counts.update(make_survey(results, Thresholds(), choices).sample.rows)
    assert len(counts) == 20
    assert all(50 - 4 * 6.2 < count < 50 + 4 * 6.2 for count in counts.values())


def test_one_detector(tmp_path: Path, photos: Path) -> None:
    def faces_only(row):  # type: ignore[no-untyped-def]
        from tests.passify.report.conftest import squares

        squares(row)
        row.person_max_score = row.person_boxes = None

    run = make_run(tmp_path / "run", photos, faces_only, detectors=(FACES,))
    survey: Survey = make_survey(Results(run), Thresholds())
    assert list(survey.histograms) == list(survey.nearest) == ["face"]
    assert survey.reasons["person"] == 0


@pytest.mark.parametrize("name", ["examples", "sample"])
def test_impossible_choices(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected 0 or more, found -1"):
        replace(Choices(), **{name: -1})
