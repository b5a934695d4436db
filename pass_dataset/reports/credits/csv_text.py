"""Credits as CSV: one row an image, each complete in itself.

UTF-8, with lines that end in a newline. Names stand as they are, also one that begins with ``=``,
which a spreadsheet would take for a formula: import the column as text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from pass_dataset.reports.credits.credit import Credit
from pass_dataset.reports.credits.reading import Credits

__all__ = ["COLUMNS", "csv_pieces"]

COLUMNS = (
    "hash",
    "creator",
    "unickname",
    "license",
    "license_url",
    "collection",
    "collection_url",
    "file_url",
    "yfcc100m_row",
    "missing",
)
_ROWS_A_PIECE = 4096


def csv_pieces(credits_: Credits) -> Iterator[str]:
    """The text of the CSV, some thousand rows at a time.

    Columns: ``hash``; ``creator`` as people read it, and ``unickname``, the same as in the
    metadata; ``license`` and ``license_url``; ``collection`` and ``collection_url``, where the
    image is from; ``file_url``, its file in YFCC-100M's bucket; ``yfcc100m_row``, its row in
    YFCC-100M's metadata; ``missing``, what is not known of it. What is not known is empty.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, credit in enumerate(credits_, 1):
        writer.writerow(_row(credit))
        if number % _ROWS_A_PIECE == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _row(credit: Credit) -> tuple[str | None, ...]:
    return (
        credit.hash,
        credit.name,
        credit.creator,
        credit.license_name,
        None if credit.license is None else credit.license.url,
        credit.source.label,
        credit.source.url,
        credit.file_url,
        credit.yfcc_row,
        "; ".join(credit.missing),
    )
