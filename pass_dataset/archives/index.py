"""The index of an archive folder: where every image lies, joined with its metadata.

The index is an Arrow file beside the tars, read through a memory map: opening it takes
milliseconds, and all processes of a machine share its pages. A fingerprint of the files it was
made from makes a changed tar rebuild it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from pass_dataset.archives.index_tables import index_table
from pass_dataset.archives.metadata import read_metadata
from pass_dataset.archives.tars import TarListing, list_tar
from pass_dataset.arrow_files import give_back, map_file, save_batch
from pass_dataset.errors import ArchiveError, FolderError
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.folders.lock import hold
from pass_dataset.folders.state import INDEX_NAME, PURGE_RECEIPT_NAME
from pass_dataset.progress import Progress, Silent
from pass_dataset.releases.release import Release, ReleaseFile
from pass_dataset.shown import shown

__all__ = [
    "ArchiveIndex",
    "IndexSummary",
    "build_index",
    "fingerprint_of",
    "open_index",
    "read_index",
]

logger = logging.getLogger(__name__)

#: Change it whenever the columns or their meaning change: older files are then made anew.
_SCHEMA = 1
_META_KEY = b"pass_dataset"


@dataclass(frozen=True)
class IndexSummary:
    """What was counted while the index was made.

    Attributes:
      version: release.
      tars: names of the tars, in order; row values of column ``tar`` count in this list.
      parts: part number of each of these tars.
      images: number of images.
      image_bytes: bytes of all images.
      folders: folder entries in the tars.
      others: members that are neither image nor folder.
      without_metadata: images without a row in the CSV.
      without_image: rows of the CSV without an image (with all parts present).
    """

    version: str
    tars: tuple[str, ...]
    parts: tuple[int, ...]
    images: int
    image_bytes: int
    folders: int
    others: int
    without_metadata: int
    without_image: int


@dataclass(frozen=True)
class ArchiveIndex:
    """Images of an archive folder, one row each, in the order they stand in the tars.

    Its table has the images on removal lists too, and is not for readers: these see it through
    `pass_dataset.archives.index_view.IndexView`, which is told what to leave out.

    Attributes:
      summary: what was counted.
    """

    summary: IndexSummary
    #: One record batch with the columns ``hash`` (string), ``tar`` (uint8), ``offset`` (int64),
    #: ``size_bytes`` (int64), ``creator``, ``license``, ``date_taken_text`` (string or null),
    #: ``date_taken`` (timestamp[us] or null), ``latitude``, ``longitude`` (float64 or null), and
    #: ``by_hash`` (int32): row numbers in the order of the hashes.
    _table: pa.RecordBatch = field(repr=False)

    def __len__(self) -> int:
        return int(self._table.num_rows)


def open_index(
    archives: ArchiveFolder,
    *,
    save: bool = True,
    rebuild: bool = False,
    progress: Progress | None = None,
) -> ArchiveIndex:
    """The index of a folder: the saved one if it still fits, else a new one.

    Args:
      archives: folder with the metadata CSV and one or more tars of the release. All tars that
        are there are indexed, whichever parts are meant.
      save: keep a new index for the next time.
      rebuild: make a new one in any case.
      progress: where progress is shown.

    Raises:
      ArchiveError, MetadataError, FolderError: see `build_index`.
    """
    index = None if rebuild else _load(archives, fingerprint_of(archives))
    if index is not None:
        return index
    if not save:
        index = build_index(archives, progress=progress)
        give_back()
        return index
    with hold(archives.path):
        # Another process may have made it while this one waited.
        fingerprint = fingerprint_of(archives)
        index = None if rebuild else _load(archives, fingerprint)
        if index is None:
            index = build_index(archives, progress=progress)
            _save(archives, index, fingerprint)
            index = _load(archives, fingerprint) or index
            give_back()
    return index


def build_index(
    archives: ArchiveFolder,
    *,
    strict: bool | None = None,
    progress: Progress | None = None,
) -> ArchiveIndex:
    """Reads all tar headers and the CSV, and joins them. Saves nothing.

    Args:
      archives: the folder.
      strict: refuse images without metadata and a wrong number of images; None: for the
        official releases only.
      progress: where progress is shown.

    Raises:
      ArchiveError: a tar is cut, compressed, damaged, unsafe or of another size than the release
        says; a hash stands twice; or, if strict, the images do not fit the metadata.
      MetadataError: the CSV cannot be read.
      FolderError: the folder lacks the CSV or has no tar.
    """
    folder, release = archives.path, archives.release
    present = _present_tars(folder, release)
    listings = _list_tars(folder, present, progress or Silent())
    made = index_table(
        listings,
        [file.filename for _, file in present],
        lambda: read_metadata(archives.metadata),
    )
    without_metadata = made.without_metadata
    complete = len(present) == len(release.tars)
    summary = IndexSummary(
        version=release.version,
        tars=tuple(file.filename for _, file in present),
        parts=tuple(part for part, _ in present),
        images=made.table.num_rows,
        image_bytes=sum(sum(listing.sizes) for listing in listings),
        folders=sum(listing.folders for listing in listings),
        others=sum(listing.num_others for listing in listings),
        without_metadata=len(without_metadata),
        without_image=made.metadata_rows - made.with_metadata if complete else 0,
    )
    _report_others(listings)
    if release.is_official if strict is None else strict:
        _check_release(folder, release, summary, without_metadata, complete)
    elif without_metadata:
        logger.warning(
            "%s: %d images have no row in %s, the first of them %s",
            folder,
            len(without_metadata),
            release.metadata.filename,
            shown(without_metadata[0]),
        )
    return ArchiveIndex(summary, made.table)


def _present_tars(folder: Path, release: Release) -> list[tuple[int, ReleaseFile]]:
    """The tars that are there, with their part numbers; all sizes must be those of the release."""
    if not (folder / release.metadata.filename).is_file():
        raise FolderError(
            f"{folder}: {release.metadata.filename} of {release.label} is missing; "
            "pass-dataset download fetches what is missing"
        )
    present = []
    for part, file in enumerate(release.tars):
        try:
            size = (folder / file.filename).stat().st_size
        except FileNotFoundError:
            continue
        except OSError as error:
            raise FolderError(f"{folder / file.filename}: {error.strerror}") from error
        if size != file.size_bytes:
            raise ArchiveError(
                f"{folder / file.filename}: expected {file.size_bytes:,} bytes as in "
                f"{release.label}, found {size:,}: truncated, or of another release. "
                + _advice(folder)
            )
        present.append((part, file))
    if not present:
        raise FolderError(f"{folder}: has no tar of {release.label}; expected PASS.0.tar and so on")
    return present


def _advice(folder: Path) -> str:
    if (folder / PURGE_RECEIPT_NAME).exists():
        return f"If a purge was interrupted: pass-dataset purge {folder} ends it."
    return "pass-dataset verify tells more."


def _list_tars(
    folder: Path, present: Sequence[tuple[int, ReleaseFile]], progress: Progress
) -> list[TarListing]:
    task = progress.task("Reading tar headers", len(present), "files")

    def listed(file: ReleaseFile) -> TarListing:
        listing = list_tar(folder / file.filename)
        task.advance(1)
        return listing

    # A thread a tar: the time goes into waiting for the disk or the network, and the tars of a
    # release lie on different places of it.
    with ThreadPoolExecutor(len(present)) as pool:
        listings = list(pool.map(listed, [file for _, file in present]))
    task.finish()
    return listings


def _report_others(listings: Iterable[TarListing]) -> None:
    for listing in listings:
        if listing.num_others:
            logger.warning(
                "%s: %d members are no .jpg and are left out: %s",
                listing.path,
                listing.num_others,
                ", ".join(map(shown, listing.others)) + (" …" if listing.num_others > 5 else ""),
            )


def _check_release(
    folder: Path, release: Release, summary: IndexSummary, without: Sequence[str], complete: bool
) -> None:
    if without:
        raise ArchiveError(
            f"{folder}: {len(without)} images of {release.label} have no row in "
            f"{release.metadata.filename}, such as "
            f"{', '.join(map(shown, without[:3]))}. Tars and CSV must be of one release: "
            "pass-dataset verify tells which file is not."
        )
    if complete and release.num_examples not in (None, summary.images):
        raise ArchiveError(
            f"{folder}: expected the {release.num_examples:,} images of {release.label}, found "
            f"{summary.images:,}. pass-dataset verify tells which file is wrong."
        )


def fingerprint_of(archives: ArchiveFolder) -> dict[str, Any]:
    """Sizes and times of the release's files: changes whenever one does, or comes, or goes."""
    release = archives.release
    files = {}
    for file in release.files:
        try:
            stat = (archives.path / file.filename).stat()
        except OSError:
            continue
        files[file.filename] = [stat.st_size, stat.st_mtime_ns]
    return {"schema": _SCHEMA, "version": release.version, "name": release.name, "files": files}


def _save(archives: ArchiveFolder, index: ArchiveIndex, fingerprint: dict[str, Any]) -> None:
    path = archives.state_path(INDEX_NAME, for_writing=True)
    meta = {"fingerprint": fingerprint, "summary": asdict(index.summary)}
    try:
        metadata = {_META_KEY: json.dumps(meta).encode()}
        save_batch(path, index._table.replace_schema_metadata(metadata))
    except OSError as error:
        logger.warning("%s: the index cannot be saved and will be made again: %s", path, error)


def _load(archives: ArchiveFolder, fingerprint: dict[str, Any]) -> ArchiveIndex | None:
    """The saved index, or None if there is none that fits."""
    path = archives.state_path(INDEX_NAME)
    try:
        saved, index = _read(path)
    except FileNotFoundError:
        return None
    except _UNREADABLE as error:
        logger.warning("%s cannot be used (%s); the index is made anew", path, error)
        return None
    if saved != fingerprint:
        logger.info("%s: the archives have changed; the index is made anew", path)
        return None
    return index


#: What a file that is no index of this version makes its reading raise.
_UNREADABLE = (OSError, ValueError, KeyError, TypeError)


def _read(path: Path) -> tuple[dict[str, Any], ArchiveIndex]:
    """A saved index and the fingerprint of the files it was made from."""
    reader = map_file(path)
    meta = json.loads(reader.schema.metadata[_META_KEY])
    summary = meta["summary"]
    summary["tars"], summary["parts"] = tuple(summary["tars"]), tuple(summary["parts"])
    index = ArchiveIndex(IndexSummary(**summary), reader.get_batch(0))
    return meta["fingerprint"], index


def read_index(path: Path, release: Release) -> ArchiveIndex:
    """An index that was saved elsewhere, for archives that are not here.

    Args:
      path: ``pass_index.arrow`` of an archive folder of the release.
      release: whose tars it is to speak of.

    Raises:
      FolderError: it is no index, or one of other files.
    """
    try:
        saved, index = _read(path)
        sizes = {name: facts[0] for name, facts in saved["files"].items()}
    except _UNREADABLE as error:
        raise FolderError(
            f"{path}: cannot be read as an index: {error}. pass-dataset index makes one, "
            f"{INDEX_NAME}, in an archive folder."
        ) from error
    expected = {file.filename: file.size_bytes for file in release.files}
    wrong = [name for name, size in sizes.items() if expected.get(name) != size]
    if wrong:
        raise FolderError(
            f"{path}: is the index of other files than those of {release.label}: {wrong[0]} had "
            f"{sizes[wrong[0]]:,} bytes there. Give the index of this release, or none."
        )
    return index
