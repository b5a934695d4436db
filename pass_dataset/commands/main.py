"""The command `pass-dataset`: its commands, each of which has a module of its own.

Exit codes: 0 done, 1 an error or a folder that is not whole, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

from collections.abc import Sequence

from pass_dataset.commands.command_line import run_command
from pass_dataset.commands.parser import Command, CommandParser, command_line, examples

__all__ = ["COMMANDS", "main", "make_parser"]

_HERE = "pass_dataset.commands"

#: In the order of `--help`.
COMMANDS = (
    Command(
        "releases", "list the releases of PASS and their files", f"{_HERE}.releases", "the dataset"
    ),
    Command(
        "download",
        "fetch a release into a folder, verified; resumes",
        f"{_HERE}.download",
        "the dataset",
    ),
    Command(
        "verify",
        "check every file of a folder by size and SHA-256",
        f"{_HERE}.verify",
        "the dataset",
    ),
    Command(
        "index",
        "find every image in the tars and save where it lies",
        f"{_HERE}.index",
        "the dataset",
    ),
    Command(
        "checksums",
        "write the checksum file of a collection in the PASS layout",
        f"{_HERE}.checksums",
        "the dataset",
    ),
    Command("build", "write a release in the format of a library", f"{_HERE}.build", "builds"),
    Command(
        "verify-build",
        "compare every record of a build with the archives",
        f"{_HERE}.verify_build",
        "builds",
    ),
    Command(
        "catalog",
        "write the catalog page of a TFDS build, one HTML file",
        f"{_HERE}.catalog",
        "builds",
    ),
    Command(
        "push",
        "upload a Parquet folder to the Hugging Face Hub; continues if cut",
        f"{_HERE}.push",
        "builds",
    ),
    Command(
        "demo",
        "build the mini release with TFDS and with Hugging Face, and compare",
        f"{_HERE}.demo",
        "builds",
    ),
    Command(
        "stats",
        "write what a collection is made of, as a page with plots and a map, and as JSON",
        f"{_HERE}.stats",
        "reports",
    ),
    Command(
        "credits",
        "write who made the images and under which licence they are",
        f"{_HERE}.credits",
        "reports",
    ),
    Command(
        "diff",
        "list the images that were removed and added between two releases",
        f"{_HERE}.diff",
        "reports",
    ),
    Command(
        "overlap",
        "list the images that another set has too, by identity: no image is read",
        f"{_HERE}.overlap",
        "reports",
    ),
    Command(
        "croissant",
        "describe a release for machines, in Croissant 1.1 (JSON-LD)",
        f"{_HERE}.croissant",
        "reports",
    ),
    Command(
        "remove",
        "have every reader leave out the images on a list, at once",
        f"{_HERE}.remove",
        "images that must go",
    ),
    Command(
        "purge",
        "delete the images on removal lists from archives and builds; continues if cut",
        f"{_HERE}.purge",
        "images that must go",
    ),
    Command(
        "weights",
        "list the weights files of the detectors; fetch them",
        f"{_HERE}.weights",
        "the rest",
    ),
    Command(
        "models",
        "list the encoders that were pretrained on PASS; fetch them; convert checkpoints",
        f"{_HERE}.models",
        "the rest",
    ),
    Command(
        "completion",
        "write a script that lets a shell complete this command",
        f"{_HERE}.completion",
        "the rest",
    ),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    return run_command(make_parser(), argv)


def make_parser() -> CommandParser:
    """The parser of the whole command line; see `CommandParser.fill`."""
    return command_line(
        "pass-dataset",
        "PASS, 1.44 million photographs without people: get, verify, index, build.",
        COMMANDS,
        examples(
            "pass-dataset demo",
            "pass-dataset download /data/pass",
            "pass-dataset build tfds --archives /data/pass --data-dir /data/tfds",
            "pass-dataset download --help",
        ),
    )
