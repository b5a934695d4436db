"""`pass-dataset build webdataset`: tar shards."""

from __future__ import annotations

import argparse

from pass_dataset.commands.build_export import add_export_options, run_export
from pass_dataset.commands.parser import CommandParser, examples

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset build webdataset --archives /data/pass --out /data/shards",
    )
    add_export_options(parser, out_help="folder to make, one for each export")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.webdataset.build import WebDatasetBuild

    return run_export(options, WebDatasetBuild, shard="shard")
