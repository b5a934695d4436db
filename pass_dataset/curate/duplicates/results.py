"""Results as files: Parquet of pairs, groups and images, lists to keep and to drop, counts.

OUT/
  pairs.parquet    source, path, other_source, other_path, tier, distance, cosine
  groups.parquet   group, source, path, cause (null: it stays), other_source, other_path
  images.parquet   source and fingerprint of each image, for one's own questions
  kept.txt, dropped.txt, broken.txt
                   a path a line; with several sources, SOURCE/path
  summary.json     counts
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pass_dataset.curate.duplicates.finding import Duplicates
from pass_dataset.curate.duplicates.keeping import WITHIN, of_set
from pass_dataset.curate.duplicates.tiers import TIERS
from pass_dataset.curate.duplicates.unions import Numbers
from pass_dataset.files.whole import write_whole, writing_whole

__all__ = ["causes_of", "save_results", "source_names", "summary_of"]


def save_results(duplicates: Duplicates, out: Path) -> dict[str, Any]:
    """Writes all files; returns the counts.

    Raises:
      OSError: they cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    names = source_names(duplicates)
    found, own = duplicates.found, duplicates.own
    paths = duplicates.images["path"]
    pairs = pa.table(
        {
            "source": names.take(pa.array(found.left)),
            "path": paths.take(pa.array(found.left)),
            "other_source": names.take(pa.array(found.right)),
            "other_path": paths.take(pa.array(found.right)),
            "tier": pa.DictionaryArray.from_arrays(pa.array(found.tier), pa.array(TIERS)),
            "distance": pa.array(found.distance, mask=found.distance < 0),
            "cosine": pa.array(found.cosine, mask=np.isnan(found.cosine)),
        }
    )
    _save(pairs, out / "pairs.parquet")
    causes = causes_of(duplicates)
    in_groups = np.unique(np.concatenate([found.left, found.right]))
    order = in_groups[np.lexsort((in_groups, found.groups[in_groups]))]
    is_own = order < own
    other = np.where(is_own, duplicates.verdicts.other[np.where(is_own, order, 0)], order)
    has_other = other != order
    groups = pa.table(
        {
            "group": pa.array(found.groups[order]),
            "source": names.take(pa.array(order)),
            "path": paths.take(pa.array(order)),
            "cause": causes.take(pa.array(order, mask=~is_own)),
            "other_source": names.take(pa.array(other, mask=~has_other)),
            "other_path": paths.take(pa.array(other, mask=~has_other)),
        }
    )
    _save(groups, out / "groups.parquet")
    images = duplicates.images.slice(0, own)
    _save(images.add_column(0, "source", names.slice(0, own)), out / "images.parquet")
    broken = np.asarray(pc.is_valid(images["broken"]))
    kept = duplicates.verdicts.kept
    for name, which in (
        ("kept.txt", kept & ~broken),
        ("dropped.txt", ~kept),
        ("broken.txt", broken & kept),
    ):
        write_whole(out / name, _lines(duplicates, np.flatnonzero(which)))
    summary = summary_of(duplicates)
    write_whole(out / "summary.json", (json.dumps(summary, indent=1) + "\n").encode())
    return summary


def _save(table: pa.Table, path: Path) -> None:
    with writing_whole(path) as file:
        pq.write_table(table, file, compression="zstd")


def source_names(duplicates: Duplicates) -> pa.DictionaryArray:
    """The source of each image: the name of its collection, or of the other set."""
    listings = duplicates.collections.listings
    sizes = [listing.items.num_rows for listing in listings]
    numbers = np.concatenate(
        [np.repeat(np.arange(len(listings)), sizes), duplicates.set_numbers + len(listings)]
    ).astype(np.int16)
    names = [*(listing.name for listing in listings), *duplicates.sets]
    return pa.DictionaryArray.from_arrays(pa.array(numbers), pa.array(names, pa.string()))


def causes_of(duplicates: Duplicates) -> pa.DictionaryArray:
    """Why each of our own images goes; null where it stays."""
    verdicts = duplicates.verdicts
    numbers = (verdicts.sets + 1).astype(np.int16)
    causes = [WITHIN, *(of_set(name) for name in duplicates.sets)]
    return pa.DictionaryArray.from_arrays(pa.array(numbers, mask=verdicts.kept), pa.array(causes))


def summary_of(duplicates: Duplicates) -> dict[str, Any]:
    """Counts: of images, pairs, causes; by source and tier."""
    causes = Counter(causes_of(duplicates).to_pylist())
    causes.pop(None, None)
    names = source_names(duplicates)
    found = duplicates.found
    by_source = Counter(
        zip(
            names.take(pa.array(found.left)).to_pylist(),
            names.take(pa.array(found.right)).to_pylist(),
            [TIERS[tier] for tier in found.tier.tolist()],
            strict=True,
        )
    )
    kept = int(duplicates.verdicts.kept.sum())
    return {
        "images": duplicates.own,
        "kept": kept,
        "dropped": duplicates.own - kept,
        "causes": dict(sorted(causes.items(), key=lambda one: (-one[1], one[0]))),
        **duplicates.counts(),
        "pairs": [
            {"source": source, "other_source": other, "tier": tier, "pairs": number}
            for (source, other, tier), number in sorted(by_source.items())
        ],
    }


def _lines(duplicates: Duplicates, numbers: Numbers) -> bytes:
    return "".join(f"{name}\n" for name in _shown(duplicates, numbers)).encode(
        "utf-8", "surrogateescape"
    )


def _shown(duplicates: Duplicates, numbers: Numbers) -> Iterable[str]:
    several = len(duplicates.collections.listings) > 1
    paths: list[str] = duplicates.images["path"].take(pa.array(numbers)).to_pylist()
    if not several:
        return paths
    names = source_names(duplicates).take(pa.array(numbers)).to_pylist()
    return (f"{name}/{path}" for name, path in zip(names, paths, strict=True))
