"""Arguments that several commands have, and what their text means."""

from __future__ import annotations

import argparse

from pass_dataset.errors import PassDatasetError
from pass_dataset.releases.release import OFFICIAL_VERSIONS, parse_parts

__all__ = ["RELEASE_HELP", "number", "parts", "positive"]

RELEASE_HELP = f"{', '.join(OFFICIAL_VERSIONS)}, or the path of a checksum file of your own"


def parts(text: str) -> tuple[int, ...]:
    """Part numbers such as ``0,3-5``."""
    try:
        return parse_parts(text)
    except PassDatasetError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def positive(text: str) -> int:
    """A number of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of 1 or more, found {text!r}")
    return int(text)


def number(text: str) -> int:
    """A number of 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a number of 0 or more, found {text!r}")
    return int(text)
