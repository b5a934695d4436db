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
from pass_dataset.curate.settings import parse_settings, read_settings_text
from pass_dataset.errors import CurationError

__all__ = ["Profile", "open_profile", "profile_names", "published_for", "published_in"]

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
    """What others tell of what a curation repeats.

    Args:
      folder: of the curation.
      name: of a profile; None: what its settings say; without any, nothing is told.

    Raises:
      CurationError: there is no such profile, or the settings cannot be read.
    """
    if name is not None:
        return open_profile(name).published
    if not folder.settings_path.is_file():
        return ()
    path = folder.settings_path
    return published_in(read_settings_text(path), str(path))


def published_in(text: str, where: str) -> tuple[Published, ...]:
    """The published numbers in settings as text: their own, or those of their profile.

    Raises:
      CurationError: it is no TOML, or something in it is not what it should be.
    """
    content = parse_settings(text, where)
    if "published" in content:
        return read_published(content["published"], where)
    name = content.get("profile")
    return open_profile(name).published if isinstance(name, str) else ()
