"""`pass-dataset catalog`: the page of a TFDS build."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.pages.words import size

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset catalog --data-dir /data/tfds",
    )
    parser.add_argument(
        "--data-dir", metavar="OUT", type=Path, required=True, help="where TFDS built the dataset"
    )
    parser.add_argument("--name", help="dataset to look for there (default: the only one)")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.html", help="file to write (default: NAME-X.Y.Z.html)"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    # TensorFlow's start-up notes say nothing about the page.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from pass_dataset.reports.catalog.page import write_catalog_page

    out = write_catalog_page(options.data_dir, name=options.name, out=options.out)
    print(f"{out}: {size(out.stat().st_size)}")
    return 0
