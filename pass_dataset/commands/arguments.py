"""Arguments that several commands have, each by one name, and what their text means."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.commands.parser import CommandParser
from pass_dataset.errors import PassDatasetError
from pass_dataset.releases.release import OFFICIAL_VERSIONS, parse_parts

__all__ = [
    "RELEASE_HELP",
    "add_archives",
    "add_json",
    "add_mirrors",
    "add_parts",
    "add_release",
    "add_workers",
    "names",
    "number",
    "parts",
    "positive",
    "speed",
]

RELEASE_HELP = f"{', '.join(OFFICIAL_VERSIONS)}, or the path of a checksum file of your own"


def add_archives(parser: CommandParser, text: str, *, first: bool = False) -> None:
    """Adds the archive folder, which `PASS_ARCHIVES` names where it is not given.

    It is always found as ``options.archives``.

    Args:
      parser: of the command.
      text: what the folder is.
      first: it is what the command is about, and may be given without ``--archives``.
    """
    if first:
        parser.add_argument(
            "folder", metavar="DIR", nargs="?", type=Path, help=f"{text} (default: PASS_ARCHIVES)"
        )
    parser.add_argument(
        "--archives",
        metavar="DIR",
        type=Path,
        help="the same, by name" if first else f"{text} (default: PASS_ARCHIVES)",
    )

    def check(options: argparse.Namespace) -> None:
        given = [options.archives, getattr(options, "folder", None)]
        if None not in given:
            parser.error("give the archive folder once: as DIR, or as --archives DIR")
        # What it needs takes a while to load, and most command lines name the folder.
        from pass_dataset.folders.archive_folder import ARCHIVES_VARIABLE, named_folder

        options.archives = given[0] or given[1] or named_folder()
        if options.archives is None:
            where = "DIR" if first else "--archives DIR"
            parser.error(f"name the archive folder with {where}, or set {ARCHIVES_VARIABLE} to it")

    parser.checks.append(check)


def add_release(parser: argparse.ArgumentParser, default: str = "told from the folder") -> None:
    """Adds the release; `default` says which it is if none is given."""
    parser.add_argument("--release", help=f"{RELEASE_HELP} (default: {default})")


def add_parts(parser: argparse.ArgumentParser, text: str = "only these tars: 0,3-5") -> None:
    """Adds the numbers of the tars that are meant."""
    parser.add_argument("--parts", type=parts, help=text)


def add_mirrors(parser: argparse.ArgumentParser) -> None:
    """Adds where files are fetched from."""
    parser.add_argument(
        "--mirrors",
        "--mirror",
        metavar="URL",
        action="append",
        default=[],
        help="base URL (http, https, file) under which each file is found by its name, tried "
        "before Zenodo; may be given again, and is tried in that order",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Adds that a report is printed for programs."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Adds how many processes work."""
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="processes (default: one a core)"
    )


def names(text: str) -> tuple[str, ...]:
    """Names with commas between them; blanks around them do not count."""
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)


def parts(text: str) -> tuple[int, ...]:
    """Part numbers such as ``0,3-5``."""
    try:
        return parse_parts(text)
    except PassDatasetError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def positive(text: str) -> int:
    """A number of 1 or more."""
    if not _is_number(text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of 1 or more, found {text[:40]!r}")
    return int(text)


def number(text: str) -> int:
    """A number of 0 or more."""
    if not _is_number(text):
        raise argparse.ArgumentTypeError(f"expected a number of 0 or more, found {text[:40]!r}")
    return int(text)


def speed(text: str) -> float:
    """Bytes a second, 0 or more."""
    return float(number(text))


def _is_number(text: str) -> bool:
    # Of far more digits Python makes no number.
    return text.isdecimal() and len(text) <= 19
