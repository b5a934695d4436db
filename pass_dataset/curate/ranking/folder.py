"""The folder of a ranking. These classes own every name in it.

RANKING/
  settings.json             what is asked of which images; written once
  images/                   the list of images and their shards, as that of a run of passify
  results/000017.parquet    what rankers said of a shard's images
  partial/000017.parquet    the same of a shard that is being worked on
  done/, failed/, crashes/  see `pass_dataset.executors.shard_folder`
  scores.parquet            all results in one file, of a ranking of its own
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pass_dataset.curate.settings import differences
from pass_dataset.errors import RunError
from pass_dataset.executors.shard_folder import ShardFolder, written_whole
from pass_dataset.files.checked_json import load_json, save_json
from pass_dataset.passify.runs.plan import Plan
from pass_dataset.passify.runs.run_folder import RunFolder

__all__ = ["IMAGE", "RankFolder", "RankedShard", "Ranking"]

#: What is said of each image besides what rankers say.
IMAGE = pa.schema(
    [
        pa.field("path", pa.string()),
        pa.field("sha256", pa.string()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        # Why there are no scores, or not all: null where there are.
        pa.field("problem", pa.string()),
        pa.field("message", pa.string()),
    ]
)


@dataclass(frozen=True)
class RankedShard:
    """Marker of a shard.

    Attributes:
      shard: its number.
      images: images in it.
      worked_on: those that the last worker looked at.
      problems: images without scores, by why.
      decode_s: processor time of reading and decoding.
      rank_s: time in rankers, by name.
      finished_at: seconds since 1970.
    """

    shard: int
    images: int
    worked_on: int
    problems: dict[str, int]
    decode_s: float
    rank_s: dict[str, float]
    finished_at: float


@dataclass(frozen=True)
class Ranking:
    """What is asked, as the folder has it.

    Attributes:
      rankers: name and identity of each, in order.
    """

    rankers: tuple[tuple[str, str], ...]

    @property
    def names(self) -> list[str]:
        """Names of the rankers, in order."""
        return [name for name, _ in self.rankers]

    def differences(self, asked: Ranking) -> list[str]:
        """What differs, a line each."""
        return differences(dict(self.rankers), dict(asked.rankers))


class RankFolder(ShardFolder[RankedShard]):
    """Names of files, and what is in the small ones."""

    @property
    def settings_path(self) -> Path:
        return self.path / "settings.json"

    @property
    def images(self) -> RunFolder:
        """Has the list of images."""
        return RunFolder(self.path / "images")

    @property
    def scores_path(self) -> Path:
        return self.path / "scores.parquet"

    def results_path(self, shard: int) -> Path:
        return self.path / "results" / f"{shard:06d}.parquet"

    def partial_path(self, shard: int) -> Path:
        return self.path / "partial" / f"{shard:06d}.parquet"

    def marker(self, content: Mapping[str, Any]) -> RankedShard:
        return RankedShard(**content)

    def left_by(self, shard: int) -> Iterable[Path]:
        return (self.partial_path(shard),)

    @property
    def is_there(self) -> bool:
        """Whether this is the folder of a ranking."""
        return self.settings_path.is_file() and self.images.settings_path.is_file()

    def ranking(self) -> Ranking:
        """What is asked.

        Raises:
          RunError: there is no ranking here, or it cannot be read.
        """
        try:
            content = load_json(self.settings_path)
            return Ranking(tuple((str(name), str(of)) for name, of in content["rankers"]))
        except FileNotFoundError:
            raise RunError(
                f"{self.path}: expected the folder of a ranking, found none; "
                "pass-curate rank SOURCE --out FOLDER makes one"
            ) from None
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{self.settings_path}: cannot be read: {error}") from error

    def claim(self, ranking: Ranking) -> None:
        """Makes this the folder of a ranking.

        Raises:
          RunError: it is that of another one.
        """
        if self.settings_path.exists():
            found = self.ranking().differences(ranking)
            if found:
                listed = "\n  ".join(found)
                raise RunError(
                    f"{self.path}: other rankers were asked here:\n  {listed}\nTake another "
                    "folder, or ask the same"
                )
            return
        self.path.mkdir(parents=True, exist_ok=True)
        save_json(self.settings_path, asdict(ranking), indent=1)

    def plan(self) -> Plan:
        """How the images are cut into shards.

        Raises:
          RunError: they are not listed.
        """
        plan = Plan.load(self.images)
        if plan is None:
            raise RunError(f"{self.path}: the images are not listed yet; pass-curate rank goes on")
        return plan

    def require_whole(self) -> None:
        """Raises `RunError` if shards are missing."""
        plan = self.plan()
        missing = plan.num_shards - len(self.done())
        if missing:
            raise RunError(
                f"{self.path}: {missing:,} of {plan.num_shards:,} shards are not done; "
                "pass-curate rank goes on"
            )

    def write(self, path: Path, table: pa.Table) -> None:
        """Writes results of a shard."""
        with written_whole(path) as file:
            pq.write_table(table, file, compression="zstd")

    def tables(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Results of each shard that is done, in order.

        Raises:
          RunError: a file cannot be read.
        """
        for shard in sorted(self.done()):
            yield self.table(shard, columns)

    def table(self, shard: int, columns: list[str] | None = None) -> pa.Table:
        """Results of a shard.

        Raises:
          RunError: the file cannot be read.
        """
        path = self.results_path(shard)
        try:
            return pq.read_table(path, columns=columns, partitioning=None, use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise RunError(
                f"{path}: cannot be read: {error}. Remove it and its marker in ../done, and rank "
                "again"
            ) from error
