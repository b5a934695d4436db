"""`pass-curate release`: tars, metadata, checksums and papers of what is left."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.curate.step_settings import (
    Option,
    add_curation,
    add_settings,
    chosen_settings,
)
from pass_dataset.commands.curate.told import print_released
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.progress import on_terminal

__all__ = ["add_arguments"]

_OPTIONS = {
    "name": Option("name of the release: a-z, 0-9 and _", "NAME", str),
    "version": Option("its version", "X.Y.Z", str),
    "tars": Option("number of tars (default 10)"),
    "seed": Option("of the order of the photographs in them (default 0)", "SEED"),
    "url": Option("base URL under which the files will be published", "URL", str),
}


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate release curation/ --out birds/ --name birds --version 1.0.0",
        "pass-curate release curation/ --out birds2/ --name birds --version 2.0.0 "
        "--exclude removed.txt",
    )
    add_curation(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to fill")
    parser.add_argument(
        "--exclude",
        type=Path,
        metavar="FILE",
        help="photographs that are left out: text file with a hash a line, or the SHA-256 of a "
        "file",
    )
    add_settings(parser, "release", _OPTIONS)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.archives.removals import read_removals
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.profiles.profile import published_for
    from pass_dataset.curate.release.settings import ReleaseSettings
    from pass_dataset.curate.release.writing import run_release

    folder = CurationFolder.existing(options.curation)
    settings = chosen_settings(options, ReleaseSettings, "release")
    exclude = read_removals(options.exclude) if options.exclude else None
    with on_terminal() as progress:
        done = run_release(
            folder,
            settings,
            options.out,
            exclude=exclude,
            published=published_for(folder),
            progress=progress,
        )
    print_released(done, as_json=options.json)
    return 0
