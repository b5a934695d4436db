"""What is known of the whole of YFCC100M, beside what was counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["PHOTOS", "ROWS", "differences", "is_whole"]

#: Photographs and videos by licence: Yahoo's announcement (the six of each add up to the totals it
#: gives, 99,206,564 and 793,436); of videos, only those under CC BY are told.
PHOTOS = {
    "by": 17_210_144,
    "by-sa": 9_408_154,
    "by-nd": 4_910_766,
    "by-nc": 12_674_885,
    "by-nc-sa": 28_776_835,
    "by-nc-nd": 26_225_780,
}
VIDEOS_BY = 137_503
ALL_PHOTOS, ALL_VIDEOS = 99_206_564, 793_436
ROWS = 100_000_000
#: Less than this is a part, and says nothing of the whole.
_NEARLY = 99_000_000


def is_whole(rows: int) -> bool:
    """True for metadata that is to be the whole of it."""
    return rows >= _NEARLY


def differences(rows: int, licenses: Mapping[str, Sequence[int]]) -> list[str]:
    """Where counts are others than those known, a line each.

    Args:
      rows: that were read.
      licenses: photographs and videos by licence.
    """
    photos = sum(counted[0] for counted in licenses.values())
    videos = sum(counted[1] for counted in licenses.values())
    by = licenses.get("by", (0, 0))
    pairs = [
        ("rows", ROWS, rows),
        ("photographs", ALL_PHOTOS, photos),
        ("videos", ALL_VIDEOS, videos),
        *(
            (f"photographs under {short}", count, licenses.get(short, (0, 0))[0])
            for short, count in PHOTOS.items()
        ),
        ("videos under by", VIDEOS_BY, by[1]),
    ]
    return [
        f"{what}: {known:,} are known, {found:,} were found"
        for what, known, found in pairs
        if known != found
    ]
