from __future__ import annotations

import json
from pathlib import Path

import pytest

from pass_dataset.releases.citation import BIBTEX, BIBTEX_LINE

ROOT = Path(__file__).parent.parent.parent


def test_what_tfds_reads_beside_its_builder() -> None:
    assert (ROOT / "pass_dataset" / "tfds" / "CITATIONS.bib").read_text() == BIBTEX


@pytest.mark.parametrize("page", ["docs/licence.md", "builder_hf/README.md"])
def test_what_people_read(page: str) -> None:
    assert f"```bibtex\n{BIBTEX}```" in (ROOT / page).read_text()


def test_what_machines_read() -> None:
    found = [ROOT / "builder_hf" / "croissant.json", *ROOT.glob("builder_hf/croissant/*.json")]
    assert len(found) == 4
    assert {json.loads(path.read_text())["citeAs"] for path in found} == {BIBTEX_LINE}
