"""Names that break what is careless with them."""

from __future__ import annotations

import random
from pathlib import Path
from urllib.parse import quote_plus

__all__ = ["ENCODED", "NAMES", "write_csv"]

#: As people read them.
NAMES = (
    "NA",
    "null",
    "None",
    "=cmd|' /C calc'!A0",
    "=Nahemoth=",
    "@Doug, or so",
    "-maria-",
    "+1",
    "🌸 hanami 🌸",
    "צילום של דנה",
    "\u202eturned round",
    "<script>alert(1)</script>",
    "\"quoted\" & 'single'",
    "{one brace \\ $100 50% #1 a_b ~x ^y |z|",
    "}{",
    "\\end{document}",
    "Ünal Öz",
    "山の音",
    "Ålesund",
    "this and that",
    "W" * 180,
)
#: What no name can be made of: bytes that are no UTF-8, control characters, blanks.
NO_NAMES = ("%zz", "100%", "%E5%B1", "%FF%FE", "bell%07", "nul%00x", "two%0Alines", "%20+")

#: All of them as in a metadata CSV.
ENCODED = (*map(quote_plus, NAMES), *NO_NAMES)


def write_csv(path: Path, nameless: int = 2) -> list[str]:
    """Writes a CSV: the photographer in place n has n % 4 + 1 images. Returns all hashes."""
    rng = random.Random(4)
    creators = [name for place, name in enumerate(ENCODED) for _ in range(place % 4 + 1)]
    creators += [""] * nameless
    rng.shuffle(creators)
    hashes = [rng.randbytes(16).hex() for _ in creators]
    rows = (
        f"{row},{creator},2007-05-06 06:11:48.0,Attribution License,{image_hash},,"
        for row, (creator, image_hash) in enumerate(zip(creators, hashes, strict=True))
    )
    header = ",unickname,datetaken,licensename,hash,latitude,longitude"
    path.write_text("".join(f"{line}\n" for line in (header, *rows)), encoding="ascii")
    return hashes
