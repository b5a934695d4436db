"""The opt-out list of a whole curation: what is on it is not looked at, and not released.

Lists grow while a curation goes on. The filter keeps the list that it was begun with, which is
copied for it: photographs that were put on the list later are known to it already, and it is the
release that leaves them out.
"""

from __future__ import annotations

from pathlib import Path

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.program.kinds import kind_of
from pass_dataset.errors import CurationError
from pass_dataset.files.whole import write_whole

__all__ = ["list_of_filter"]


def list_of_filter(folder: CurationFolder, given: Path | None) -> Path | None:
    """The list that the filter goes by.

    Args:
      folder: of the curation.
      given: the list as it is now; None: there is none.

    Returns:
      Its copy; the list itself, for a filter that was begun by itself; None: there is none.

    Raises:
      CurationError: the list cannot be read.
      OSError: it cannot be copied.
    """
    kept = folder.opt_outs_path
    ledger = Ledger(folder)
    first = kind_of("filter").says[0]
    done = ledger.record(first)
    if done is not None or ledger.begun() == first:
        if kept.is_file():
            return kept
        had_none = done is not None and done.settings["opt_outs_sha256"] is None
        return None if had_none else given
    if given is None:
        kept.unlink(missing_ok=True)
        return None
    try:
        content = given.read_bytes()
    except OSError as error:
        raise CurationError(f"{given}: cannot be read: {error.strerror}") from error
    write_whole(kept, content)
    return kept
