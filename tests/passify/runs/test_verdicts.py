from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest

from pass_dataset.passify.runs.outcomes import FAILED_REASONS, TARGETS, Thresholds, outcome_of
from pass_dataset.passify.runs.verdicts import judge

PUBLISHED = Thresholds()


def table(*rows: tuple[str | None, float | None, float | None]) -> pa.Table:
    reasons, faces, people = zip(*rows, strict=True)
    return pa.table(
        {
            "reason": pa.array(reasons, pa.string()).dictionary_encode(),
            "face_max_score": pa.array(faces, pa.float32()),
            "person_max_score": pa.array(people, pa.float32()),
        }
    )


def judged(*rows: tuple, thresholds: Thresholds = PUBLISHED, targets: tuple = TARGETS) -> list:
    return judge(table(*rows), thresholds, targets).to_pylist()


def test_published_thresholds() -> None:
    """Over 0.5 for faces, at least 0.5 for people."""
    rows = [(None, 0.5, 0.4999), (None, 0.50001, 0.1), (None, 0.1, 0.5), (None, 0.0, 0.0)]
    assert judged(*rows) == [None, "face", "person", None]


def test_what_stands_whatever_the_scores() -> None:
    rows = [("truncated", None, None), ("excluded", 0.9, 0.9), ("detector-failed", 0.1, None)]
    assert judged(*rows) == ["truncated", "excluded", "detector-failed"]


def test_stored_reasons_of_scores_are_made_anew() -> None:
    rows = [("face", 0.6, 0.1), ("person", 0.1, 0.6), ("person-unknown", 0.1, 0.2)]
    assert judged(*rows, thresholds=Thresholds(0.7, 0.7)) == [None, None, None]


def test_missing_score_is_undecided_and_never_kept() -> None:
    rows = [(None, 0.6, None), (None, None, None), (None, None, 0.9), (None, 0.9, None)]
    strict = Thresholds(0.7, 0.5)
    assert judged(*rows, thresholds=strict) == ["person-unknown", "face-unknown", "person", "face"]
    assert outcome_of("person-unknown") == outcome_of("face-unknown") == "undecided"


def test_only_detectors_of_the_run_have_a_say() -> None:
    assert judged((None, 0.1, None), targets=("face",)) == [None]
    assert judged((None, None, 0.1), targets=("person",)) == [None]


def test_threshold_is_compared_in_double_precision() -> None:
    """The float32 nearest to 0.3 is over 0.3, that nearest to 0.7 under 0.7."""
    over, under = float(np.float32(0.3)), float(np.float32(0.7))
    assert over > 0.3
    assert under < 0.7
    thresholds = Thresholds(0.3, 0.7)
    assert judged((None, over, 0.0), (None, 0.0, under), thresholds=thresholds) == ["face", None]
    assert thresholds.has_face(over)


def test_every_combination_is_like_the_rule_in_words() -> None:
    scores = (None, 0.0, 0.4, 0.5, 0.6, 1.0)
    stored = (None, "face", "person-unknown", "empty", "unreadable")
    rows = list(itertools.product(stored, scores, scores))
    for face, person in itertools.product((0.0, 0.5, 1.0), repeat=2):
        expected = [by_words(row, face, person) for row in rows]
        assert judged(*rows, thresholds=Thresholds(face, person)) == expected


def by_words(row: tuple, face: float, person: float) -> str | None:
    reason, face_score, person_score = row
    if reason in ("empty", "unreadable"):
        return reason
    if face_score is not None and float(np.float32(face_score)) > face:
        return "face"
    if person_score is not None and float(np.float32(person_score)) >= person:
        return "person"
    if face_score is None:
        return "face-unknown"
    return "person-unknown" if person_score is None else None


def test_outcomes() -> None:
    assert outcome_of(None) == "kept"
    assert {outcome_of(reason) for reason in FAILED_REASONS} == {"failed"}
    assert outcome_of("single-colour") == outcome_of("face") == "dropped"


def test_threshold_that_is_none() -> None:
    with pytest.raises(ValueError, match="face: expected a score from 0 to 1, found 50"):
        Thresholds(face=50)


def test_no_rows() -> None:
    empty = table((None, 0.1, 0.1)).slice(0, 0)
    assert judge(empty, Thresholds(), TARGETS).to_pylist() == []
