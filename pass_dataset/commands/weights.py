"""`pass-dataset weights`: which weights files the detectors use, where they are, fetch them."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.curate.duplicates.crops.weights import SSCD
from pass_dataset.curate.ranking.weights import RANKING_WEIGHTS, package_folder
from pass_dataset.errors import WeightsError
from pass_dataset.passify.detectors.weights.files import ALL_WEIGHTS, WeightsFile
from pass_dataset.progress import on_terminal

if TYPE_CHECKING:
    from pass_dataset.passify.detectors.weights.store import WeightsState

from pass_dataset.commands.arguments import add_json
from pass_dataset.pages.words import size

__all__ = ["add_arguments"]


def _all() -> tuple[WeightsFile, ...]:
    """Those of the detectors, of the rankers, and of what looks for crops."""
    return (*ALL_WEIGHTS, *RANKING_WEIGHTS, SSCD)


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset weights",
        "pass-dataset weights --fetch",
    )
    parser.add_argument(
        "names",
        metavar="NAME",
        nargs="*",
        help=f"only these: {', '.join(file.name for file in _all())} (default: all)",
    )
    parser.add_argument(
        "--dir",
        metavar="DIR",
        type=Path,
        help="folder to look at and to fetch into (default: $PASS_WEIGHTS_DIR, else the cache)",
    )
    parser.add_argument("--fetch", action="store_true", help="fetch what is missing, verified")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.passify.detectors.weights.fetching import fetch
    from pass_dataset.passify.detectors.weights.store import examine, weights_folder

    files = _selected(options.names)
    folder = options.dir or weights_folder()
    if options.fetch:
        with on_terminal() as progress:
            for file in files:
                # Without names, what cannot be fetched is listed as missing and no error.
                if file.package is None and (file.url is not None or options.names):
                    fetch(file, folder, progress=progress)
    found = [(file, examine(file, _place(file, folder))) for file in files]
    if options.json:
        print_json([_as_json(file, state) for file, state in found])
    else:
        for file, state in found:
            print(_as_text(file, state))
    return 1 if any(state.state == "wrong" for _, state in found) else 0


def _place(file: WeightsFile, folder: Path) -> Path:
    """Where a file is looked for: those of packages are where these are installed."""
    if file.package is None:
        return folder
    return package_folder(file) or Path(file.package)


def _selected(names: list[str]) -> list[WeightsFile]:
    known = {file.name: file for file in _all()}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise WeightsError(
            f"no weights named {', '.join(unknown)}: expected some of {', '.join(known)}"
        )
    return [known[name] for name in names] or list(_all())


def _as_json(file: WeightsFile, state: WeightsState) -> dict[str, object]:
    return {
        **asdict(file),
        "path": str(state.path),
        "state": state.state,
        "found_sha256": state.sha256,
    }


def _as_text(file: WeightsFile, state: WeightsState) -> str:
    large = "size not known" if file.size_bytes is None else size(file.size_bytes)
    pinned = file.sha256 or (
        f"not published; the file's hash begins {file.digits}" if file.digits else "not published"
    )
    found = f" (SHA-256 {state.sha256})" if state.sha256 and state.sha256 != file.sha256 else ""
    if file.package is None:
        source = file.url or f"not to be fetched; see {file.source}"
    else:
        source = f"the package {file.package}, which the extra rank installs; see {file.source}"
    return (
        f"{file.name}  {file.filename}, {large}, {file.licence}, used by {file.used_by}\n"
        f"    source   {source}\n"
        f"    SHA-256  {pinned}\n"
        f"    {state.state:8} {state.path}{found}"
    )
