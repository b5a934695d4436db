"""The command `pass-curate`: its commands, each of which has a module of its own."""

from __future__ import annotations

from collections.abc import Sequence

from pass_dataset.commands.command_line import run_command
from pass_dataset.commands.parser import Command, CommandParser, command_line, examples

__all__ = ["COMMANDS", "main", "make_parser"]

_HERE = "pass_dataset.commands.curate"

#: In the order of `--help`.
COMMANDS = (
    Command("run", "do all steps of a settings file, or go on with them",
            f"{_HERE}.run", "all at once"),
    Command("select", "begin a curation: the photographs that metadata has under a licence",
            f"{_HERE}.select", "the steps"),
    Command("fetch", "fetch the photographs that were selected, into tars",
            f"{_HERE}.fetch", "the steps"),
    Command("filter", "leave out photographs that cannot be decoded, and those that show people",
            f"{_HERE}.filter", "the steps"),
    Command("rank", "give images scores that say what people should look at first",
            f"{_HERE}.rank", "the steps"),
    Command("classes", "let the most frequent classes through, and so many photographs of each",
            f"{_HERE}.classes", "the steps"),
    Command("balance", "let so many photographs of a photographer through, and so many of all",
            f"{_HERE}.balance", "the steps"),
    Command("review", "let people look at images, and mark what is not to be kept",
            f"{_HERE}.review", "the steps"),
    Command("duplicates", "find duplicates in collections, or among the photographs of a curation",
            f"{_HERE}.duplicates", "the steps"),
    Command("alive", "ask whether photographs are still public",
            f"{_HERE}.alive", "the steps"),
    Command("draw", "draw the photographs of the release",
            f"{_HERE}.draw", "the steps"),
    Command("release", "write a release: tars, metadata, checksums, card and datasheet",
            f"{_HERE}.release", "the steps"),
    Command("status", "say which steps are done, and how many photographs went on",
            f"{_HERE}.status", "what was done"),
    Command("funnel", "say what became of all photographs, by cause at every stage",
            f"{_HERE}.funnel", "what was done"),
    Command("explain", "say what happened to a photograph, and why",
            f"{_HERE}.explain", "what was done"),
    Command("ledger", "write the ledger as one table: a row for each selected photograph",
            f"{_HERE}.ledger", "what was done"),
    Command("top", "list the images with the highest scores, or show them on contact sheets",
            f"{_HERE}.top", "what was done"),
    Command("profiles", "list the profiles that ship, or print one",
            f"{_HERE}.profiles", "the rest"),
    Command("audit", "say what a look at some images proves, or plan one",
            f"{_HERE}.audit", "the rest"),
    Command("hash", "write an index of a collection's hashes, without any image; continues if cut",
            f"{_HERE}.hash", "the rest"),
    Command("completion", "write a script that lets a shell complete this command",
            "pass_dataset.commands.completion", "the rest"),
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    return run_command(make_parser(), argv)


def make_parser() -> CommandParser:
    """The parser of the command line."""
    return command_line(
        "pass-curate",
        "A release made as PASS was: photographs selected, fetched, filtered, balanced and drawn, "
        "with an account of each.",
        COMMANDS,
        examples(
            "pass-curate select yfcc100m_dataset.bz2 --out curation/",
            "pass-curate status curation/",
            "pass-curate status --help",
        ),
    )
