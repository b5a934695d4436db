"""`pass-dataset build webdataset`."""

from __future__ import annotations

import argparse

from pass_dataset.commands.arguments import Commands, command
from pass_dataset.commands.build_export import add_export_options, run_export

__all__ = ["add_webdataset"]


def add_webdataset(libraries: Commands) -> None:
    """Adds the command `build webdataset`."""
    parser = command(
        libraries, "webdataset", "write tar shards of .jpg and .json, shuffled; continues if cut"
    )
    add_export_options(parser, out_help="folder to make, one for each export")
    parser.set_defaults(run=_build)


def _build(options: argparse.Namespace) -> int:
    from pass_dataset.webdataset.build import WebDatasetBuild

    return run_export(options, WebDatasetBuild, shards="shards")
