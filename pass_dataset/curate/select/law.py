"""The hash of a photograph: MD5 of its address, as YFCC100M prints it.

Each of the 16 bytes is printed as hexadecimal without its leading zero, so that a hash has 16 to
32 characters.
"""

from __future__ import annotations

import hashlib
import re

__all__ = ["IS_HASH", "address_hash", "text_hash"]

IS_HASH = re.compile("[0-9a-f]{16,32}")
#: What each byte is printed as, by the character that it is in Latin-1. `translate` is the fastest
#: way that Python has for this.
_PRINTED = {byte: f"{byte:x}" for byte in range(256)}


def text_hash(text: str) -> str:
    """The hash of a text, in UTF-8."""
    # No secret hangs on it; without the flag, systems in FIPS mode refuse MD5.
    digest = hashlib.md5(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).digest()
    return digest.decode("latin-1").translate(_PRINTED)


def address_hash(address: str) -> str:
    """The hash of a photograph by its address, which may be http or https.

    >>> address_hash("https://farm8.staticflickr.com/7205/6985418911_df7747990d.jpg")
    '4e2f7a26a1dfbf165a7e30bdabf7e72a'
    """
    if address.startswith("https:"):
        address = f"http{address[5:]}"
    return text_hash(address)
