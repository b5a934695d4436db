"""Profiles: settings of a whole curation that ship with the package, by name.

A profile is a settings file (see `pass_dataset.curate.settings`) with two things more:
``description``, a line, and ``[[published]]``, the numbers that others tell of the same (see
`pass_dataset.curate.funnel.published`).
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.funnel.published import Published, read_published
from pass_dataset.curate.settings import load_settings, parse_settings
from pass_dataset.errors import CurationError

__all__ = ["Profile", "open_profile", "profile_names", "published_for"]

_SUFFIX = ".toml"


@dataclass(frozen=True)
class Profile:
    """A profile.

    Attributes:
      name: what it is asked for by.
      text: of its file.
      description: a line.
      content: its tables.
      published: what others tell of the same.
    """

    name: str
    text: str
    description: str
    content: Mapping[str, Any]
    published: tuple[Published, ...]


def profile_names() -> list[str]:
    """The profiles that ship."""
    files = importlib.resources.files(__package__).iterdir()
    return sorted(file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX))


def open_profile(name: str) -> Profile:
    """A profile by its name.

    Raises:
      CurationError: there is none of that name.
    """
    if name not in profile_names():
        raise CurationError(f"{name!r} is no profile; there are: {', '.join(profile_names())}")
    where = f"profile {name}"
    file = importlib.resources.files(__package__) / f"{name}{_SUFFIX}"
    text = file.read_text(encoding="utf-8")
    content = parse_settings(text, where)
    published = read_published(content.pop("published", []), where)
    return Profile(name, text, content.pop("description"), content, published)


def published_for(folder: CurationFolder, name: str | None = None) -> tuple[Published, ...]:
    """What others tell of the profile that a curation is made by.

    Args:
      folder: of the curation.
      name: of the profile; None: what its settings say; without one, nothing is told.

    Raises:
      CurationError: there is no such profile, or the settings cannot be read.
    """
    if name is None and folder.settings_path.is_file():
        content = load_settings(folder.settings_path)
        name = content.get("profile")
    return open_profile(name).published if name is not None else ()
