"""The folder of a review. This class owns every name in it.

REVIEW/
  review.json          what is reviewed, and the settings it was begun with; written last
  images.arrow         every image and where it is, with its scores; known images are among them
  queues/risk.npy      orders of images, by their rows in the table
  decisions.log        what reviewers did; only ever added to
  token                what the page's address has to have; for its owner alone
  thumbnails/          small pictures; may be removed
  kept.txt, flagged.tsv, receipt.json   the answer
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from pass_dataset.errors import CurationError
from pass_dataset.folders.lock import hold

__all__ = ["ReviewFolder"]


class ReviewFolder:
    """Names of files."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()

    def __repr__(self) -> str:
        return f"ReviewFolder({str(self.path)!r})"

    @property
    def record_path(self) -> Path:
        return self.path / "review.json"

    @property
    def images_path(self) -> Path:
        return self.path / "images.arrow"

    @property
    def queues_path(self) -> Path:
        return self.path / "queues"

    @property
    def decisions_path(self) -> Path:
        return self.path / "decisions.log"

    @property
    def thumbnails_path(self) -> Path:
        return self.path / "thumbnails"

    @property
    def kept_path(self) -> Path:
        return self.path / "kept.txt"

    @property
    def flagged_path(self) -> Path:
        return self.path / "flagged.tsv"

    @property
    def removals_path(self) -> Path:
        return self.path / "removals.txt"

    @property
    def receipt_path(self) -> Path:
        return self.path / "receipt.json"

    @property
    def is_begun(self) -> bool:
        """True if there is a review here."""
        return self.record_path.is_file()

    def require(self) -> None:
        """Raises `CurationError` if there is no review here."""
        if not self.is_begun:
            raise CurationError(
                f"{self.path}: expected the folder of a review, found none; "
                "pass-curate review SOURCE --out FOLDER makes one"
            )

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Holds the review for adding decisions: one server at a time.

        Raises:
          FolderLockedError: another process has it.
          OSError: it cannot be written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with hold(self.path, wait=False):
            yield

    def token(self) -> str:
        """What the page's address has to have, made once: open pages outlive the server.

        Raises:
          OSError: it cannot be written or read.
        """
        path = self.path / "token"
        # Its owner's alone from the beginning, and never half of one.
        part = self.path / f".token.{secrets.token_hex(4)}"
        if not path.exists():
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_urlsafe(24) + "\n")
            with contextlib.suppress(FileExistsError):
                os.link(part, path)
            part.unlink()
        return path.read_text(encoding="ascii").strip()
