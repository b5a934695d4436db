"""What a review is about: where its images come from, and the settings it was begun with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pass_dataset.curate.review.folder import ReviewFolder
from pass_dataset.curate.review.settings import ReviewSettings
from pass_dataset.curate.settings import as_content, section
from pass_dataset.errors import CurationError
from pass_dataset.files.checked_json import load_json, save_json
from pass_dataset.folders.file_mark import FileVersion
from pass_dataset.passify.sources.opening import SourceSettings

__all__ = ["Origin", "Record", "load_record", "save_record"]

_SCHEMA = 1


@dataclass(frozen=True)
class Origin:
    """Where images come from.

    Attributes:
      kind: a curation, or a source that `passify` reads.
      path: of the curation, run or source.
      source: settings of the source, as JSON has them; of a curation None.
      files: files that hold images, by number.
      states: these files when they were listed.
    """

    kind: Literal["curation", "source"]
    path: str
    source: dict[str, Any] | None
    files: tuple[str, ...] = ()
    states: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def source_settings(self) -> SourceSettings:
        """The source's settings. Raises ValueError for a curation, which has none."""
        if self.source is None:
            raise ValueError("a curation is no source")
        suffixes = self.source["suffixes"]
        content = {**self.source, "suffixes": None if suffixes is None else tuple(suffixes)}
        return SourceSettings(**content)

    @property
    def file_states(self) -> dict[str, FileVersion]:
        """The files when they were listed."""
        return {name: FileVersion(*state) for name, state in self.states.items()}


@dataclass(frozen=True)
class Record:
    """What a review is about.

    Attributes:
      what: path of the curation, run or source, for people.
      images: their number, known ones not counted.
      origins: of the images; of known bad ones; of known good ones.
      settings: of the review.
      after: of a curation, the step that was done last when its images were listed.
      gold: paths of the known bad ones and of the known good ones, as they were given; None:
        earlier versions did not say.
    """

    what: str
    images: int
    origins: tuple[Origin, ...]
    settings: ReviewSettings
    after: str | None = None
    gold: tuple[str | None, str | None] | None = None


def load_record(folder: ReviewFolder) -> Record:
    """What a review is about.

    Raises:
      CurationError: there is no review, or its record cannot be read.
    """
    folder.require()
    try:
        content = load_json(folder.record_path)
        origins = tuple(
            Origin(**{**one, "files": tuple(one["files"])}) for one in content["origins"]
        )
        settings = section(ReviewSettings, content["settings"], str(folder.record_path))
        gold = content.get("gold")
        return Record(
            content["what"],
            content["images"],
            origins,
            settings,
            content.get("after"),
            None if gold is None else (gold[0], gold[1]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CurationError(f"{folder.record_path}: cannot be read: {error}") from error


def save_record(folder: ReviewFolder, record: Record) -> None:
    """Writes what a review is about, last of all that begins it.

    Raises:
      OSError: it cannot be written.
    """
    content = {
        "schema": _SCHEMA,
        "what": record.what,
        "images": record.images,
        "origins": [asdict(origin) for origin in record.origins],
        "settings": as_content(record.settings),
        "after": record.after,
        "gold": record.gold,
    }
    save_json(folder.record_path, content, indent=1)
