"""What a release is called, and in how many tars it comes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pass_dataset.curate.sampling.order import check_seed
from pass_dataset.releases.addresses import check_address

__all__ = ["ReleaseSettings"]

#: As `pass_dataset.releases.release` reads them.
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_VERSION = re.compile(r"\d+\.\d+\.\d+")


@dataclass(frozen=True)
class ReleaseSettings:
    """What decides a release's bytes, beside the curation.

    Attributes:
      name: of a-z, 0-9 and _.
      version: ``X.Y.Z``.
      tars: number of tars.
      seed: of the order of the photographs in them, best that of the draw.
      url: where the files will be published, each under its name; None: nowhere yet.
    """

    name: str
    version: str
    tars: int = 10
    seed: int = 0
    url: str | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"name: expected a-z, 0-9 and _, a letter first, found {self.name!r}")
        if not _VERSION.fullmatch(self.version):
            raise ValueError(f"version: expected X.Y.Z, found {self.version!r}")
        if self.tars < 1:
            raise ValueError(f"tars: expected 1 or more, found {self.tars}")
        check_seed(self.seed)
        if self.url is not None:
            check_address(self.url)

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"

    @property
    def table_name(self) -> str:
        """Of the metadata CSV."""
        return f"{self.name}_metadata.csv"

    @property
    def checksums_name(self) -> str:
        """Of the checksum file."""
        return f"{self.name}-{self.version}.tsv"

    def tar_name(self, number: int) -> str:
        """Of a tar."""
        return f"{self.name}.{number}.tar"
