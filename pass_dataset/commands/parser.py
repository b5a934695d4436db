"""The parser of a command line: its commands stand in a table, and their modules are imported late.

`--help` of the whole needs a name and a line of each command; the arguments of a command are added
when it is the one that is asked for.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pass_dataset.releases.addresses import without_secrets
from pass_dataset.version import __version__

__all__ = ["Command", "CommandParser", "add_commands", "command_line", "examples"]


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
      name: what it is asked for by.
      text: its help, which starts small and has no full stop.
      module: what has it. Its function `add_arguments` takes the command's parser, and sets the
        default ``run``: a function that takes the options and returns an exit code. Importing it,
        and adding its arguments, loads the library's facts alone; the rest is loaded by ``run``.
      group: heading that it stands under in the list of commands.
    """

    name: str
    text: str
    module: str
    group: str = ""


class CommandParser(argparse.ArgumentParser):
    """Parses a command line, or one of its commands.

    Attributes:
      commands: parsers of the commands below this one, by name.
      checks: called with the options once they are parsed; what is wrong they say by `error`.
    """

    def __init__(self, command: Command | None = None, **settings: Any) -> None:
        super().__init__(formatter_class=_HelpFormatter, **settings)
        self.commands: dict[str, CommandParser] = {}
        self.checks: list[Callable[[argparse.Namespace], None]] = []
        self._command = command
        self._given: Sequence[str] = ()

    def parse_known_args(  # type: ignore[override]  # overloads for namespaces of one's own
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parses; whatever is wrong is said, and ends the process with exit code 2."""
        self._fill()
        self._given = sys.argv[1:] if args is None else args
        if self.commands and not self._given:
            self.print_help(sys.stderr)
            self.exit(2)
        options, unknown = super().parse_known_args(self._given, namespace)
        if unknown and not self.commands:
            # The parser above would say so too, but knows neither usage nor options of this one.
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        for check in self.checks:
            check(options)
        return options, unknown

    def error(self, message: str) -> NoReturn:
        """Says what is wrong, and what may have been meant; exit code 2."""
        meant = ", ".join(dict.fromkeys(self._meant()))
        message = without_secrets(message)
        super().error(f"{message}\nDid you mean {meant}?" if meant else message)

    def fill(self) -> None:
        """Adds all arguments of this command and of all below it, whose modules are imported."""
        self._fill()
        for parser in self.commands.values():
            parser.fill()

    def _fill(self) -> None:
        command, self._command = self._command, None
        if command is not None:
            importlib.import_module(command.module).add_arguments(self)

    def _meant(self) -> Iterator[str]:
        """What is near a command or an option that there is not."""
        words = [word.partition("=")[0] for word in self._given]
        options = self._option_string_actions
        for word in words:
            if word.startswith("--") and not any(option.startswith(word) for option in options):
                yield from difflib.get_close_matches(word, options, n=1)
        command = next((word for word in words if not word.startswith("-")), "")
        if command not in self.commands:
            yield from difflib.get_close_matches(command, self.commands, n=1)


def add_commands(
    parser: CommandParser, commands: Sequence[Command], metavar: str = "COMMAND"
) -> None:
    """Adds a table of commands to a parser; `metavar` says what they are in its usage."""
    action = parser.add_subparsers(title="commands", metavar=metavar, required=True)
    action.groups = {command.name: command.group for command in commands}  # type: ignore[attr-defined]
    for command in commands:
        text = command.text
        parser.commands[command.name] = action.add_parser(
            command.name,
            command=command,
            help=text,
            description=text[0].upper() + text[1:] + ".",
        )


def command_line(
    prog: str, description: str, commands: Sequence[Command], epilog: str
) -> CommandParser:
    """The parser of a whole command line, which the options name as ``parser``."""
    parser = CommandParser(prog=prog, description=description, epilog=epilog)
    parser.add_argument("--version", action="version", version=f"{prog} {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="log more")
    parser.set_defaults(parser=parser)
    add_commands(parser, commands)
    return parser


def examples(*lines: str) -> str:
    """Examples as the end of a help text, a command a line."""
    return "\n".join(["examples:", *(f"  {line}" for line in lines)])


class _HelpFormatter(argparse.HelpFormatter):
    """Leaves lines as they are where there are several; argparse would make a paragraph of them.

    Commands stand under the headings of their groups.
    """

    def _format_action(self, action: argparse.Action) -> str:
        text = super()._format_action(action)
        groups: dict[str, str] = getattr(action, "groups", {})
        lines = []
        heading = ""
        for line in text.splitlines(keepends=True):
            name = line.split()[0] if line.startswith("    ") and line[4:5].strip() else ""
            if groups.get(name, heading) != heading:
                heading = groups[name]
                lines.append(f"  {heading}:\n")
            lines.append(line)
        return "".join(lines)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" not in text:
            return super()._fill_text(text, width, indent)
        return "".join(f"{indent}{line}\n" for line in text.splitlines())
