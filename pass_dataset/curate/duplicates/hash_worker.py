"""A process that makes fingerprints: told which images on standard input, answers on output.

Lines in: JSON, {"source": number, "rows": […], "stamps": […], "skip": […]}. Lines out, one of

    {"at": 5}                               it begins with the image at this place
    {"done": true}                          the part is whole
    {"error": "SourceChangedError", "message": …}
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa

from pass_dataset.curate.duplicates.fingerprints import FINGERPRINTS, Fingerprint, fingerprint
from pass_dataset.curate.duplicates.hash_store import HashStore
from pass_dataset.curate.duplicates.listing import item_of
from pass_dataset.errors import PassDatasetError, SourceChangedError
from pass_dataset.passify.sources.opening import open_source
from pass_dataset.passify.sources.source import Reader, SourceItem
from pass_dataset.workers.giver import Giver

__all__ = ["DECODER_DIED", "main", "read_fingerprint", "to_table"]

#: What an image is called whose decoding ended the process.
DECODER_DIED = "decoder-died"


def main(folder: str, pickled: str) -> NoReturn:
    """Makes what is asked for until there is no more, and ends the process.

    Args:
      folder: of the store.
      pickled: names, settings and files of the sources, as hexadecimal text.
    """
    code = 1
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        code = _serve(Giver(), HashStore(Path(folder)), pickle.loads(bytes.fromhex(pickled)))
    os._exit(code)


def _serve(giver: Giver, store: HashStore, sources: list[Any]) -> int:
    readers: dict[int, Reader] = {}
    try:
        for line in giver.lines():
            job = json.loads(line)
            number = job["source"]
            name, settings, files = sources[number]
            if number not in readers:
                readers[number] = open_source(settings).reader(files)
            found = []
            for at, row in enumerate(job["rows"]):
                if at in job["skip"]:
                    found.append(Fingerprint(broken=DECODER_DIED))
                    continue
                giver.tell(at=at)
                found.append(read_fingerprint(readers[number], item_of(row)))
            items = pa.table({"path": [row[0] for row in job["rows"]], "stamp": job["stamps"]})
            store.add(store.keys(name, items), to_table(found))
            giver.answer(done=True)
    except (PassDatasetError, OSError) as error:
        giver.answer(error=type(error).__name__, message=str(error))
        return 1
    return 0


def read_fingerprint(reader: Reader, item: SourceItem) -> Fingerprint:
    """That of an image of a source; one that cannot be read is broken.

    Raises:
      SourceChangedError: the file that holds it is another than was listed.
      MissingExtraError: Pillow is not installed.
    """
    try:
        data = reader.read(item)
    except SourceChangedError:
        raise
    except (OSError, PassDatasetError):
        return Fingerprint(broken="unreadable")
    return fingerprint(data)


def to_table(found: list[Fingerprint]) -> pa.Table:
    """Fingerprints as a table."""
    return pa.table(
        [
            pa.array([getattr(one, field.name) for one in found], field.type)
            for field in FINGERPRINTS
        ],
        schema=FINGERPRINTS,
    )
