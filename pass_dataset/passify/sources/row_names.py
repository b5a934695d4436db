"""Names of rows of tables, so that lists name an image and not its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.types as types

from pass_dataset.errors import SourceError

__all__ = ["HASH_COLUMN", "name_column", "row_keys"]

#: What the column of names is called in builds of this package.
HASH_COLUMN = "hash"


def name_column(schema: pa.Schema, wanted: str | None) -> str | None:
    """The column that names rows; None if there is none and none was asked for.

    Raises:
      SourceError: the one that was asked for is not there, or has no text.
    """
    texts = [field.name for field in schema if _is_text(field.type)]
    if wanted is None:
        return HASH_COLUMN if HASH_COLUMN in texts else None
    if wanted not in texts:
        raise SourceError(
            f"expected names of images in the column {wanted!r}, found no such text; columns: "
            f"{', '.join(schema.names)}"
        )
    return wanted


def _is_text(kind: pa.DataType) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind))


def row_keys(names: Sequence[str | None] | None, rows: int, wanted: str | None) -> Iterable[bytes]:
    """What the paths of a file's rows end with: their names, or their numbers.

    Args:
      names: of the rows; None where they have none.
      rows: number of them.
      wanted: the column of names that was asked for; None: any will do.

    Raises:
      SourceError: rows have no name, or one name, in the column that was asked for.
    """
    if names is not None:
        given = [name for name in names if name]
        if len(set(given)) == rows and not any("/" in name for name in given):
            return (name.encode("utf-8", "surrogateescape") for name in given)
        if wanted is not None:
            raise SourceError(
                f"expected a name of its own, without slashes, for each of {rows:,} rows in the "
                f"column {wanted!r}, found {len(set(given)):,} different ones"
            )
    return (b"%d" % row for row in range(rows))
