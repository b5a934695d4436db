"""The commands as the examples of the documentation call them, in the small world.

They are the real ones. The releases they know are those of the world, and where an example names
no detector they look for painted squares: the published weights are not on every machine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pass_dataset.commands import main as pass_dataset_command
from pass_dataset.commands.curate import main as curate_command
from pass_dataset.commands.passify import main as passify_command
from pass_dataset.releases import release as releases
from tests.docs.world import World
from tests.support.passify import DETECTORS

#: Commands of `passify`, and one of `pass-curate`, that open detectors which the user may choose,
#: and how.
_DETECTING = frozenset({"run", "plan", "verify", "filter"})
_CHOICES = ("--face-detector", "--person-detector")


def main(argv: Sequence[str]) -> int:
    name, *arguments = argv
    world = World(Path(os.environ["PASS_DOCS_WORLD"]))
    releases._checksums_folder = lambda: world.checksums
    if name == "pass-dataset":
        return pass_dataset_command.main(arguments)
    if name == "pass-curate" and arguments[:1] != ["filter"]:
        return curate_command.main(arguments)
    if _DETECTING & set(arguments[:1]) and not any(part.startswith(_CHOICES) for part in arguments):
        arguments += DETECTORS
    command = curate_command if name == "pass-curate" else passify_command
    return command.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
