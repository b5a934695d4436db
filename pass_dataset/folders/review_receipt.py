"""What is known of people that are left in a collection: a small file beside its archives.

`pass-curate audit --out FOLDER/pass_review.json` writes it; the statistics page and the dataset
card of a build show it. Of PASS itself the paper says it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from pass_dataset.errors import FolderError
from pass_dataset.files.checked_json import load_json, save_json

__all__ = [
    "PAPERS_AUDIT",
    "REVIEW_NAME",
    "ReviewReceipt",
    "in_percent",
    "review_of",
    "save_review_receipt",
]

REVIEW_NAME = "pass_review.json"


@dataclass(frozen=True)
class ReviewReceipt:
    """An audit: people looked at images that were drawn at random.

    Attributes:
      checked: images that were looked at.
      found: those that should not have been there.
      low, high: bounds of their share in the whole, 0 to 1.
      confidence: of these bounds.
      method: how they were computed.
    """

    checked: int
    found: int
    low: float
    high: float
    confidence: float = 0.95
    method: str = "Clopper-Pearson"

    def __post_init__(self) -> None:
        numbers = (self.low, self.high, self.confidence)
        if not 0 <= self.found <= self.checked or not all(0 <= one <= 1 for one in numbers):
            raise ValueError("numbers that cannot be")

    def sentence(self) -> str:
        """The same in words."""
        return (
            f"Of {self.checked:,} images that people looked at, {self.found:,} "
            f"{'is one' if self.found == 1 else 'are such'} that should not be there: with "
            f"{100 * self.confidence:g} % confidence {in_percent(self.low)} to "
            f"{in_percent(self.high)} of all."
        )


def in_percent(value: float) -> str:
    """A share in per cent, with the two figures that a bound has."""
    return f"{float(f'{100 * value:.2g}'):g} %"


#: Appendix C.2 of the paper: two samples of 1,000 images, 2 minor false negatives.
PAPERS_AUDIT = ReviewReceipt(2000, 2, 0.00012112759, 0.00360773, 0.95, "Clopper-Pearson")


def review_of(folder: Path, *, is_pass: bool) -> ReviewReceipt | None:
    """What is known of a collection: its own receipt, or for a release of PASS the paper's audit.

    Raises:
      FolderError: the receipt cannot be read.
    """
    path = folder / REVIEW_NAME
    try:
        return ReviewReceipt(**load_json(path))
    except FileNotFoundError:
        return PAPERS_AUDIT if is_pass else None
    except (OSError, ValueError, TypeError) as error:
        raise FolderError(
            f"{path}: expected what pass-curate audit --out wrote, but it cannot be read: {error}"
        ) from error


def save_review_receipt(path: Path, receipt: ReviewReceipt) -> None:
    """Writes a receipt whole.

    Raises:
      OSError: it cannot be written.
    """
    save_json(path, asdict(receipt), indent=1)
