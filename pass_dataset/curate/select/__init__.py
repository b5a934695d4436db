"""Selecting: which photographs of a collection's metadata a curation begins with.

    sources → pieces → workers (rows → rules → gathered) → whole → ledger

settings      what is asked for
licenses      licences: what they are called, and which are asked for
law           the hash of a photograph, by its address
rules         causes why a row is refused
gathered      what a piece came to: counts and photographs
flickr        rows of YFCC100M's metadata
scan, cut     lines: how they end; fields of those that are asked for
text, bzip2   text in pieces that are cut anywhere; bzip2 by its blocks
sqlite        SQLite, here; `sqlite_remote`: on a server
tables        candidates of one's own
remote        a file on a server, read at any place
sources       files of metadata, and which form each has
pieces        what a worker does at a time
worker        a worker; `readers`: all of them
duplicates    photographs that occur twice
known_totals  what is known of YFCC100M
whole         pieces put together: the shards of the ledger
step          all of it
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pass_dataset.curate.select.settings import SelectSettings

if TYPE_CHECKING:
    from pass_dataset.curate.select.step import run_select

__all__ = ["SelectSettings", "run_select"]


def __getattr__(name: str) -> Any:
    # When it is asked for: a worker is a module of this package, and needs a third of it.
    if name != "run_select":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.step").run_select
