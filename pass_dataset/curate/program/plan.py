"""A settings file of a whole curation, read and checked before anything is done.

    steps = ["select", "fetch", "filter", "balance", "review", "draw", "release"]
    metadata = ["yfcc100m_dataset.bz2"]      # paths from the file's folder, or addresses

    [balance]
    per_photographer = 80

A table without its step in the list, a step that there is not, and a value that is none are errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import FIRST_STEP
from pass_dataset.curate.program.kinds import kind_of
from pass_dataset.curate.settings import as_content, differences, parse_settings, section
from pass_dataset.errors import CurationError

__all__ = ["Plan", "read_plan"]

#: What stands in a file besides the tables of its steps.
_OTHERS = frozenset({"steps", "metadata", "profile", "description", "published"})


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
      text: of the file.
      where: it stands, for messages.
      steps: in order, with the settings of each.
      metadata: what is selected from.
    """

    text: str
    where: str
    steps: Mapping[str, Any]
    metadata: tuple[str, ...]

    def refuse_changes(self, folder: CurationFolder, begun: Sequence[str]) -> None:
        """Raises `CurationError` if a step that is begun was told other settings before.

        Args:
          folder: of the curation, which has what it was told last.
          begun: steps of the ledger that are begun or done.
        """
        if not folder.settings_path.is_file():
            return
        where = str(folder.settings_path)
        before = read_plan(folder.settings_path.read_text(encoding="utf-8"), where, Path())
        for step, settings in self.steps.items():
            says = (step, *kind_of(step).says)
            old = before.steps.get(step)
            if old is None or not set(says) & set(begun):
                continue
            found = differences(as_content(old), as_content(settings))
            if found:
                listed = "\n  ".join(found)
                raise CurationError(
                    f"{self.where} [{step}]: has other settings:\n  {listed}\nWhat was begun keeps "
                    "its settings: take another folder, or the settings it has"
                )


def read_plan(text: str, where: str, folder: Path, metadata: Sequence[str] = ()) -> Plan:
    """A plan from the text of a settings file.

    Args:
      text: TOML.
      where: it stands, for messages.
      folder: that paths of metadata start from.
      metadata: in place of the file's.

    Raises:
      CurationError: it is no TOML, or something in it is not what it should be.
    """
    content = parse_settings(text, where)
    names = content.get("steps")
    if not isinstance(names, list) or not names or len(set(map(str, names))) < len(names):
        raise CurationError(f"{where}: expected steps = [...] with each step once, found {names!r}")
    if names[0] != FIRST_STEP:
        raise CurationError(f"{where}: expected {FIRST_STEP} as the first step, found {names[0]!r}")
    if "release" in names[:-1]:
        raise CurationError(f"{where}: expected release as the last step")
    unknown = sorted(set(content) - _OTHERS - set(names))
    if unknown:
        raise CurationError(
            f"{where}: [{unknown[0]}] is no step of the list, which has: {', '.join(names)}"
        )
    steps = {name: _settings(name, content.get(name, {}), where) for name in names}
    listed = content.get("metadata", [])
    if not isinstance(listed, list) or not all(isinstance(place, str) for place in listed):
        raise CurationError(f"{where} metadata: expected an array of paths or addresses")
    found = tuple(metadata) or tuple(_from(folder, place) for place in listed)
    return Plan(text, where, steps, found)


def _settings(step: str, table: Any, where: str) -> Any:
    if not isinstance(table, Mapping):
        raise CurationError(f"{where} [{step}]: expected a table, found {table!r}")
    return section(kind_of(step).settings_class(), table, f"{where} [{step}]")


def _from(folder: Path, place: str) -> str:
    return place if "://" in place else str(folder / place)
