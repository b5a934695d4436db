"""The images of a tar, listed: hashes, places, sizes, and what is no image."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pass_dataset.archives.tars import (
    FOLDER,
    HARD_LINK,
    REGULAR,
    Member,
    image_hash,
    read_members,
)
from pass_dataset.archives.turns import Turn
from pass_dataset.errors import ArchiveError

__all__ = ["TarListing", "list_tar"]


@dataclass
class TarListing:
    """The images of one tar, in the order they stand there.

    A hard link to an image is an image of its own name, with the same bytes. It stands behind the
    image that it leads to.

    Attributes:
      path: the tar.
      hash_text: file names without folder and ``.jpg``, one after the other, in UTF-8. (As Python
        text they would take 90 bytes each, three times as much.)
      hash_ends: where each of them ends in ``hash_text``, after a zero.
      offsets: position of each image's first byte.
      sizes: bytes of each image.
      folders: number of folder entries.
      others: names of the first few members that are neither image nor folder.
      num_others: number of all of them.
    """

    path: Path
    hash_text: bytearray = field(default_factory=bytearray)
    hash_ends: array[int] = field(default_factory=lambda: array("i", [0]))
    offsets: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("q"))
    folders: int = 0
    others: list[str] = field(default_factory=list)
    num_others: int = 0

    def __len__(self) -> int:
        return len(self.offsets)

    def add(self, image: str, offset: int, size_bytes: int) -> None:
        """Adds an image behind the others.

        Raises:
          ArchiveError: its hash is no text.
        """
        self.hash_text += _utf8(self.path, image, offset)
        self.hash_ends.append(len(self.hash_text))
        self.offsets.append(offset)
        self.sizes.append(size_bytes)

    def add_all(
        self,
        hash_text: bytes,
        hash_ends: npt.NDArray[np.int64],
        offsets: npt.NDArray[np.int64],
        sizes: npt.NDArray[np.int64],
    ) -> None:
        """Adds images behind the others, their hashes as they are kept."""
        # Not as bytes: an end that is too great for the array is refused.
        self.hash_ends.extend((hash_ends + len(self.hash_text)).tolist())
        self.hash_text += hash_text
        self.offsets.frombytes(offsets.tobytes())
        self.sizes.frombytes(sizes.tobytes())

    def leave_out(self, name: str) -> None:
        """Counts a member that is no image."""
        self.num_others += 1
        if len(self.others) < 5:
            self.others.append(name)

    @property
    def hashes(self) -> list[str]:
        """The hashes as Python text."""
        bounds = zip(self.hash_ends, self.hash_ends[1:], strict=False)
        return [self.hash_text[first:last].decode() for first, last in bounds]

    def with_names(self, more: Sequence[tuple[int, int, str]]) -> TarListing:
        """A listing in which some images have more names than one.

        Args:
          more: offset, size in bytes and hash.
        """
        listing = TarListing(
            self.path, folders=self.folders, others=self.others, num_others=self.num_others
        )
        images = [*zip(self.offsets, self.sizes, self.hashes, strict=True), *more]
        # As they lie, which is how readers over the network go through them.
        for offset, size_bytes, image in sorted(images, key=lambda one: one[0]):
            listing.add(image, offset, size_bytes)
        return listing


def list_tar(path: Path, turn: Turn | None = None) -> TarListing:
    """Lists the images of a tar.

    Args:
      path: the tar.
      turn: of several threads that list tars.

    Raises:
      ArchiveError: the tar is cut, compressed, damaged or unsafe; the message names file, member
        and position.
    """
    listing = TarListing(path)
    turn = turn or Turn()
    with turn.taken():
        links = _list_members(listing, turn)
    # Few tars have any: then they are read once more.
    return _with_links(listing, links) if links else listing


def _list_members(listing: TarListing, turn: Turn) -> list[Member]:
    """Lists what is no link; returns the hard links to images."""
    links: list[Member] = []
    for member in read_members(listing.path, turn, listing.add_all):
        if member.kind == FOLDER:
            listing.folders += 1
        elif (found := image_hash(member)) is not None:
            if member.kind == HARD_LINK:
                links.append(member)
            else:
                listing.add(found, member.offset, member.size_bytes)
        else:
            listing.leave_out(member.name)
    return links


def _with_links(listing: TarListing, links: Sequence[Member]) -> TarListing:
    """The listing with the images that hard links lead to, under the links' names."""
    wanted = {link.link for link in links}
    targets: dict[str, Member] = {}
    more: list[tuple[int, int, str]] = []
    for member in read_members(listing.path):
        if member.kind == HARD_LINK:
            target = targets.get(member.link)
            found = image_hash(member)
            if target is not None and found is not None:
                more.append((target.offset, target.size_bytes, found))
            elif found is not None:
                listing.leave_out(
                    f"{member.name} (a hard link to what is not there: {member.link})"
                )
        else:
            target = member if member.kind in REGULAR else None
        if member.name in wanted and target is not None:
            # The last one before the link counts, as it does for who extracts the tar.
            targets[member.name] = target
    return listing.with_names(more)


def _utf8(path: Path, found: str, offset: int) -> bytes:
    try:
        return found.encode()
    except UnicodeEncodeError:
        raise ArchiveError(
            f"{path}: the name of the image at byte {offset:,} is no text in UTF-8: {found!r}. "
            "Pack the images anew under names that are."
        ) from None
