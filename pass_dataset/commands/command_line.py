"""What all commands share: what they log and write, how errors are told, and exit codes.

Exit codes: 0 done, 1 an error or something that is not whole, 2 wrong usage, 3 waiting for people
(`pass-curate run`), 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO, cast

from pass_dataset.errors import DownloadError, FolderError, PassDatasetError
from pass_dataset.files.whole import writing_whole
from pass_dataset.releases.addresses import without_secrets
from pass_dataset.shown import ShownFormatter, ShownText, shown_lines

__all__ = ["print_json", "run_command", "write_line", "write_out"]


class _StderrHandler(logging.StreamHandler):  # type: ignore[type-arg]  # no [] before 3.11
    """Writes to what is standard error at that moment, which progress lines replace."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr


def run_command(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    """Parses arguments, runs what they ask for, and returns the exit code.

    Args:
      parser: whose commands set ``run``, which takes the options and returns an exit code.
      argv: arguments; None: those of this process.
    """
    _open_standard_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = parser.parse_args(arguments)
    _log_to_stderr(options.verbose)
    again = without_secrets(f"To continue: {parser.prog} {shlex.join(arguments)}")
    try:
        with _shown_output():
            return int(options.run(options))
    except DownloadError as error:
        _say(f"{parser.prog}: {error}\n{again}")
        return 1
    except PassDatasetError as error:
        _say(f"{parser.prog}: {error}")
        return 1
    except BrokenPipeError:
        # Whoever read the output has had enough; Python must not complain of it again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except OSError as error:
        # What the library does not translate is about a place that the user named.
        logging.getLogger(__name__).debug("where it happened", exc_info=True)
        place = error.filename if error.filename is not None else error
        _say(f"{parser.prog}: {place}: {error.strerror}")
        return 1
    except KeyboardInterrupt:
        _say(f"\n{parser.prog}: interrupted; what was done is kept.\n{again}")
        return 130


def print_json(content: object) -> None:
    """Prints what programs read."""
    print(json.dumps(content, indent=1))


def write_line(line: bytes) -> None:
    """Writes a line for programs, as it is; to a terminal as it can be shown."""
    if sys.stdout.isatty():
        sys.stdout.write(line.decode(errors="surrogateescape") + "\n")
    else:
        sys.stdout.buffer.write(line + b"\n")


def write_out(pieces: Iterable[str], out: Path | None) -> None:
    """Writes text as UTF-8, whatever the terminal's encoding is.

    Args:
      pieces: of the text, written as they come.
      out: file, which gets its name only when it is whole; None: standard output, where a terminal
        gets it as it can be shown, and all else as it is.

    Raises:
      FolderError: the file cannot be written.
    """
    if out is None:
        sys.stdout.flush()
        if sys.stdout.isatty():
            sys.stdout.writelines(pieces)
            sys.stdout.flush()
            return
        sys.stdout.buffer.writelines(piece.encode() for piece in pieces)
        sys.stdout.buffer.flush()
        return
    try:
        with writing_whole(out) as file:
            file.writelines(piece.encode() for piece in pieces)
    except OSError as error:
        raise FolderError(f"{out}: cannot be written: {error.strerror}") from error


@contextlib.contextmanager
def _shown_output() -> Iterator[None]:
    """Has what is printed for people be safe to show, whatever names are in it."""
    if sys.stdout is None:  # closed by whoever started this
        yield
        return
    with contextlib.redirect_stdout(cast("TextIO", ShownText(sys.stdout))):
        yield


def _open_standard_streams() -> None:
    """Has all three be open: one that was closed by whoever started this goes nowhere.

    Else the next file that is opened would get its number, and whatever a library writes to
    standard error would end up in that.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # for good
            setattr(sys, name, stream)


def _say(text: str) -> None:
    sys.stderr.write(f"{shown_lines(without_secrets(text))}\n")


def _log_to_stderr(verbose: bool) -> None:
    handler = _StderrHandler()
    handler.setFormatter(ShownFormatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("pass_dataset")
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)
    logger.propagate = False
