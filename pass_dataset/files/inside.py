"""Names of files that other files tell."""

from __future__ import annotations

__all__ = ["require_inside"]


def require_inside(name: str) -> str:
    """A path that a manifest or an index names, if it is one within their folder.

    Whoever passes such a file on could else have the bytes of any other be taken for data.

    Raises:
      ValueError: it leads out of the folder.
    """
    if not name or name.startswith("/") or "\0" in name or ".." in name.split("/"):
        raise ValueError(f"expected the name of a file within the folder, found {name!r}")
    return name
