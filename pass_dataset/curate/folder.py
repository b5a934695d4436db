"""The folder of a curation. This class owns every name in it.

CURATION/
  settings.toml              what `pass-curate run` was told; the steps' own are in the ledger
  opt-outs.txt               the opt-out list that it began the filter with
  ledger/select/             one folder for each step, in which are:
    settings.json            what the step was begun with; written once, first
    000017.parquet           what the step said of the photographs of a shard
    step.json                what it counted; written last, so the step is whole
  work/fetch/                what a step needs besides: tars, receipts, a run folder
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from pass_dataset.errors import CurationError
from pass_dataset.folders.lock import hold

__all__ = ["CurationFolder"]


class CurationFolder:
    """Names of files."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()

    @classmethod
    def existing(cls, path: str | os.PathLike[str]) -> CurationFolder:
        """The folder of a curation that is begun.

        Raises:
          CurationError: there is none here.
        """
        folder = cls(path)
        if not folder.ledger_path.is_dir():
            there = "a file" if folder.path.exists() else "nothing"
            found = "another folder" if folder.path.is_dir() else there
            raise CurationError(
                f"{folder.path}: expected the folder of a curation, found {found}; "
                "pass-curate select METADATA --out FOLDER makes one"
            )
        return folder

    def __repr__(self) -> str:
        return f"CurationFolder({str(self.path)!r})"

    @property
    def settings_path(self) -> Path:
        return self.path / "settings.toml"

    @property
    def opt_outs_path(self) -> Path:
        return self.path / "opt-outs.txt"

    @property
    def ledger_path(self) -> Path:
        return self.path / "ledger"

    def step_path(self, step: str) -> Path:
        """A step's part of the ledger."""
        return self.ledger_path / step

    def step_settings_path(self, step: str) -> Path:
        return self.step_path(step) / "settings.json"

    def step_record_path(self, step: str) -> Path:
        return self.step_path(step) / "step.json"

    def shard_path(self, step: str, shard: int) -> Path:
        return self.step_path(step) / f"{shard:06d}.parquet"

    def work_path(self, step: str) -> Path:
        """What a step has besides its part of the ledger."""
        return self.path / "work" / step

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Holds the curation for changing it; it is made if it is new.

        Raises:
          FolderLockedError: another process has it.
          OSError: it cannot be written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with hold(self.path, wait=False):
            yield
