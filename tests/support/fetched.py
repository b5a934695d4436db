"""Curations of which photographs are fetched, written as `fetch` writes them."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.step_writer import begin_step

__all__ = ["fetched_curation", "photograph_hash"]


def photograph_hash(number: int) -> str:
    """The hash of a photograph that has a number."""
    return hashlib.md5(str(number).encode()).hexdigest()


def fetched_curation(path: Path, *shards: Sequence[bytes | str]) -> CurationFolder:
    """A curation whose shards have these photographs, numbered through.

    Args:
      path: of its folder.
      shards: the bytes of each photograph; text: why it could not be fetched.
    """
    folder = CurationFolder(path)
    tars = folder.work_path("fetch") / "tars"
    tars.mkdir(parents=True)
    ledger = Ledger(folder)
    first = 0
    writer = begin_step(ledger, "select", {"licenses": ["by"]})
    for shard, contents in enumerate(shards):
        rows = list(range(first, first + len(contents)))
        hashes = [photograph_hash(row) for row in rows]
        causes = pa.array([None] * len(rows), pa.string())
        writer.write(shard, pa.table({"row": rows, "cause": causes, "hash": hashes}))
        first += len(contents)
    writer.finish()
    writer = begin_step(ledger, "fetch", {"sources": ["bucket"]})
    for shard, contents in enumerate(shards):
        given = writer.given(shard, ["hash"])
        members = {
            name: data
            for name, data in zip(given["hash"].to_pylist(), contents, strict=True)
            if isinstance(data, bytes)
        }
        offsets = write_tar(tars / f"{shard:06d}.tar", shard, members)
        names = given["hash"].to_pylist()
        there = [members.get(name) for name in names]
        sums = [None if data is None else hashlib.sha256(data).hexdigest() for data in there]
        writer.write(
            shard,
            pa.table(
                {
                    "row": given["row"],
                    "cause": pa.array(
                        [data if isinstance(data, str) else None for data in contents], pa.string()
                    ),
                    "size_bytes": pa.array(
                        [None if data is None else len(data) for data in there], pa.int64()
                    ),
                    "sha256": pa.array(sums, pa.string()),
                    "tar_offset": pa.array([offsets.get(name) for name in names], pa.int64()),
                }
            ),
        )
    writer.finish()
    return folder


def write_tar(path: Path, shard: int, members: Mapping[str, bytes]) -> dict[str, int]:
    """Writes a tar of these photographs; returns where the bytes of each are in it."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(f"PASS_dataset/{shard}/{name}.jpg")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    with tarfile.open(path) as tar:
        return {Path(member.name).stem: member.offset_data for member in tar}
