"""The cache folder of `datasets` purged: the data as Arrow, and what was computed from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from pass_dataset.builds.catalogue import INFO_NAME
from pass_dataset.builds.purging.purging import Affected, Purgeable, Rewritten
from pass_dataset.builds.purging.receipt import PurgedFile
from pass_dataset.builds.purging.rows import parted
from pass_dataset.errors import UnreadableBuildError
from pass_dataset.files.whole import write_whole
from pass_dataset.progress import Progress

__all__ = ["PurgeableCache"]

#: Names the files of a dataset that `save_to_disk` wrote.
_STATE_NAME = "state.json"


class PurgeableCache(Purgeable):
    """Data of `pass` or `pass_mini` that `datasets` has cached, or saved with `save_to_disk`.

    And what it has cached of an export that it was given as a folder.

    What the library computed from it (``cache-….arrow``: results of `map`, `filter` and so on) may
    have the images and is deleted; it is computed again when it is asked for.
    """

    def affected(self, hashes: frozenset[str], progress: Progress) -> list[Affected]:
        paths = self._data()
        task = progress.task("Reading hashes", len(paths), "files")
        files = []
        for path in paths:
            found = [one for one in self.images(path.name, path, hashes) if one in hashes]
            if found:
                files.append(Affected(path.name, tuple(found)))
            task.advance(1)
        task.finish()
        return files

    def data_files(self) -> list[Path]:
        return self._data()

    def images(self, name: str, path: Path, hashes: frozenset[str]) -> list[str]:
        return [one for batch in _batches(path) for one in batch["hash"].to_pylist()]

    def rewrite(self, file: Affected, target: Path, progress: Progress) -> Rewritten:
        path = self.folder / file.name
        listed = pa.array(sorted(file.hashes), pa.string())
        images = size_bytes = 0
        with pa.memory_map(str(path)) as source, pa.OSFile(str(target), "wb") as sink:
            reader = pa.ipc.open_stream(source)
            with pa.ipc.new_stream(sink, reader.schema) as copy:
                for batch in reader:
                    left, removed = parted(batch, listed)
                    images += removed.num_rows
                    size_bytes += removed.nbytes
                    if left.num_rows:
                        copy.write_batch(left)
        return Rewritten(images, size_bytes)

    def describe(self, file: PurgedFile) -> None:
        info = self._info()
        names = [path.name for path in self._data()]
        lengths = [sum(batch.num_rows for batch in _batches(path)) for path in self._data()]
        (split,) = (info.get("splits") or {"": {}}).values()
        if split.get("num_examples") == sum(lengths):
            return
        if split:
            split["num_examples"] = sum(lengths)
            split["num_bytes"] -= file.example_bytes
            if split.get("shard_lengths") is not None and len(names) > 1:
                split["shard_lengths"] = lengths
        for name in ("dataset_size", "size_in_bytes"):
            if info.get(name) is not None:
                info[name] -= file.example_bytes
        write_whole(self.folder / INFO_NAME, json.dumps(info).encode())

    def finish(self) -> list[str]:
        computed = sorted(self.folder.glob("cache-*.arrow"))
        for path in computed:
            path.unlink()
        return [path.name for path in computed]

    def _data(self) -> list[Path]:
        name = self._info().get("dataset_name")
        paths = self._saved() or sorted(self.folder.glob(f"{name}-*.arrow"))
        if not paths:
            raise UnreadableBuildError(
                f"{self.folder}: has no Arrow files of {name}; other formats are not written anew: "
                "delete the folder and build it again, its images are left out then"
            )
        return paths

    def _saved(self) -> list[Path]:
        """What `save_to_disk` wrote; nothing where it was not that."""
        path = self.folder / _STATE_NAME
        try:
            files = json.loads(path.read_text(encoding="utf-8"))["_data_files"]
            names = [str(file["filename"]) for file in files]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UnreadableBuildError(f"{path}: cannot be read: {error}") from error
        strange = [name for name in names if name != Path(name).name]
        if strange:
            raise UnreadableBuildError(
                f"{path}: names a file that is not in its folder: {strange[0]!r}; delete the "
                "folder, or load it and save it anew"
            )
        return [self.folder / name for name in names]

    def _info(self) -> dict[str, Any]:
        path = self.folder / INFO_NAME
        try:
            info: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UnreadableBuildError(f"{path}: cannot be read: {error}") from error
        return info


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    try:
        with pa.memory_map(str(path)) as source:
            reader = pa.ipc.open_stream(source)
            if "hash" not in reader.schema.names:
                raise UnreadableBuildError(
                    f"{path}: has no column 'hash', by which images are told; delete the folder if "
                    "any of them can be in it"
                )
            yield from reader
    except (OSError, pa.ArrowException) as error:
        raise UnreadableBuildError(
            f"{path}: cannot be read: {error}. Delete the folder and build it again."
        ) from error
