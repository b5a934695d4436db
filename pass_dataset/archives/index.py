"""The index of an archive folder: where every image lies, joined with its metadata.

It is made once and saved (`saved_index`), and made anew where the files are others than those it
was made from.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pass_dataset.archives.index_tables import index_table
from pass_dataset.archives.metadata import read_metadata
from pass_dataset.archives.saved_index import (
    ArchiveIndex,
    IndexSummary,
    load_index,
    marks_of,
    save_index,
)
from pass_dataset.archives.tar_listing import TarListing, list_tar
from pass_dataset.archives.turns import Turn
from pass_dataset.errors import ArchiveError, ArchiveReplacedError, FolderError
from pass_dataset.files.arrow import give_back
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.folders.file_mark import FileMark, are_same
from pass_dataset.folders.lock import hold
from pass_dataset.folders.state import INDEX_NAME, PURGE_RECEIPT_NAME
from pass_dataset.progress import Progress, shown_by
from pass_dataset.releases.release import Release, ReleaseFile
from pass_dataset.shown import shown

__all__ = ["build_index", "open_index"]

logger = logging.getLogger(__name__)

#: Tars whose headers are read at a time, a thread each.
_MAX_THREADS = 32
#: How often the index is made of files that are being changed meanwhile.
_TRIES = 3


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
      save: keep a new index for the next time, where there is a place for it.
      rebuild: make a new one in any case.
      progress: where progress is shown.

    Raises:
      ArchiveError, MetadataError, FolderError: see `build_index`.
      ArchiveReplacedError: the files are changed again and again while it is made.
    """
    index = None if rebuild else load_index(archives, marks_of(archives))
    if index is not None:
        return index
    if not (save and _can_save(archives)):
        index, _ = _built(archives, progress)
        give_back()
        return index
    # Not needed, so that readers can do without: it only spares two processes the same work.
    with hold(archives.path, is_needed=False):
        # Another process may have made it while this one waited.
        index = None if rebuild else load_index(archives, marks_of(archives))
        if index is None:
            index, marks = _built(archives, progress)
            save_index(archives, index, marks)
            index = load_index(archives, marks) or index
            give_back()
    return index


def _can_save(archives: ArchiveFolder) -> bool:
    try:
        archives.state_path(INDEX_NAME, for_writing=True)
    except (OSError, FolderError) as error:
        logger.warning(
            "%s: the index cannot be saved and is made each time: %s", archives.path, error
        )
        return False
    return True


def _built(
    archives: ArchiveFolder, progress: Progress | None
) -> tuple[ArchiveIndex, Mapping[str, FileMark]]:
    """A new index, and the files that it is of: the same before and after they were read."""
    before = marks_of(archives)
    for _ in range(_TRIES):
        index = build_index(archives, progress=progress)
        after = marks_of(archives)
        if are_same(before, after):
            return index.of_files(archives, before), before
        before = after
    raise ArchiveReplacedError(
        f"{archives.path}: its files are being changed while they are indexed; wait for the "
        "download or the purge to end, and open it again"
    )


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
    # Arrow reads the CSV beside Python's reading of headers. The list is for `index_table`, which
    # frees the metadata piece by piece: nothing else may have hold of them.
    with ThreadPoolExecutor(1) as beside, shown_by(progress) as told:
        metadata = [beside.submit(read_metadata, archives.metadata)]
        listings = _list_tars(folder, present, told)
        made = index_table(
            listings,
            [file.filename for _, file in present],
            lambda: metadata.pop().result(),
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
    turn = Turn()

    def listed(file: ReleaseFile) -> TarListing:
        listing = list_tar(folder / file.filename, turn)
        task.advance(1)
        return listing

    # A thread a tar: the time goes into waiting for the disk or the network, and the tars of a
    # release lie on different places of it.
    with ThreadPoolExecutor(min(len(present), _MAX_THREADS)) as pool:
        try:
            listings = list(pool.map(listed, [file for _, file in present]))
        except BaseException:
            turn.end()  # else Ctrl-C would wait until all tars are read
            raise
    task.finish()
    return listings


def _report_others(listings: Iterable[TarListing]) -> None:
    for listing in listings:
        if listing.num_others:
            logger.warning(
                "%s: %d members are no .jpg files and are left out: %s",
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
