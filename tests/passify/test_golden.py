"""The published verdicts, through the whole pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pass_dataset.passify.runs import Results, RunFolder
from tests.support.passify import passify, rows

BAD = {
    "bad_empty.jpg": "empty",
    "bad_garbage_in_header.jpg": "not-an-image",
    "bad_html.jpg": "not-an-image",
    "bad_single_color.jpg": "single-colour",
    "bad_truncated.jpg": "truncated",
}


def test_faces(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setenv("PASS_WEIGHTS_DIR", str(shared / "weights"))
    out = tmp_path / "run"
    done = passify("run", shared / "images", "--out", out, "--detectors", "face")
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
