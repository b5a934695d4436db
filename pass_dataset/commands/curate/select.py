"""`pass-curate select`: a curation begun, with the photographs that metadata has."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pass_dataset.commands.arguments import add_json, add_workers
from pass_dataset.commands.curate.told import print_steps
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.pages.words import count

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate select yfcc100m_dataset.bz2 --out curation/",
        "pass-curate select parts/ --out curation/ --license by --license by-sa",
        "pass-curate select mine.csv --out curation/ --column path=file --column unickname=who",
    )
    parser.add_argument(
        "metadata",
        metavar="METADATA",
        nargs="+",
        help="YFCC100M's metadata (text: plain, .bz2, .gz, .zst; SQLite), or a table of your own "
        "(.csv, .tsv, Parquet): files, a folder of parts, or addresses",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="CURATION", help="folder of the curation"
    )
    parser.add_argument(
        "--license",
        action="append",
        dest="licenses",
        metavar="LICENSE",
        help="licence asked for, by short name, name or address; several times for several; "
        "any: whatever it is (default: by)",
    )
    parser.add_argument(
        "--box",
        action="append",
        dest="boxes",
        metavar="W,S,E,N",
        help="only photographs taken in this box, in degrees; several times for several",
    )
    parser.add_argument(
        "--dates",
        action="append",
        metavar="FIRST,LAST",
        help="only photographs taken from one day to another, as 2004-01-01,2010-12-31",
    )
    parser.add_argument(
        "--column",
        action="append",
        dest="columns",
        metavar="OURS=YOURS",
        help="what your table calls a column of the ledger, such as unickname=photographer",
    )
    parser.add_argument(
        "--is-encoded",
        action="store_true",
        default=None,
        help="names and titles in your table are URL-encoded already",
    )
    parser.add_argument(
        "--shard-rows", type=int, metavar="N", help="photographs in a shard (default: 10,000)"
    )
    parser.add_argument(
        "--settings", type=Path, metavar="FILE", help="TOML; its table [select] is read"
    )
    parser.add_argument(
        "--strict", action="store_true", help="a row that cannot be used is an error"
    )
    add_workers(parser)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.select import SelectSettings, run_select
    from pass_dataset.curate.settings import load_settings, section

    content: dict[str, Any] = {}
    where = "select"
    if options.settings is not None:
        content.update(load_settings(options.settings).get("select", {}))
        where = f"{options.settings} [select]"
    content.update(_asked(options))
    settings = section(SelectSettings, content, where)
    record = run_select(
        CurationFolder(options.out),
        settings,
        options.metadata,
        strict=options.strict,
        workers=options.workers,
    )
    if options.json:
        print_steps([record], as_json=True)
        return 0
    _print(record.details, record.came, record.causes)
    print(f"{options.out}: {count(record.left, 'photograph goes on', 'photographs go on')}")
    return 0


def _asked(options: argparse.Namespace) -> dict[str, Any]:
    """What the options say, as the settings have it."""
    asked: dict[str, Any] = {}
    if options.licenses is not None:
        asked["licenses"] = [] if options.licenses == ["any"] else options.licenses
    if options.boxes is not None:
        asked["boxes"] = [_numbers(box) for box in options.boxes]
    if options.dates is not None:
        asked["dates"] = [dates.split(",") for dates in options.dates]
    if options.columns is not None:
        asked["columns"] = {
            ours: yours for ours, _, yours in (pair.partition("=") for pair in options.columns)
        }
    for name in ("is_encoded", "shard_rows"):
        if getattr(options, name) is not None:
            asked[name] = getattr(options, name)
    return asked


def _numbers(box: str) -> list[Any]:
    """The numbers of a box; what is none stays, and is refused by the settings."""
    found: list[Any] = []
    for text in box.split(","):
        try:
            found.append(float(text))
        except ValueError:
            found.append(text)
    return found


def _print(details: dict[str, Any], came: int, causes: dict[str, int]) -> None:
    print(f"{count(details['read'], 'row', 'rows')} of metadata")
    first = details["first"]
    for said, counted in (("refused", details["refused"]), ("noted", details["noted"])):
        for cause, number in counted.items():
            where = f" (first: {first[cause]})" if cause in first else ""
            print(f"  {said}: {cause} {number:,}{where}")
    print(f"{count(came, 'photograph', 'photographs')} selected")
    for cause, number in causes.items():
        print(f"  {cause} {number:,}")
    whole = details.get("yfcc100m")
    if whole is not None and whole["is_whole"] and not whole["differences"]:
        print("All counts are those known of YFCC100M")
    for line in (whole or {}).get("differences", []):
        print(f"YFCC100M: {line}")
