"""Which photograph of Flickr an image is: by its number there, or by the hash of its address.

Names tell it, as do addresses. An address has the photograph's number, a secret, and maybe a letter
for a size; in YFCC100M, whose hashes PASS has, addresses have no size, and begin with ``http``.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from pass_dataset.curate.select.law import address_hash

__all__ = ["Identity", "of_address", "of_name"]

#: ``8119368305_4e622c8349_z.jpg``: number, secret, size.
_FLICKR_FILE = re.compile(r"(\d{5,12})_([0-9a-f]{8,10})(?:_[a-z0-9])?\.(\w{3,4})")
#: Of hashes (16 to 32 characters) those that no counter or other number looks like.
_HASH = re.compile(r"(?=.*[a-f])[0-9a-f]{24,32}")
#: farm9.staticflickr.com, live.staticflickr.com, farm9.static.flickr.com
_FLICKR_HOST = re.compile(r"(\w+)\.static\.?flickr\.com")


class Identity(NamedTuple):
    """What tells a photograph.

    Attributes:
      photo_id: its number at Flickr; None: not known.
      address: hash of its address, as PASS names files; None: not known.
    """

    photo_id: str | None
    address: str | None


def of_address(address: str) -> Identity:
    """The photograph at an address of Flickr, of whatever size; of others only the hash."""
    parts = urlsplit(address.strip())
    folder, _, name = parts.path.rpartition("/")
    file = _FLICKR_FILE.fullmatch(name)
    if file is None or _FLICKR_HOST.fullmatch(parts.hostname or "") is None:
        return Identity(None, address_hash(address.strip()))
    number, secret, ending = file.groups()
    plain = f"http://{parts.hostname}{folder}/{number}_{secret}.{ending}"
    return Identity(number, address_hash(plain))


def of_name(path: str) -> Identity:
    """The photograph that a file is called after."""
    name = path.rpartition("/")[2]
    file = _FLICKR_FILE.fullmatch(name)
    if file is not None:
        return Identity(file[1], None)
    stem = name.partition(".")[0]
    return Identity(None, stem if _HASH.fullmatch(stem) else None)
