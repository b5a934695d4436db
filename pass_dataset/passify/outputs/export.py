"""The images that a run keeps, in a place of their own: copied, linked, or in new tars."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pass_dataset.errors import PassDatasetError, RunError, SourceChangedError, SourceError
from pass_dataset.executors.shard_folder import written_whole
from pass_dataset.files.parts import is_part
from pass_dataset.files.whole import write_whole
from pass_dataset.passify.outputs.kinds import ExportKind
from pass_dataset.passify.outputs.lists import judged_rows, removed_digest
from pass_dataset.passify.outputs.places import (
    TakenNames,
    is_hard_link,
    is_same_file,
    is_soft_link,
)
from pass_dataset.passify.outputs.tar_shards import StoredTar, TarShards
from pass_dataset.passify.runs.exclusions import Exclusions
from pass_dataset.passify.runs.outcomes import Thresholds
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.sources.names import name_to_text, text_to_name
from pass_dataset.passify.sources.opening import open_source
from pass_dataset.passify.sources.source import Reader, Source, SourceItem
from pass_dataset.progress import Progress, Silent

__all__ = ["Export", "ExportReport", "KeptImage", "target_name"]

logger = logging.getLogger(__name__)

#: Hidden, as programs that read all files of a folder pass over such names.
_NOTE_NAME = ".passify_export.json"
#: What it was called before version 0.10.
_OLDER_NOTE_NAME = "passify_export.json"
_COLUMNS = ("path", "sha256", "width", "height", "face_max_score", "person_max_score")
#: First bytes of image files, for images that are cells of tables and have no name of their own.
_MAGIC = (
    (b"\xff\xd8\xff", b".jpg"),
    (b"\x89PNG", b".png"),
    (b"GIF8", b".gif"),
    (b"BM", b".bmp"),
    (b"II*\0", b".tif"),
    (b"MM\0*", b".tif"),
)


@dataclass(frozen=True)
class KeptImage:
    """An image that is kept, and its row."""

    item: SourceItem
    row: dict[str, Any]


@dataclass
class ExportReport:
    """What an export did.

    Attributes:
      images: images that are there now.
      undecided: images that are not, as the run does not know whether they would be kept.
      changed: images that are not, as their files are others than those that were examined.
      clashing: images that are not, as another one has their name in the export.
      differing: images that are not, as something else lies in their place; it is left alone.
    """

    images: int = 0
    undecided: int = 0
    changed: int = 0
    clashing: int = 0
    differing: int = 0

    @property
    def is_whole(self) -> bool:
        """True if every image that is kept is there."""
        return not (self.undecided or self.changed or self.clashing or self.differing)


@dataclass(frozen=True)
class Export:
    """An export to be done.

    Attributes:
      to: folder to fill; one that a cut export left is gone on with.
      kind: how.
      thresholds: at which images are kept.
      shard_size: images in a tar.
      exclusions: images that are left out beside those that the run left out.
    """

    to: Path
    kind: ExportKind
    thresholds: Thresholds
    shard_size: int = 1000
    exclusions: Exclusions | None = None

    def run(self, results: Results, progress: Progress | None = None) -> ExportReport:
        """Fills the folder.

        Raises:
          RunError: the run is not done; or the folder holds an export of other settings.
          SourceError: the source cannot be read, or its images are no files to be linked.
          OSError: the folder cannot be written.
        """
        results.require_whole()
        source = open_source(results.settings.source)
        if self.kind in ("hardlink", "symlink") and source.kind not in ("folder", "list"):
            raise SourceError(
                f"{results.settings.source.path}: its images lie within files ({source.kind}) and "
                "cannot be linked; use --as copy, tar or webdataset"
            )
        self._claim(results)
        task = (progress or Silent()).task("Exporting", None, "images")
        report = ExportReport()
        reader = source.reader(results.plan.files)
        try:
            if self.kind in ("tar", "webdataset"):
                self._to_tars(results, source, reader, report, task.advance)
            else:
                taken = TakenNames(self.to / _NOTE_NAME)
                for image in self._kept(results, report):
                    self._place(image, source, reader, taken, report)
                    task.advance(1)
        finally:
            reader.close()
            task.finish()
        return report

    def _claim(self, results: Results) -> None:
        """Notes what this folder is an export of, or sees that it is of the same."""
        excluded = self.exclusions or Exclusions()
        digest = hashlib.sha256("\n".join(sorted(excluded.paths | excluded.hashes)).encode())
        note = {
            "run": os.fspath(results.folder.path),
            "as": self.kind,
            "thresholds": asdict(self.thresholds),
            "shard_size": self.shard_size if self.kind in ("tar", "webdataset") else None,
            "exclusions": digest.hexdigest() if len(excluded) else None,
            "removed": removed_digest(results),
        }
        path = self.to / _NOTE_NAME
        self.to.mkdir(parents=True, exist_ok=True)
        older = self.to / _OLDER_NOTE_NAME
        if older.exists() and not path.exists():
            older.rename(path)
        if path.exists():
            found = json.loads(path.read_text())
            differing = [name for name in note if found.get(name) != note[name]]
            if differing:
                name = differing[0]
                raise RunError(
                    f"{self.to}: this is another export: its {name} is {found.get(name)!r}, asked "
                    f"for is {note[name]!r}; take another --to"
                )
        # A part is the note itself, of an export that was killed before it had its name.
        elif any(not is_part(entry.name) for entry in self.to.iterdir()):
            raise RunError(f"{self.to}: expected a new or empty folder; take another --to")
        write_whole(path, json.dumps(note, indent=1).encode())

    def _kept(self, results: Results, report: ExportReport) -> Iterator[KeptImage]:
        rows = judged_rows(results, self.thresholds, _COLUMNS, self.exclusions)
        for shard, (table, reasons) in zip(results.shards, rows, strict=True):
            items = results.plan.items(results.folder, shard)
            contents = table.select(_COLUMNS).to_pylist()
            for item, row, reason in zip(items, contents, reasons.to_pylist(), strict=True):
                if reason is None:
                    yield KeptImage(item, row)
                elif reason.endswith("-unknown"):
                    report.undecided += 1

    def _read(self, image: KeptImage, reader: Reader, report: ExportReport) -> bytes | None:
        """Bytes of an image, if they are still those that were examined."""
        try:
            data = reader.read(image.item)
        except SourceChangedError:
            raise  # not this image alone: whatever follows lies elsewhere too
        except (OSError, PassDatasetError) as error:
            logger.warning("%s: cannot be read any more: %s", image.item.path, error)
            report.changed += 1
            return None
        if hashlib.sha256(data).hexdigest() != image.row["sha256"]:
            logger.warning("%s: has changed since it was examined; left out", image.item.path)
            report.changed += 1
            return None
        return data

    # --- files ------------------------------------------------------------------------------------

    def _place(
        self,
        image: KeptImage,
        source: Source,
        reader: Reader,
        taken: TakenNames,
        report: ExportReport,
    ) -> None:
        name = target_name(image.item)
        data: bytes | None = None
        # A link is as good as what is behind it. And an image of a table has no name's ending.
        if self.kind != "copy" or image.item.container is not None:
            data = self._read(image, reader, report)
            if data is None:
                return
            if image.item.container is not None:
                name = _with_ending(name, data)
        if not _take(taken, name, image, report):
            return
        path = self.to / os.fsdecode(name)
        try:
            if os.path.lexists(path):
                is_there = self._is_there(path, image, source)
            else:
                data = self._read(image, reader, report) if data is None else data
                if data is None:
                    return
                self._put(path, image, source, data)
                is_there = True
        except (FileExistsError, NotADirectoryError):  # a file where a folder has to be
            is_there = False
        if is_there:
            report.images += 1
        else:
            logger.warning(
                "%s: something else lies in the place of %s; it is left alone, and the image out",
                path,
                image.item.path,
            )
            report.differing += 1

    def _is_there(self, path: Path, image: KeptImage, source: Source) -> bool:
        """Whether what lies in an image's place is what this export would put there."""
        if self.kind == "copy":
            return is_same_file(path, image.row["sha256"])
        found = _file_of(image, source)
        return is_soft_link(path, found) if self.kind == "symlink" else is_hard_link(path, found)

    def _put(self, path: Path, image: KeptImage, source: Source, data: bytes) -> None:
        if self.kind == "copy":
            with written_whole(path) as file:
                file.write(data)
            return
        found = _file_of(image, source)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if self.kind == "symlink":
                path.symlink_to(found)
            else:
                path.hardlink_to(found)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            raise SourceError(
                f"{self.to}: is on another file system than the images, where no hard link can "
                "lead; use --as copy or symlink"
            ) from error

    # --- tars -------------------------------------------------------------------------------------

    def _to_tars(
        self,
        results: Results,
        source: Source,
        reader: Reader,
        report: ExportReport,
        told: Callable[[int], None],
    ) -> None:
        shards = TarShards(self.to, self.shard_size)
        taken = TakenNames(None)
        for number, image in enumerate(self._kept(results, report)):
            told(1)
            name = target_name(image.item)
            if self.kind == "tar" and not _take(taken, name, image, report):
                continue
            key = b"%09d" % number
            stored = shards.stored(number)
            if stored is not None:
                names = _possible_names(name, key if self.kind == "webdataset" else name)
                self._compare(stored, names, image, reader, report)
                continue
            data = self._read(image, reader, report)
            if data is None:
                continue
            report.images += 1
            if self.kind == "tar":
                inside = image.item.container is not None
                shards.add(number, _with_ending(name, data) if inside else name, data)
                continue
            shards.add(number, key + _ending(name, data), data)
            shards.add(number, key + b".json", json.dumps(image.row).encode())
        shards.close()

    def _compare(
        self,
        stored: StoredTar,
        names: list[bytes],
        image: KeptImage,
        reader: Reader,
        report: ExportReport,
    ) -> None:
        """Sees whether a tar that is there already has an image."""
        sha256 = next(filter(None, map(stored.sha256, names)), None)
        if sha256 == image.row["sha256"]:
            report.images += 1
        # It may have been left out, for the reason for which it still would be.
        elif sha256 is not None or self._read(image, reader, report) is not None:
            logger.warning(
                "%s: %s %s; remove the tar and export again",
                stored.path,
                "has other bytes as" if sha256 else "lacks",
                image.item.path,
            )
            report.differing += 1


def _file_of(image: KeptImage, source: Source) -> Path:
    """The file that an image is, without links on the way to it."""
    found = source.file_of(image.item)
    assert found is not None
    return Path(os.fsdecode(found)).resolve()


def _take(taken: TakenNames, name: bytes, image: KeptImage, report: ExportReport) -> bool:
    """Takes a name for an image; False, and it is counted, if another one has it."""
    if taken.take(name):
        return True
    logger.warning("%s: another image has this name in the export; left out", name_to_text(name))
    report.clashing += 1
    return False


def target_name(item: SourceItem) -> bytes:
    """Where an image goes within the folder of an export: its path, which must not lead out.

    Raises:
      SourceError: it would.
    """
    name = text_to_name(item.path).lstrip(b"/")
    if b".." in name.split(b"/"):
        raise SourceError(f"{item.path}: its path leads out of the folder to export to")
    return name


def _ending(name: bytes, data: bytes) -> bytes:
    """Ending of an image file: that of its name, else by what it is."""
    ending = os.path.splitext(name)[1].lower()  # noqa: PTH122
    if ending and ending[1:].isalpha():
        return ending
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return b".webp"
    return next((known for magic, known in _MAGIC if data.startswith(magic)), b".jpg")


def _possible_names(name: bytes, stem: bytes) -> list[bytes]:
    """What a member may be called that was named `stem` by an image of this name."""
    ending = os.path.splitext(name)[1].lower()  # noqa: PTH122
    if ending and ending[1:].isalpha():
        return [stem, stem + ending]
    return [stem, *(stem + known for known in (*(known for _, known in _MAGIC), b".webp"))]


def _with_ending(name: bytes, data: bytes) -> bytes:
    """A name that ends as an image file does."""
    ending = _ending(name, data)
    return name if name.lower().endswith(ending) else name + ending
