"""Configs of `pass`: the releases, and what the user makes of them, each cached apart.

A whole release is cached as ``pass/3.0.0``, parts of one as ``pass/parts_0_3-5``, a release of the
user's own as ``pass/birds_1f3a90c2``, where the digits are of its content and not of its path.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import datasets

from pass_dataset.archives.removals import Removals
from pass_dataset.releases.addresses import addresses
from pass_dataset.releases.release import (
    DEFAULT_VERSION,
    OFFICIAL_VERSIONS,
    Release,
    official_release,
)
from pass_dataset.releases.selection import Selection, select

__all__ = ["CONFIGS", "PassConfig"]


@dataclass(eq=False)
class PassConfig(datasets.BuilderConfig):
    """A release of PASS, parts of one, or a release of the user's own.

    Attributes:
      data_dir: archive folder; None for ``PASS_ARCHIVES``, or the library's download folder.
      release: version, checksum file or Release; None for the version that the config is named by.
      parts: only these tars: numbers, or text such as ``0,3-5``; None for all.
      mirrors: base URLs (http, https, file) that have the release's files by their names; tried in
        this order before the published place.
      index: index of the release as ``pass-dataset index`` saves it, for streaming over HTTP:
        images are then asked for by their exact bytes, and the metadata is not fetched.
      tables: a stream comes as Arrow tables of many records, for ``with_format("arrow")`` and
        ``iter(batch_size)``, which is faster than record by record; a saved state goes on only in a
        stream of the same kind.
      removals: one more list of images to be left out, beside those of the archive folder, of the
        cache folder and of ``PASS_REMOVALS`` (see `pass_dataset.archives.removals`). It is applied
        when the data is read, and does not count for where it is cached.
      selection: what `release` and `parts` stand for.
    """

    data_dir: str | None = None
    release: str | os.PathLike[str] | Release | None = None
    parts: str | Sequence[int] | None = None
    # Not shown: an address may have a password.
    mirrors: str | Sequence[str] = field(default=(), repr=False)
    index: str | os.PathLike[str] | None = None
    tables: bool = False
    removals: Removals | None = None
    selection: Selection | None = field(default=None, repr=False)

    def create_config_id(
        self, config_kwargs: dict[str, Any], custom_features: datasets.Features | None = None
    ) -> str:
        """Name of the folder that the data is cached in, called by `datasets`.

        Raises:
          ReleaseError: no such release or part, or the arguments contradict each other.
        """
        self.selection = self._selected()
        self.name = self.selection.name or self.selection.release.version
        self.version = datasets.Version(self.selection.release.version)
        self.description = self.selection.description
        # The records depend on these and nothing else, so that the same ones are cached once.
        # (Where they come from, mirrors and index, changes no byte of them.)
        telling = {}
        if self.data_dir is not None:
            self.data_dir = os.path.abspath(os.path.expanduser(self.data_dir))  # noqa: PTH100
            telling["data_dir"] = self.data_dir
        return str(super().create_config_id(telling, custom_features))

    def _selected(self) -> Selection:
        # Anew each time: the library copies the config of a release, and what was made of it
        # before, to put other arguments in.
        if self.release is None:
            version: str | None = str(self.version)
        else:
            # The default's name stands there also where the user gave none.
            is_named = self.name in OFFICIAL_VERSIONS and self.name != DEFAULT_VERSION
            version = self.name if is_named else None
        chosen = select(self.release, self.parts, version)
        return chosen or Selection(official_release(str(self.version)))

    @property
    def mirror_urls(self) -> tuple[str, ...]:
        """The mirrors, of which a single one may be given as text."""
        return addresses(self.mirrors)

    def __eq__(self, other: object) -> bool:
        # The library asks whether a config differs from the one it is named like: by what it
        # stands for, and not by where that comes from.
        if not isinstance(other, PassConfig):
            return NotImplemented
        return (self.name, str(self.version), self.data_dir) == (
            other.name,
            str(other.version),
            other.data_dir,
        )

    __hash__ = None  # type: ignore[assignment]


CONFIGS = [
    PassConfig(
        name=version,
        version=datasets.Version(version),
        description=f"PASS {version}, {official_release(version).num_examples:,} images.",
    )
    for version in OFFICIAL_VERSIONS
]
