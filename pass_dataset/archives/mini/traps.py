"""The awkward pictures of the mini release, so that tests can find them by name.

Importing this module needs neither numpy nor Pillow.
"""

from __future__ import annotations

#: Trap -> the hash of the picture that has it. Every trap is on a picture of its own.
TRAPS: dict[str, str] = {
    # Hashes that a careless reader of the CSV turns into numbers, or pads.
    "all_digits": "719204635581920374662058143907",  # 30 decimal digits
    "float_like": "12e4503918276645091827364509182",  # reads as a float (infinity)
    "short": "9c41d7be02f86a53870335d7",  # 24 characters: eight zeros were lost
    # Photographers whose names a careless reader takes for a missing value.
    "creator_na": "a35e09c7714bd82f6610c93be5d27f48",  # NA
    "creator_null": "4f8b16d20ce97a3358d1e60b97c4a2f",  # null
    "creator_none": "c7d05a9e83124fb66e90d8a31b57f20c",  # None
    "creator_percent": "6b29f4e1087d5ca3b2f89e4470d1c65",  # percent-encoded UTF-8
    # Missing and suspicious values in the other columns.
    "no_date": "e18f7c3b50a9d2467bc40f95e6d83a12",
    "no_gps": "58a3d94c7e20b1f66d93c8a017f5b4e",
    "gps_zero": "d4296fb0e8c7135a90be34d7816fa25c",  # latitude 0.0 and longitude 0.0
    # Files that are not baseline RGB landscapes.
    "grayscale": "2fb7c05d6a91e834d7f3026b8ce95a1",
    "cmyk": "b06e3d92f5a8471c9d04e7b3a61f85c2",
    "portrait": "87d1c4f6032be95ab7f6d30c58e294a",  # taller than wide
    "progressive": "f92a60b8d37e154c06bda8e97f31c54d",
}
