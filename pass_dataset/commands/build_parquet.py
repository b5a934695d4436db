"""`pass-dataset build parquet`: a folder for the Hub."""

from __future__ import annotations

import argparse

from pass_dataset.commands.build_export import add_export_options, run_export
from pass_dataset.commands.parser import CommandParser, examples

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset build parquet --archives /data/pass --out /data/parquet",
    )
    add_export_options(parser, out_help="folder to fill, one for each export")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.parquet.build import ParquetBuild

    return run_export(options, ParquetBuild, shard="file")
