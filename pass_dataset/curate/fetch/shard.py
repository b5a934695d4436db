"""The photographs of a shard, from its spool to its tar."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pass_dataset.curate.fetch.candidates import COLUMNS, Candidate, candidates_of
from pass_dataset.curate.fetch.paths import FetchPaths
from pass_dataset.curate.fetch.receipts import save_receipts
from pass_dataset.curate.fetch.settings import FetchSettings
from pass_dataset.curate.fetch.spool import Receipt, Spool
from pass_dataset.curate.fetch.tars import write_tar
from pass_dataset.curate.step_writer import StepWriter
from pass_dataset.errors import CurationError

__all__ = ["Photograph", "Shard"]


@dataclass(slots=True, eq=False)
class Photograph:
    """A photograph that is to be fetched, and how that has gone so far.

    Attributes:
      shard: that it is one of.
      row: of the ledger.
      candidates: where it may be had, in order.
      at: which of them is asked.
      address: what is asked, where a redirect led away from the candidate.
      host: of that.
      asked_at: when, by a clock that never runs backwards.
      tries: requests in all.
      failures, doubts, throttles, redirects: answers of these kinds from this candidate.
      refusal: of the candidates that were asked, the one that says most: all but ``missing``.
    """

    shard: Shard
    row: int
    candidates: tuple[Candidate, ...]
    at: int = 0
    address: str = ""
    host: str = ""
    asked_at: float = 0.0
    tries: int = 0
    failures: int = 0
    doubts: int = 0
    throttles: int = 0
    redirects: int = 0
    refusal: Receipt | None = None

    @property
    def candidate(self) -> Candidate:
        """The place that is asked now."""
        return self.candidates[self.at]

    def begin(self, candidate: int) -> None:
        """Goes to a place."""
        self.at = candidate
        self.address, self.host = self.candidate.place, self.candidate.host
        self.failures = self.doubts = self.throttles = self.redirects = 0

    def receipt(self, cause: str | None, **found: Any) -> Receipt:
        """What became of it, by the place that is asked now."""
        values: dict[str, Any] = {
            "status": None,
            "source": self.candidate.source if self.candidates else None,
            "size_bytes": None,
            "sha256": None,
            "is_kept": cause is None,
            "said": "",
            **found,
        }
        return Receipt(row=self.row, cause=cause, tries=self.tries, **values)


@dataclass(eq=False)
class Shard:
    """A shard that is being fetched.

    Attributes:
      number: of it.
      writer: of the step.
      settings: of the step.
      left: photographs that could not be had this time.
    """

    number: int
    writer: StepWriter
    settings: FetchSettings
    left: int = 0
    _names: dict[int, str] = field(default_factory=dict)

    def open(self) -> list[Photograph]:
        """Opens the spool; returns the photographs that are not done.

        Raises:
          CurationError: the spool is of other photographs, or the ledger cannot be read.
          OSError: the spool cannot be read or written.
        """
        self.paths = FetchPaths(self.writer.ledger.folder)
        rows = self.writer.given(self.number, COLUMNS).to_pylist()
        self._names = {row["row"]: row["hash"] for row in rows}
        self.spool = Spool(self.paths.spool(self.number))
        if not self.spool.receipts.keys() <= self._names.keys():
            self.spool.close()
            raise CurationError(
                f"{self.spool.path}: has photographs that were not selected; it is of another "
                "curation. Remove it and go on"
            )
        return [
            Photograph(self, row["row"], candidates_of(row, self.settings))
            for row in rows
            if row["row"] not in self.spool.receipts
        ]

    @property
    def done(self) -> int:
        """Photographs that are done."""
        return len(self.spool.receipts)

    @property
    def is_settled(self) -> bool:
        """True if nothing is to be done for it now."""
        return self.done + self.left == len(self._names)

    def finish(self, check: Callable[[], None]) -> None:
        """Makes a tar of the spool, which goes. All photographs are done.

        Args:
          check: raises if the work is to stop.

        Raises:
          DiskSpaceError, OSError: it cannot be written.
        """
        number = self.number
        offsets = write_tar(
            self.paths.tar(number), f"PASS_dataset/{number}", self._names, self.spool, check
        )
        save_receipts(self.paths.receipts(number), self.spool.receipts, offsets)
        self.close()
        with contextlib.suppress(FileNotFoundError):
            self.spool.path.unlink()

    def close(self) -> None:
        """Closes the spool, which stays."""
        self.spool.close()
