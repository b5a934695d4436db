from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from PIL import Image

from pass_dataset.archives.ensure import open_mini
from pass_dataset.archives.mini.traps import TRAPS
from pass_dataset.commands import demo
from pass_dataset.commands.demo import load_with_datasets, load_with_tfds, run_demo
from pass_dataset.commands.main import main
from pass_dataset.errors import VerificationError


def test_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", str(tmp_path / "out")]) == 0
    text = capsys.readouterr().out
    assert "TFDS: tfds.load('pass_mini', split='train')" in text
    assert "Hugging Face: datasets.load_dataset('pass_mini', split='train')" in text
    assert text.count("  64 records in ") == 2
    assert "Both hold the same 64 images and the same metadata." in text
    sheet = Image.open(tmp_path / "out" / "contact_sheet.png")
    assert sheet.size == (8 * 160, 8 * 160)
    assert len(set(sheet.convert("L").resize((16, 16)).tobytes())) > 50


def test_both_loaders_give_the_archive(tmp_path: Path) -> None:
    archive = open_mini()
    for records in (load_with_tfds(tmp_path), load_with_datasets(tmp_path)):
        assert records.keys() == {record.hash for record in archive}
        assert records[TRAPS["creator_null"]].creator == "null"
        assert records[TRAPS["no_date"]].date_taken is None
        assert records[TRAPS["no_gps"]].gps is None
        assert records[TRAPS["gps_zero"]].gps == (0.0, 0.0)


def test_a_difference_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(out: Path):
        records = load_with_datasets(out)
        image = TRAPS["portrait"]
        return {**records, image: dataclasses.replace(records[image], creator="someone else")}

    monkeypatch.setattr(demo, "load_with_datasets", changed)
    with pytest.raises(VerificationError, match=rf"image {TRAPS['portrait']}: TFDS has .*someone"):
        list(run_demo(tmp_path))
