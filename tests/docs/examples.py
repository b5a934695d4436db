"""The examples of a page, run: `python -m tests.docs.examples PAGE FOLDER`.

In a process of its own: TensorFlow, PyTorch and `datasets` read the user's home when they are
imported, and a page's examples shall find it as empty as a newcomer's.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sybil import Example, Sybil
from sybil.evaluators.python import pad
from sybil.parsers.markdown import CodeBlockParser

from pass_dataset.commands import main as pass_dataset_command
from pass_dataset.commands.curate import main as curate_command
from pass_dataset.commands.evaluate import main as pass_evaluate_command
from pass_dataset.commands.passify import main as passify_command
from pass_dataset.releases import release as releases
from tests.docs.world import World, make_world

__all__ = ["NOT_RUN", "parse_shell", "run_page"]

#: The mark of what cannot run here.
NOT_RUN = re.compile(r"<!-- not run: (?P<reason>[^>]+) -->\s*\Z")
#: The mark of Python that the page asks to be run anew.
_NEW_PYTHON = re.compile(r"<!-- a new Python -->\s*\Z")

_PARSERS = {
    "pass-dataset": pass_dataset_command,
    "pass-curate": curate_command,
    "pass-evaluate": pass_evaluate_command,
    "passify": passify_command,
}


def run_page(page: Path, folder: Path) -> Page:
    """Runs the blocks of a page in order, in a world made for it.

    Args:
      page: Markdown.
      folder: an empty one, for the world.
    """
    world = make_world(folder)
    releases._checksums_folder = lambda: world.checksums
    releases.official_release.cache_clear()
    os.chdir(world.here)
    blocks = Page(world)
    parsers = [CodeBlockParser("sh", blocks.shell), CodeBlockParser("python", blocks.python)]
    for example in Sybil(parsers).parse(page):
        example.evaluate()
    return blocks


class Page:
    """Evaluates the blocks of a page; counts them.

    Attributes:
      run: blocks that ran.
      parsed: blocks that are marked, and were only parsed.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.run = 0
        self.parsed = 0

    def shell(self, example: Example) -> None:
        if _is_marked(example, NOT_RUN):
            parse_shell(example.parsed)
            self.parsed += 1
        else:
            self._world.run(example.parsed)
            self.run += 1

    def python(self, example: Example) -> None:
        # With empty lines before it, so that errors name the line of the page.
        source = pad(self._world.true(example.parsed), example.line + example.parsed.line_offset)
        code = compile(source, example.path, "exec", dont_inherit=True)
        if _is_marked(example, NOT_RUN):
            self.parsed += 1
            return
        if _is_marked(example, _NEW_PYTHON):
            self._world.run(f"python -c {shlex.quote(example.parsed)}")
        else:
            exec(code, example.namespace)
        self.run += 1


def _is_marked(example: Example, mark: re.Pattern[str]) -> bool:
    return mark.search(example.document.text[: example.start]) is not None


def parse_shell(script: str) -> None:
    """Parses lines of shell, and the arguments of our commands by the commands' own parsers.

    Raises:
      CalledProcessError: it is no shell.
      SystemExit: a command does not know an argument.
    """
    subprocess.run(["bash", "-n", "-c", script], check=True)
    for line in script.replace("\\\n", " ").splitlines():
        for part in re.split(r"&&|\|\|?|;", line):
            words = shlex.split(part.split(" > ")[0], comments=True)
            if words and words[0] in _PARSERS:
                _PARSERS[words[0]].make_parser().parse_args(words[1:])


def main(argv: Sequence[str]) -> None:
    blocks = run_page(Path(argv[0]).resolve(), Path(argv[1]).resolve())
    print(f"{blocks.run} blocks run, {blocks.parsed} parsed")


if __name__ == "__main__":
    main(sys.argv[1:])
