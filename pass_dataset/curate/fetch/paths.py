"""What fetching has besides its part of the ledger, in `work/fetch/`.

spool/000017.spool       what is fetched so far of a shard that is not whole
tars/000017.tar          the photographs of a shard, when it is
receipts/000017.parquet  what became of each; written last, so the shard is done
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pass_dataset.curate.folder import CurationFolder

__all__ = ["STEP", "FetchPaths"]

#: The step's name.
STEP = "fetch"


@dataclass(frozen=True)
class FetchPaths:
    """Names of files."""

    folder: CurationFolder

    def spool(self, shard: int) -> Path:
        return self.folder.work_path(STEP) / "spool" / f"{shard:06d}.spool"

    def tar(self, shard: int) -> Path:
        """The photographs of a shard that is done."""
        return self.folder.work_path(STEP) / "tars" / f"{shard:06d}.tar"

    def receipts(self, shard: int) -> Path:
        return self.folder.work_path(STEP) / "receipts" / f"{shard:06d}.parquet"
