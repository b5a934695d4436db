"""A PASS archive folder, or any collection in its layout, through its index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.passify.sources.names import name_to_text
from pass_dataset.passify.sources.source import Kind, ListingReport, SourceItem
from pass_dataset.passify.sources.tar_files import TarReader
from pass_dataset.records import PassArchive

__all__ = ["ArchiveFolder"]

_BATCH_ROWS = 10_000


@dataclass(frozen=True)
class ArchiveFolder:
    """The images of an archive folder; ``PASS.3.tar/<hash>.jpg`` is the path of one.

    Attributes:
      folder: archive folder, as `pass-dataset download` fills it.
      release: what it holds; None to be told from it.
    """

    folder: Path
    release: str | None = None

    @property
    def kind(self) -> Kind:
        return "pass"

    def items(self, report: ListingReport) -> Iterator[SourceItem]:
        archive = PassArchive(self.folder, self.release)
        names = archive.summary.tars
        texts = [name_to_text(name.encode()) for name in names]
        table = archive.index.table.select(["hash", "tar", "offset", "size_bytes"])
        for start in range(0, table.num_rows, _BATCH_ROWS):
            rows = table.slice(start, _BATCH_ROWS).to_pydict()
            for image_hash, tar, offset, size_bytes in zip(*rows.values(), strict=True):
                path = f"{texts[tar]}/{image_hash}.jpg"
                yield SourceItem(path, texts[tar], offset, size_bytes)

    def reader(self) -> TarReader:
        return TarReader(self.folder)

    def file_of(self, item: SourceItem) -> bytes | None:
        return None
