"""Photographs that are files of this machine."""

from __future__ import annotations

from pathlib import Path

from pass_dataset.curate.fetch.answers import Answer

__all__ = ["read_file"]


def read_file(place: str, max_bytes: int) -> Answer:
    """A photograph that is a file, as an answer."""
    path = Path(place)
    try:
        if path.stat().st_size > max_bytes:
            return Answer(cause="too-large", said="more bytes than the limit", is_permanent=True)
        return Answer(body=path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        return Answer(cause="missing", said=error.strerror or "", is_permanent=True)
    except PermissionError as error:
        return Answer(cause="refused", said=error.strerror or "", is_permanent=True)
    except (OSError, ValueError) as error:
        return Answer(cause="unreachable", said=str(error))
