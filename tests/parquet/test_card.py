"""The card of an export says what the folder holds; the dataset card lacks nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pass_dataset.builds.manifest import ExportShard
from pass_dataset.parquet.card import card_of, size_category, source_card
from pass_dataset.parquet.manifest import Export
from pass_dataset.releases.release import OFFICIAL_VERSIONS, official_release, parse_release

hub = pytest.importorskip("huggingface_hub")

#: What the Hub accepts: https://github.com/huggingface/huggingface.js, packages/tasks.
TASK_CATEGORIES = {"image-feature-extraction", "unconditional-image-generation", "other"}
OWN = parse_release(
    f"# version\t1.2.3\n# name\tbirds\n-\t1\t{'0' * 64}\tb.0.tar\n-\t1\t{'1' * 64}\tb.csv\n",
    Path("birds.tsv"),
)


def export_of(parts: tuple[int, ...] | None = None, num_examples: int = 1_439_588) -> Export:
    shards = (ExportShard("data/train-00000-of-00001.parquet", num_examples, 179_000_000_000),)
    return Export(official_release(), parts, "parquet", shards, 178_000_000_000)


def parsed(text: str) -> hub.DatasetCardData:
    return hub.DatasetCard(text).data


def headings(text: str) -> list[str]:
    """Without code, whose comments look like headings."""
    text = re.sub(r"(?s)```.*?```|<!--.*?-->", "", text)
    return [line.replace(" [optional]", "") for line in re.findall(r"(?m)^#{2,} .+$", text)]


def test_yaml_of_the_dataset_card() -> None:
    data = parsed(source_card())
    assert data.license == "cc-by-4.0"
    assert data.pretty_name == "PASS: Pictures without humAns for Self-Supervision"
    assert data.size_categories == ["1M<n<10M"]
    assert data.annotations_creators == ["no-annotation"]
    assert data.source_datasets == ["extended|yfcc100m"]
    assert data.task_categories
    assert set(data.task_categories) <= TASK_CATEGORIES
    assert data.language is None
    # Written by the library, it reads back as the same.
    assert parsed(f"---\n{data.to_yaml()}\n---\n").to_dict() == data.to_dict()


def test_every_section_of_the_template_is_filled() -> None:
    template = Path(hub.__file__).parent / "templates" / "datasetcard_template.md"
    card = source_card()
    wanted = headings(template.read_text())
    assert len(wanted) > 15
    assert [name for name in wanted if name not in headings(card)] == []
    assert "More Information Needed" not in card
    assert "TODO" not in card
    pieces = re.split(r"(?m)^#{2,} .+$", re.sub(r"(?s)```.*?```", "code", card))
    empty = [piece for piece in pieces[1:] if not piece.strip()]
    # Only those that have sub-sections right below.
    assert len(empty) == len(re.findall(r"(?m)^#{2,} .+\n\n#{3,} ", card))


def test_real_example_record(shared: Path) -> None:
    lines = (shared / "facts" / "metadata_sample.csv").read_text().splitlines()
    (line,) = [line for line in lines if "fff0eece99cc71c2e91fe716051599" in line]
    card = source_card()
    _, creator, date, licence, name, latitude, _ = line.split(",")
    assert f'"creator_uname": "{creator}"' in card
    assert f'"hash": "{name}"' in card
    assert '"date_taken": datetime.datetime(2004, 5, 11, 2, 0, 33)' in card
    assert date == "2004-05-11 02:00:33.0"
    assert float(latitude) == pytest.approx(53.53523254394531)
    assert licence in card


@pytest.mark.parametrize("version", OFFICIAL_VERSIONS)
def test_version_table_is_that_of_the_checksum_files(version: str) -> None:
    release = official_release(version)
    (line,) = [line for line in source_card().splitlines() if line.startswith(f"| {version[0]} |")]
    assert f"| {release.num_examples:,} | {release.size_bytes:,} |" in line
    assert f"`{version}`" in line


def test_card_of_a_release() -> None:
    text = card_of(export_of())
    data = parsed(text)
    assert data.license == "cc-by-4.0"
    assert data.size_categories == ["1M<n<10M"]
    assert data.to_dict()["configs"] == [
        {
            "config_name": "default",
            "data_files": [{"split": "train", "path": "data/train-*"}],
        }
    ]
    info = data.to_dict()["dataset_info"]
    assert info["splits"] == [
        {"name": "train", "num_bytes": 178_000_000_000, "num_examples": 1_439_588}
    ]
    assert (info["download_size"], info["dataset_size"]) == (179_000_000_000, 178_000_000_000)
    body = text.split("---\n", 2)[2]
    assert "> **This folder holds PASS 3.0.0**, whole: 1,439,588 images." in body
    # All the rest is the dataset card.
    assert (
        body.replace("\n\n> **This folder holds PASS 3.0.0**, whole: 1,439,588 images.", "")
        == source_card().split("---\n", 2)[2]
    )


def test_card_of_parts() -> None:
    text = card_of(export_of((0, 3, 4), 300_000))
    assert parsed(text).size_categories == ["100K<n<1M"]
    assert (
        "> **This folder holds part 0, 3-4 of PASS 3.0.0** (of parts 0 to 9): 300,000 of its "
        "1,439,588 images." in text
    )


def test_card_of_ones_own_claims_nothing() -> None:
    text = card_of(replace(export_of(num_examples=7), release=OWN))
    data = parsed(text)
    assert data.license is None
    assert data.pretty_name == "birds 1.2.3"
    assert data.size_categories == ["n<1K"]
    assert "asano" not in text.lower()
    assert "complete it before you publish" in " ".join(text.split())


@pytest.mark.parametrize(
    ("count", "name"),
    [(1, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (1_439_588, "1M<n<10M"), (10**9, "1B<n<10B")],
)
def test_size_categories(count: int, name: str) -> None:
    assert size_category(count) == name
