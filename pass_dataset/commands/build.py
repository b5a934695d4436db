"""`pass-dataset build`: what can be built, each by a command of its own."""

from __future__ import annotations

from pass_dataset.commands.parser import Command, CommandParser, add_commands, examples

__all__ = ["LIBRARIES", "add_arguments"]

_HERE = "pass_dataset.commands"

LIBRARIES = (
    Command(
        "tfds",
        "write the shards that tfds.load('pass') reads; continues if cut",
        f"{_HERE}.build_tfds",
    ),
    Command(
        "parquet",
        "write a folder for the Hugging Face Hub that any reader of Parquet takes; continues if "
        "cut",
        f"{_HERE}.build_parquet",
    ),
    Command(
        "webdataset",
        "write tar shards of .jpg and .json, shuffled; continues if cut",
        f"{_HERE}.build_webdataset",
    ),
)


def add_arguments(parser: CommandParser) -> None:
    """Adds the libraries."""
    parser.epilog = examples(
        "pass-dataset build parquet --archives /data/pass --out /data/parquet",
        "pass-dataset build tfds --help",
    )
    add_commands(parser, LIBRARIES, metavar="LIBRARY")
