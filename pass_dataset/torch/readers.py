"""The datasets for PyTorch in the catalogue of readers; they build nothing."""

from __future__ import annotations

from collections.abc import Iterator

from pass_dataset.builds.catalogue import Place, Reader

__all__ = ["READERS"]


def _positions(place: Place) -> Iterator[str]:
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
    return (dataset[position][1] for position in range(len(dataset)))


def _stream(place: Place) -> Iterator[str]:
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
    return (image_hash for _, image_hash in stream)


READERS = (
    Reader("torch, PASS", _positions, in_place=True),
    Reader("torch, PassStream", _stream, in_place=True),
)
