"""`pass-curate ledger`: the ledger as one table."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.commands.curate.step_settings import add_curation
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.pages.words import count

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples("pass-curate ledger curation/ --out ledger.parquet")
    add_curation(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="Parquet to write")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.ledger import Ledger

    folder = CurationFolder.existing(options.curation)
    rows = Ledger(folder).save(options.out)
    print(f"{options.out}: {count(rows, 'photograph', 'photographs')}")
    return 0
