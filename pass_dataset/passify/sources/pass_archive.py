"""A PASS archive folder, or any collection in its layout, through its index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.archives.hash_lists import read_hash_list, resolve, unmatched
from pass_dataset.archives.records import PassArchive
from pass_dataset.errors import SourceError
from pass_dataset.folders.file_mark import FileVersion
from pass_dataset.passify.sources.file_states import FileStates
from pass_dataset.passify.sources.names import name_to_text
from pass_dataset.passify.sources.source import Kind, ListingReport, SourceItem
from pass_dataset.passify.sources.tar_files import TarReader

__all__ = ["PassImages"]

_BATCH_ROWS = 10_000


@dataclass(frozen=True)
class PassImages:
    """The images of an archive folder; ``PASS.3.tar/<hash>.jpg`` is the path of one.

    Attributes:
      folder: archive folder, as `pass-dataset download` fills it.
      release: what it holds; None to be told from it.
      only: list of hashes, one a line, to which the images are restricted; None: all.
    """

    folder: Path
    release: str | None = None
    only: Path | None = None

    @property
    def kind(self) -> Kind:
        return "pass"

    def items(self, report: ListingReport) -> Iterator[SourceItem]:
        # Before the index is opened: it may be of a tar that comes a moment later.
        states = {path.name: FileVersion.of(path) for path in self.folder.glob("*.tar")}
        archive = PassArchive(self.folder, self.release)
        names = archive.summary.tars
        texts = [name_to_text(name.encode()) for name in names]
        report.files.update(
            {text: states[name] for text, name in zip(texts, names, strict=True) if name in states}
        )
        if self.only is not None:
            archive = _restricted(archive, self.only)
        for start in range(0, len(archive), _BATCH_ROWS):
            images = archive[start : start + _BATCH_ROWS]
            rows = images.columns(["hash", "tar", "offset", "size_bytes"]).to_pydict()
            for image_hash, tar, offset, size_bytes in zip(*rows.values(), strict=True):
                path = f"{texts[tar]}/{image_hash}.jpg"
                yield SourceItem(path, texts[tar], offset, size_bytes)

    def reader(self, states: FileStates) -> TarReader:
        return TarReader(self.folder, states)

    def file_of(self, item: SourceItem) -> bytes | None:
        return None


def _restricted(archive: PassArchive, only: Path) -> PassArchive:
    """The images that a list names.

    Raises:
      MetadataError: the list cannot be read.
      SourceError: it names an image that is not there.
    """
    names = read_hash_list(only)
    known = archive.columns(["hash"])["hash"]
    absent = unmatched(names, known)
    if absent:
        raise SourceError(
            f"{only}: names {len(absent):,} images that the archive does not have, such as "
            f"{absent[0]!r}"
        )
    return archive.keeping(resolve(names, known))
