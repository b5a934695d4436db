"""The highest scores: of a curation, of a ranking of its own, or of a run of passify.

What passify stored of faces and people, below its thresholds too, ranks with no new pass.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.curate.filter.fetched import tar_name
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.ranking.folder import RankFolder
from pass_dataset.curate.ranking.ranker import SCORE_SUFFIX
from pass_dataset.errors import CurationError
from pass_dataset.passify.runs.plan import Plan
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.sources.opening import open_source
from pass_dataset.passify.sources.source import Reader

__all__ = ["Scored", "Scores", "highest", "open_scores"]


@dataclass(frozen=True)
class Scored:
    """An image with a score.

    Attributes:
      name: its hash in a curation, else its path.
      score: its score.
      shard, position: where it is in the scores.
    """

    name: str
    score: float
    shard: int
    position: int


class Scores(Protocol):
    """Scores of images, by shards, and the images themselves."""

    def names(self) -> list[str]:
        """The scores that there are, without ``_score``."""

    def shards(self, name: str) -> Iterator[tuple[int, pa.Table]]:
        """Number of each shard and its images: `name`, and `score`, null where there is none."""

    def read(self, image: Scored) -> bytes:
        """The bytes of an image.

        Raises:
          OSError, PassDatasetError: they cannot be read.
        """


def open_scores(path: Path) -> Scores:
    """The scores in a folder: of a curation, a ranking, or a run of passify.

    Raises:
      CurationError: it is none of these.
      RunError: the ranking or run is not done.
    """
    if CurationFolder(path).ledger_path.is_dir():
        return _OfCuration(CurationFolder(path))
    if RankFolder(path).is_there:
        return _OfRanking(RankFolder(path))
    if RunFolder(path).plan_path.is_file():
        return _OfRun(RunFolder(path))
    raise CurationError(
        f"{path}: expected the folder of a curation, of pass-curate rank --out, or of a run of "
        "passify; found none of these"
    )


def highest(scores: Scores, name: str, count: int) -> list[Scored]:
    """The images with the highest scores, the highest first; of equal ones by name.

    Memory is that of `count` images and one shard.

    Raises:
      CurationError: there is no such score.
    """
    if name not in scores.names():
        known = ", ".join(scores.names()) or "none"
        raise CurationError(f"no score is called {name!r}; there are: {known}")
    best: list[tuple[float, str, int, int]] = []
    for shard, table in scores.shards(name):
        values: npt.NDArray[Any] = table["score"].to_numpy(zero_copy_only=False).astype(np.float32)
        places = np.flatnonzero(~np.isnan(values))
        if len(places) > count:
            # All that are as high as the last of the first: which of these come is told by name.
            least = np.partition(values[places], -count)[-count]
            places = places[values[places] >= least]
        names = table["name"].take(pa.array(places)).to_pylist()
        found = [
            (-float(values[place]), one, shard, int(place))
            for place, one in zip(places, names, strict=True)
        ]
        best = heapq.nsmallest(count, [*best, *found])
    return [Scored(one, -score, shard, place) for score, one, shard, place in best]


class _OfCuration:
    def __init__(self, folder: CurationFolder) -> None:
        self._folder = folder
        self._ledger = Ledger(folder)

    def names(self) -> list[str]:
        columns = [
            name for step in self._ledger.steps() for name in self._ledger.columns(step.name)
        ]
        return _scores_in(columns)

    def shards(self, name: str) -> Iterator[tuple[int, pa.Table]]:
        for shard in range(self._ledger.shards()):
            left = self._ledger.left(shard, ["hash", f"{name}{SCORE_SUFFIX}"])
            yield (
                shard,
                left.select(["hash", f"{name}{SCORE_SUFFIX}"]).rename_columns(["name", "score"]),
            )

    def read(self, image: Scored) -> bytes:
        left = self._ledger.left(image.shard, ["tar_offset", "size_bytes"])
        offset, size = (left[name][image.position].as_py() for name in left.column_names[1:])
        path = self._folder.work_path("fetch") / "tars" / tar_name(image.shard)
        file = os.open(path, os.O_RDONLY)
        try:
            return os.pread(file, size, offset)
        finally:
            os.close(file)


class _Listed:
    """Reads images by the plan that they were listed in."""

    def __init__(self, images: RunFolder, plan: Plan) -> None:
        self._images = images
        self._plan = plan
        self._reader: Reader | None = None

    def read(self, image: Scored) -> bytes:
        if self._reader is None:
            source = open_source(self._images.settings().source)
            self._reader = source.reader(self._plan.files)
        item = self._plan.items(self._images, image.shard)[image.position]
        return self._reader.read(item)


class _OfRanking(_Listed):
    def __init__(self, folder: RankFolder) -> None:
        folder.require_whole()
        self._folder = folder
        super().__init__(folder.images, folder.plan())

    def names(self) -> list[str]:
        return _scores_in(self._folder.table(0).column_names)

    def shards(self, name: str) -> Iterator[tuple[int, pa.Table]]:
        tables = self._folder.tables(["path", f"{name}{SCORE_SUFFIX}"])
        for shard, table in enumerate(tables):
            yield shard, table.rename_columns(["name", "score"])


class _OfRun(_Listed):
    def __init__(self, folder: RunFolder) -> None:
        self._results = Results(folder)
        self._results.require_whole()
        super().__init__(folder, self._results.plan)

    def names(self) -> list[str]:
        return list(self._results.settings.targets)

    def shards(self, name: str) -> Iterator[tuple[int, pa.Table]]:
        """Of the images that the run kept: the others are out already."""
        column = f"{name}_max_score"
        thresholds = self._results.settings.thresholds
        judged = self._results.judged(thresholds, ["path", column])
        for shard, (table, reasons) in enumerate(judged):
            score = pc.if_else(pc.is_null(reasons), table[column], pa.scalar(None, pa.float32()))
            yield shard, pa.table({"name": table["path"], "score": score})


def _scores_in(columns: Sequence[str]) -> list[str]:
    return [name.removesuffix(SCORE_SUFFIX) for name in columns if name.endswith(SCORE_SUFFIX)]
