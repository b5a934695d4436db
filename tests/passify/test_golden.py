"""The published verdicts, through the whole pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from tests.support.passify import passify, rows

BAD = {
    "bad_empty.jpg": "empty",
    "bad_garbage_in_header.jpg": "not-an-image",
    "bad_html.jpg": "not-an-image",
    "bad_single_color.jpg": "single-colour",
    "bad_truncated.jpg": "truncated",
}


def test_faces(
    shared: Path, photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setenv("PASS_WEIGHTS_DIR", str(shared / "weights"))
    out = tmp_path / "run"
    done = passify("run", photographs, "--out", out, "--detectors", "face")
    assert done.returncode == 0, done.stderr
    for name, reason in BAD.items():
        assert f"  {name}: {reason}" in done.stdout
    golden = json.loads((shared / "golden" / "retinaface_mobilenet025.json").read_text())
    found = {row["path"]: row for row in rows(Results(RunFolder(out)))}
    assert found.keys() == golden.keys()
    for name, expected in golden.items():
        if name in BAD:
            assert found[name]["reason"] == BAD[name]
            continue
        assert found[name]["reason"] == ("face" if expected["has_face"] else None)
        assert found[name]["face_max_score"] == pytest.approx(expected["max_score"], abs=1e-4)
        assert (found[name]["width"], found[name]["height"]) == (
            expected["width"],
            expected["height"],
        )
        assert len(found[name]["face_boxes"]) == len(expected["detections"])


@pytest.mark.slow
def test_people_only_where_there_is_no_face(
    shared: Path, tmp_path: Path, cascade_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both published detectors in a row; a few images, as one takes seconds."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("torchvision")
    monkeypatch.setenv("PASS_WEIGHTS_DIR", str(shared / "weights"))
    names = ["astronaut.jpg", "motorcycle.jpg", "chelsea_cat.jpg", "bad_empty.jpg"]
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"{name}\n" for name in names))
    out = tmp_path / "run"
    done = passify(
        *("run", listed, "--root", shared / "images", "--out", out),
        *("--person-weights", cascade_weights, "--workers", 1),
    )
    assert done.returncode == 0, done.stderr
    golden = json.loads((shared / "golden" / "cascade_rcnn_detections.json").read_text())["images"]
    found = {row["path"]: row for row in rows(Results(RunFolder(out)))}
    assert [found[name]["reason"] for name in names] == ["face", "person", None, "empty"]
    assert found["astronaut.jpg"]["person_max_score"] is None
    for name in ("motorcycle.jpg", "chelsea_cat.jpg"):
        expected = golden[name]["max_person_score"]
        assert found[name]["person_max_score"] == pytest.approx(expected, abs=1e-3)
