"""Lines of opt-out lists that name no image: a slip there keeps an image whose owner said no."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.list_lines import name_examples
from pass_dataset.errors import RunError
from pass_dataset.passify.runs.exclusions import Exclusions
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.sources.source import ListingReport, Source

__all__ = ["require_paths", "unmatched_lines", "unmatched_text"]


def unmatched_lines(results: Results, exclusions: Exclusions) -> list[str]:
    """The lines of a list that name no image of a whole run, as they stand.

    Raises:
      RunError: results cannot be read.
    """
    paths = pa.array(sorted(exclusions.paths), pa.string())
    hashes = pa.array(sorted(exclusions.hashes), pa.string())
    found: set[str] = set()
    for table in results.tables(["path", "sha256"]):
        forms = exclusions.form.of_column(table["path"].combine_chunks())
        found.update(forms.filter(pc.is_in(forms, value_set=paths)).to_pylist())
        sums = table["sha256"].combine_chunks()
        found.update(sums.filter(pc.is_in(sums, value_set=hashes)).to_pylist())
    return exclusions.lines_without(found)


def require_paths(source: Source, exclusions: Exclusions) -> None:
    """Refuses a list with lines that name no image of a source by its path.

    Of those that name images by their hash alone nothing is known before images are read.

    Raises:
      RunError: there are such lines.
    """
    found = set(_named(source, exclusions))
    by_hash_alone = {line.sha256 for line in exclusions.lines if not line.paths and line.sha256}
    left = exclusions.lines_without(found | by_hash_alone)
    if left:
        raise RunError(unmatched_text(exclusions, left) + ". Nothing was written")


def _named(source: Source, exclusions: Exclusions) -> Iterable[str]:
    for item in source.items(ListingReport()):
        form = exclusions.form.of_text(item.path)
        if form in exclusions.paths:
            yield form


def unmatched_text(exclusions: Exclusions, left: list[str], what: str = "image") -> str:
    """Which lines name nothing, for people; `what` they should name."""
    return (
        f"{exclusions.file}: {len(left):,} of {len(exclusions.lines):,} lines of this opt-out list "
        f"name no {what}: {name_examples(left)}"
    )
