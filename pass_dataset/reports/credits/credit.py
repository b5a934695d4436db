"""A credit: who made an image, under which licence it is, and where it is from."""

from __future__ import annotations

from dataclasses import dataclass

from pass_dataset.releases.licenses import License
from pass_dataset.releases.release import Release
from pass_dataset.reports.credits.names import decode_name

__all__ = ["ALWAYS_MISSING", "Credit", "Source", "source_of"]

#: What CC BY 2.0 asks for (section 4b) and no metadata of PASS have.
ALWAYS_MISSING = ("title", "page of the photograph")

#: The public bucket of YFCC-100M, from which the images of PASS were fetched. Under
#: ``data/images`` a file lies by the first characters of its hash. The authors of PASS publish
#: these addresses for all images: https://www.robots.ox.ac.uk/~vgg/research/pass/pass_urls.txt
_BUCKET = "https://multimedia-commons.s3-us-west-2.amazonaws.com/data/images"


@dataclass(frozen=True)
class Source:
    """The collection that images are from.

    Attributes:
      label: ``PASS 3.0.0``, name and version of a user's own, or the name of its CSV.
      url: the DOI of its Zenodo record, as an address; None without one.
      is_pass: True for a published release of PASS.
    """

    label: str
    url: str | None
    is_pass: bool


def source_of(release: Release | None, file_name: str) -> Source:
    """The collection of a metadata CSV.

    Args:
      release: whose it is; None: not known.
      file_name: of the CSV.
    """
    if release is None:
        return Source(file_name, None, is_pass=False)
    url = None if release.doi is None else f"https://doi.org/{release.doi}"
    return Source(release.label, url, release.is_official)


@dataclass(frozen=True, slots=True)
class Credit:
    """Who made an image, and under which licence it is.

    Attributes:
      hash: the image's name.
      creator: photographer, URL-encoded as in the CSV; None if the CSV has no name.
      license_text: the licence as the CSV names it, or None.
      license: the licence, or None if it is not known.
      yfcc_row: number of the row in YFCC-100M's own metadata, as text, where title and page of the
        photograph stand; None if not known.
      source: the collection.
    """

    hash: str
    creator: str | None
    license_text: str | None
    license: License | None
    yfcc_row: str | None
    source: Source

    @property
    def name(self) -> str | None:
        """The photographer as people read it; None if the CSV has no name."""
        return None if self.creator is None else decode_name(self.creator)

    @property
    def file_url(self) -> str | None:
        """The image's file in YFCC-100M's public bucket; None if it is not from there.

        Made from the hash, not looked up. It has neither the photographer's name nor the licence.
        """
        if not self.source.is_pass:
            return None
        return f"{_BUCKET}/{self.hash[:3]}/{self.hash[3:6]}/{self.hash}.jpg"

    @property
    def license_name(self) -> str | None:
        """``CC BY 2.0``, or what the CSV says; None if it says nothing."""
        return self.license_text if self.license is None else self.license.name

    @property
    def missing(self) -> tuple[str, ...]:
        """What an attribution should have and is not known."""
        missing = list(ALWAYS_MISSING)
        if self.creator is None:
            missing.append("creator")
        if self.license is None:
            missing.append("licence" if self.license_text is None else "address of the licence")
        return tuple(missing)

    @property
    def text(self) -> str:
        """The credit in a line, to be put beside the image."""
        who = "an unknown photographer" if self.name is None else self.name
        if self.license is not None:
            terms = f"{self.license.name} ({self.license.url})"
        else:
            terms = self.license_text or "licence not known"
        where = self.source.label + (f" ({self.source.url})" if self.source.url else "")
        return f"Photograph by {who}, {terms}. Image {self.hash} of {where}."
