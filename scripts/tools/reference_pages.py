"""Write the pages of the site that are made: `python scripts/tools/reference_pages.py docs`.

`docs/reference/commands.md` has the help of every command, as the commands' own parsers print it.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from pass_dataset.commands import main as pass_dataset_command
from pass_dataset.commands.curate import main as pass_curate_command
from pass_dataset.commands.evaluate import main as pass_evaluate_command
from pass_dataset.commands.parser import CommandParser
from pass_dataset.commands.passify import main as passify_command

#: Columns of a help text: as many as a page has room for.
_COLUMNS = 88
_START = """# Commands

Made from the commands' own `--help`. Exit codes: 0 done, 1 an error or something that is not whole,
2 wrong usage, 3 waiting for people (`pass-curate run`), 130 interrupted.
"""


def help_pages(parser: CommandParser, level: int = 2) -> Iterator[str]:
    """A section for a command and each of its sub-commands."""
    yield f"{'#' * level} {parser.prog}\n\n```text\n{parser.format_help().rstrip()}\n```\n"
    for command in parser.commands.values():
        yield from help_pages(command, level + 1)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("docs", type=Path, help="folder of the pages")
    docs: Path = options.parse_args().docs
    os.environ["COLUMNS"] = str(_COLUMNS)
    parsers = (
        pass_dataset_command.make_parser(),
        pass_curate_command.make_parser(),
        pass_evaluate_command.make_parser(),
        passify_command.make_parser(),
    )
    for parser in parsers:
        parser.fill()
    sections = [section for parser in parsers for section in help_pages(parser)]
    page = docs / "reference" / "commands.md"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n".join([_START, *sections]), encoding="utf-8")


if __name__ == "__main__":
    main()
