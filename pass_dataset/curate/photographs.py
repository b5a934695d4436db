"""What a photograph begins with: the columns that `select` writes, and every later step can read.

Text is as YFCC100M has it, URL-encoded with ``+`` for a blank (`unickname`, `title`): nothing of it
is lost, and it is what PASS's own CSV has. Candidates of one's own are encoded when selected.
"""

from __future__ import annotations

import pyarrow as pa

__all__ = ["CREDIT_COLUMNS", "PHOTOGRAPHS", "UNLIKE_COLUMNS"]

#: Identity, place and credit; `row` and `cause`, which all steps have, come before them.
PHOTOGRAPHS = pa.schema(
    [
        # MD5 of the photograph's address in its http form, bytes without leading zeros: 16 to 32
        # characters, the name of its file in a release.
        pa.field("hash", pa.string(), nullable=False),
        # Where the source has it: `source` is a file's name, `line` counts from 1 (in SQLite and
        # Parquet: rows).
        pa.field("source", pa.dictionary(pa.int16(), pa.string())),
        pa.field("line", pa.int64()),
        pa.field("photo_id", pa.string()),
        # Flickr's name of a user that does not change; null where the source has none.
        pa.field("nsid", pa.string()),
        pa.field("unickname", pa.string()),
        pa.field("title", pa.string()),
        pa.field("datetaken", pa.string()),
        pa.field("latitude", pa.float64()),
        pa.field("longitude", pa.float64()),
        pa.field("page_url", pa.string()),
        # The photograph itself: an address, or a path on this machine.
        pa.field("download_url", pa.string()),
        pa.field("path", pa.string()),
        # Of the file as it was uploaded, such as png; null where the source does not say.
        pa.field("extension", pa.dictionary(pa.int16(), pa.string())),
        pa.field("license_name", pa.dictionary(pa.int16(), pa.string())),
        pa.field("license_url", pa.dictionary(pa.int16(), pa.string())),
    ]
)

#: Columns of text that is hardly twice the same: a dictionary of it is longer than itself.
UNLIKE_COLUMNS = ("hash", "photo_id", "title", "datetaken", "page_url", "download_url", "path")

#: What whoever shows a photograph has to say.
CREDIT_COLUMNS = ("unickname", "title", "page_url", "license_name", "license_url")
