"""Where a photograph may be had, in the order in which it is looked for."""

from __future__ import annotations

import functools
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pass_dataset.curate.fetch.settings import FetchSettings
from pass_dataset.releases.addresses import address_in, check_address

__all__ = ["COLUMNS", "Candidate", "candidates_of", "host_of", "redirected"]

#: What has to be known of a photograph.
COLUMNS = ("hash", "extension", "download_url", "path")

_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_ASCII = "".join(map(chr, range(33, 127)))


class Candidate(NamedTuple):
    """One place.

    Attributes:
      source: what the ledger calls it.
      place: an address, or the path of a file.
      host: what its photographs share, such as ``https://host:443``; empty for files, and for
        addresses that cannot be asked.
    """

    source: str
    place: str
    host: str

    @property
    def is_file(self) -> bool:
        return self.source == "path"


def candidates_of(photograph: Mapping[str, Any], settings: FetchSettings) -> tuple[Candidate, ...]:
    """The places of a photograph, a row of `COLUMNS`."""
    return tuple(_places(photograph, settings))


def _places(photograph: Mapping[str, Any], settings: FetchSettings) -> Iterator[Candidate]:
    name, address = photograph["hash"], photograph["download_url"]
    for source in settings.sources:
        if source == "path" and photograph["path"]:
            yield Candidate("path", photograph["path"], "")
        elif source == "bucket" and address:  # its hash is that of the address
            folder = f"{name[:3]}/{name[3:6]}"
            yield _at("bucket", address_in(settings.bucket, f"{folder}/{name}.jpg"))
            extension = photograph["extension"]
            if extension and extension != "jpg":
                # The few that were not JPEGs when they were uploaded.
                place = address_in(settings.bucket, f"{folder}/{name}.{extension}")
                yield _at("bucket-extension", place)
        elif source == "download" and address:
            yield _at("download", address)


def _at(source: str, address: str) -> Candidate:
    if not address.isascii() or " " in address:
        # Addresses have no blanks and no letters beyond ASCII, but people's lists do.
        address = urllib.parse.quote(address.strip(), safe=_ASCII)
    return Candidate(source, address, host_of(address))


def host_of(address: str) -> str:
    """Scheme, host and port of an address; empty if it cannot be asked."""
    origin = _ORIGIN.match(address)
    if origin is None or not (address.isascii() and address.isprintable()):
        return ""
    return _host_of(origin[0])


@functools.lru_cache(maxsize=4096)
def _host_of(origin: str) -> str:
    # What libcurl and this package take for the host must be the same.
    if set(" \\") & set(origin):
        return ""
    try:
        parsed = check_address(origin)
    except ValueError:
        return ""
    scheme = parsed.scheme.lower()
    return f"{scheme}://{parsed.hostname}:{parsed.port or (443 if scheme == 'https' else 80)}"


def redirected(address: str, location: str, allowed: tuple[str, ...]) -> str | None:
    """Where a redirect leads; None if it is not allowed there."""
    try:
        target = urllib.parse.urljoin(address, location.strip())
    except ValueError:
        return None
    target = urllib.parse.quote(target, safe=_ASCII)
    host, asked = host_of(target), host_of(address)
    name = host.partition("://")[2].rpartition(":")[0]
    if not host:
        return None
    is_allowed = (
        name == asked.partition("://")[2].rpartition(":")[0]
        or "*" in allowed
        or any(name == one or name.endswith(f".{one}") for one in allowed)
    )
    return target if is_allowed else None
