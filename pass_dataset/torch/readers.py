"""The datasets for PyTorch in the catalogue of readers; they build nothing."""

from __future__ import annotations

from collections.abc import Iterator

from pass_dataset.builds.catalogue import Place, Reader, with_sha256

__all__ = ["READERS"]


def _positions(place: Place) -> Iterator[tuple[str, bytes]]:
    # Not with the entry: PyTorch takes seconds.
    from pass_dataset.torch import PASS

    dataset = PASS(
        place.archives.path,
        place.archives.release,
        parts=place.archives.parts,
        decode="bytes",
        target="hash",
        removals=place.removals,
    )
    examples = (dataset[position] for position in range(len(dataset)))
    return with_sha256((image_hash, data) for data, image_hash in examples)


def _stream(place: Place) -> Iterator[tuple[str, bytes]]:
    # Not with the entry: PyTorch takes seconds.
    from pass_dataset.torch import PassStream

    stream = PassStream(
        place.archives.path,
        place.archives.release,
        parts=place.archives.parts,
        decode="bytes",
        target="hash",
        removals=place.removals,
    )
    return with_sha256((image_hash, data) for data, image_hash in stream)


READERS = (
    Reader("torch, PASS", _positions, in_place=True),
    Reader("torch, PassStream", _stream, in_place=True),
)
