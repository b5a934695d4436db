"""The photographs that a step was given, as a source of images: members of the fetched tars."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pass_dataset.archives.tars import REGULAR, Member, read_members
from pass_dataset.curate.filter.opt_outs import OptOuts
from pass_dataset.curate.ledger import Ledger
from pass_dataset.errors import CurationError
from pass_dataset.folders.file_mark import FileVersion
from pass_dataset.passify.sources.file_states import FileStates
from pass_dataset.passify.sources.folder_tree import Suffixes
from pass_dataset.passify.sources.names import name_to_text
from pass_dataset.passify.sources.source import Kind, ListingReport, SourceItem
from pass_dataset.passify.sources.tar_files import TarFiles, TarReader

__all__ = ["FetchedPhotographs", "tar_name"]

#: What `fetch` says of where a photograph is.
_PLACE = ("hash", "sha256", "size_bytes", "tar_offset")


def tar_name(shard: int) -> str:
    """Name of a shard's tar in the folder of fetched tars."""
    return f"{shard:06d}.tar"


class FetchedPhotographs:
    """The photographs that a step was given and that did not opt out, in the order of the ledger.

    What else lies in the tars is not listed. A photograph is known by its hash, the name of its
    member, and has to be where `fetch` put it.
    """

    def __init__(self, tars: Path, ledger: Ledger, after: str, opt_outs: OptOuts) -> None:
        """Args:
        tars: folder of the tars.
        ledger: of the curation.
        after: the step that let the photographs through.
        opt_outs: photographs that are not to be listed.
        """
        self.tars = tars
        self._ledger = ledger
        self._after = after
        self._opt_outs = opt_outs
        self.shards = ledger.shards()

    @property
    def kind(self) -> Kind:
        """They lie in tars."""
        return "tar"

    def given(self, shard: int) -> tuple[pa.Table, npt.NDArray[np.bool_]]:
        """The photographs of a shard with their place, and which of them opted out."""
        given = self._ledger.left(shard, _PLACE, after=self._after)
        return given, self._opt_outs.among(given["hash"], given["sha256"])

    def count(self) -> int:
        """Number of photographs that are to be looked at."""
        return sum(int((~self.given(shard)[1]).sum()) for shard in range(self.shards))

    def items(self, report: ListingReport) -> Iterator[SourceItem]:
        """The photographs, a shard at a time.

        Raises:
          CurationError: one is not where `fetch` put it.
          ArchiveError: a tar cannot be read.
        """
        for shard in range(self.shards):
            given, opted_out = self.given(shard)
            asked = given.filter(pa.array(~opted_out))
            if not asked.num_rows:
                continue
            path = self.tars / tar_name(shard)
            try:
                report.files[tar_name(shard)] = FileVersion.of(path)
            except OSError as error:
                raise CurationError(
                    f"{path}: {error.strerror}; it is one of the tars that fetch made"
                ) from error
            for member in _members(path, asked):
                name = name_to_text(member.name.encode("utf-8", "surrogateescape"))
                yield SourceItem(
                    f"{tar_name(shard)}/{name}", tar_name(shard), member.offset, member.size_bytes
                )

    def reader(self, states: FileStates) -> TarReader:
        """Reads them by their place."""
        return TarFiles(os.fsencode(self.tars), Suffixes.of(None)).reader(states)

    def file_of(self, item: SourceItem) -> bytes | None:
        """They are no files."""
        return None


def _members(path: Path, asked: pa.Table) -> Iterator[Member]:
    """The members of a tar that are these photographs; both are in order of row."""
    wanted = zip(
        *(asked[name].to_pylist() for name in ("hash", "tar_offset", "size_bytes")), strict=True
    )
    name, offset, size_bytes = next(wanted)
    for member in read_members(path):
        if member.kind not in REGULAR or Path(member.name).name != f"{name}.jpg":
            continue
        if (member.offset, member.size_bytes) != (offset, size_bytes):
            raise CurationError(
                f"{path}: expected {name}.jpg at {offset:,} with {size_bytes:,} bytes, as the "
                f"ledger says, found it at {member.offset:,} with {member.size_bytes:,}; the tar "
                "is another one than was fetched"
            )
        yield member
        try:
            name, offset, size_bytes = next(wanted)
        except StopIteration:
            return
    raise CurationError(
        f"{path}: expected {name}.jpg, as the ledger says, found no such member at its place; the "
        "tar is another one than was fetched"
    )
