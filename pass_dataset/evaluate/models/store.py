"""Where the published checkpoints are, and whether they are the right ones.

Looked for in ``PASS_WEIGHTS_DIR``, from which nothing is fetched, else in the user's cache, into
which they are fetched at first use. No hash of them is published: the first one that is seen is
recorded beside the file, and the file is checked by it ever after.
"""

from __future__ import annotations

import os
from pathlib import Path

from pass_dataset.errors import WeightsError
from pass_dataset.evaluate.models.published import PublishedModel
from pass_dataset.passify.detectors.weights.hashes import (
    hashes_of,
    record_hash,
    recorded_hash,
    refused,
)
from pass_dataset.passify.detectors.weights.store import (
    WEIGHTS_VARIABLE,
    VerifiedWeights,
    weights_folder,
)
from pass_dataset.progress import Progress

__all__ = ["find_published"]


def find_published(
    model: PublishedModel, folder: Path | None = None, *, progress: Progress | None = None
) -> VerifiedWeights:
    """The file of a published checkpoint, verified; fetched first if it is not here.

    Args:
      model: which.
      folder: where it is or is fetched to; None: see above.
      progress: where a download is shown.

    Raises:
      WeightsError: it cannot be had, or is another file than was first seen.
    """
    path = (folder or weights_folder()) / model.filename
    if not path.is_file():
        if folder is None and os.environ.get(WEIGHTS_VARIABLE):
            raise WeightsError(
                f"{path}: not there, and {WEIGHTS_VARIABLE} is set, so nothing is fetched. With "
                f"network: pass-dataset models {model.name} --fetch --dir DIR. Or get {model.url} "
                "and put it there"
            )
        # What fetches takes as long to load as all the rest; most files are here.
        from pass_dataset.passify.detectors.weights.fetching import fetch

        fetch(model.file, path.parent, progress=progress)
    found = hashes_of(path).sha256
    expected = recorded_hash(path)
    if expected is None:
        record_hash(path, found)
    elif found != expected:
        raise refused(
            path,
            f"SHA-256 {expected}, as when it was first seen",
            found,
            f"Delete it, and it is fetched anew from {model.url}.",
        )
    return VerifiedWeights(path, found)
