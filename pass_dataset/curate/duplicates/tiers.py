"""Pairs of images that are duplicates, and how it is known: the tiers.

photograph  the same photograph of Flickr, by its number or the hash of its address
bytes       the same file
pixels      the same size and the same pixels, decoded
near        nearly the same: codes within `RADIUS` bits, and small pictures that agree
crop        a part of the other, turned, or with something over it: descriptors that are near, and
            pictures that agree where one lies in the other; only where descriptors are given
grid        the rule of the paper's tool, which is asked instead of the others or not at all

Of images that are the same (the first three tiers) each is paired with the first of them, not all
with all: a placeholder that was fetched a thousand times makes 999 pairs. Near pairs are between
images that are not the same; in groups of very many, not all are listed (`MOST_LISTED`), but all
are found, and count. Of crops those pairs are listed that connect a group, the nearest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.curate.duplicates import hamming
from pass_dataset.curate.duplicates.crops.near_pairs import NearPairs
from pass_dataset.curate.duplicates.perceptual import CODE_WORDS, RADIUS
from pass_dataset.curate.duplicates.unions import Numbers, Unions
from pass_dataset.files.arrow import numbers_of

__all__ = [
    "MOST_LISTED",
    "TIERS",
    "Confirm",
    "CropSearch",
    "Found",
    "Tier",
    "codes_of",
    "find_pairs",
]

Tier = Literal["photograph", "bytes", "pixels", "near", "crop", "grid"]
TIERS: tuple[Tier, ...] = get_args(Tier)

#: Groups of near images up to this size have all their pairs listed; of larger ones those that
#: connect them.
MOST_LISTED = 200
#: Pairs that are looked at together.
_TOGETHER = 1 << 19
#: Pairs of near descriptors that are looked at before what was found of them spares others.
_LOOKED_AT = 256

#: Tells of pairs of images with codes within the radius whether their small pictures agree.
Confirm = Callable[[Numbers, Numbers], npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class Found:
    """What was found among images, which are numbered.

    Attributes:
      left, right: the images of each pair, the smaller number left.
      tier: index in `TIERS`.
      distance: bits in which codes differ; -1: of other tiers, where it is not asked.
      groups: for each image the smallest number of its group, its own where it is alone.
      refused: pairs within the radius whose small pictures do not agree, and pairs of near
        descriptors whose pictures do not.
      cosine: of the descriptors of crops; NaN: of other tiers.
      left_out: pairs of near descriptors that were too many to be looked at.
    """

    left: Numbers
    right: Numbers
    tier: npt.NDArray[np.int8]
    distance: npt.NDArray[np.int16]
    groups: Numbers
    refused: int
    cosine: npt.NDArray[np.float32]
    left_out: int = 0


@dataclass(frozen=True)
class CropSearch:
    """How crops are looked for.

    Attributes:
      pairs: gives pairs of near descriptors among some images, by their numbers in order.
      confirm: tells of pairs whether one image lies in the other.
    """

    pairs: Callable[[Numbers], NearPairs]
    confirm: Confirm


def find_pairs(
    images: pa.Table,
    own: int,
    *,
    radius: int = RADIUS,
    as_published: bool = False,
    confirm: Callable[[Numbers], Confirm],
    crops: CropSearch | None = None,
) -> Found:
    """Finds duplicates among images, and of images in other sets.

    Args:
      images: `photo_id`, `address`, `file`, `pixels`, `grid`, `code`, `broken`. Broken
        images match nothing.
      own: the first so many are looked at; those after them are of other sets, and are not
        compared with each other.
      radius: bits in which codes of near images differ at most; -1: they are not looked for.
      as_published: by the rule of the paper's tool instead.
      confirm: is given the numbers of all images that near pairs may have, in order, and gives what
        tells whether two of them agree.
      crops: how crops are looked for; None: they are not.
    """
    search = _Search(Unions(images.num_rows), own)
    sound = np.asarray(pc.is_null(images["broken"]))
    if as_published:
        search.same(TIERS.index("grid"), images["grid"], sound)
        return search.found()
    search.same(TIERS.index("photograph"), images["photo_id"], sound)
    search.same(TIERS.index("photograph"), images["address"], sound)
    search.same(TIERS.index("bytes"), images["file"], sound)
    search.same(TIERS.index("pixels"), images["pixels"], sound)
    # Of images with the same pixels the first stands for all.
    sound[_same(images["pixels"], sound, images.num_rows)[1]] = False
    numbers = np.flatnonzero(sound & np.asarray(pc.is_valid(images["code"])))
    if len(numbers) and radius >= 0:
        search.near(numbers, codes_of(images["code"], numbers), radius, confirm)
    if len(numbers) and crops is not None:
        search.crops(crops.pairs(numbers), crops.confirm)
    return search.found()


def codes_of(column: pa.ChunkedArray, numbers: Numbers) -> hamming.Codes:
    """Codes of some images, none of which is null."""
    taken = column.take(pa.array(numbers))
    values = b"".join(
        chunk.buffers()[1][
            8 * CODE_WORDS * chunk.offset : 8 * CODE_WORDS * (chunk.offset + len(chunk))
        ]
        for chunk in taken.chunks
    )
    return np.frombuffer(values, np.uint64).reshape(-1, CODE_WORDS)


class _Search:
    """Pairs as they are found, and the groups that they make."""

    def __init__(self, unions: Unions, own: int) -> None:
        self._unions = unions
        self._own = own
        self._pairs: list[tuple[Numbers, Numbers, int, npt.NDArray[np.float64]]] = []
        self._refused = self._left_out = 0

    def same(self, tier: int, column: pa.ChunkedArray, sound: npt.NDArray[np.bool_]) -> None:
        """Pairs with the same value, but for those that a tier before has connected."""
        first, other = _same(column, sound, self._own)
        new = self._unions.find(first) != self._unions.find(other)
        self._add(first[new], other[new], tier, np.full(int(new.sum()), -1, np.int32))

    def near(
        self,
        numbers: Numbers,
        codes: hamming.Codes,
        radius: int,
        confirm: Callable[[Numbers], Confirm],
    ) -> None:
        """Pairs with near codes, but for those that are connected already."""
        names = hamming.group(codes, radius)
        order = np.argsort(names, kind="stable")
        ordered = names[order]
        starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        ends = np.append(starts[1:], len(order))
        known = self._unions.names()
        groups = []
        for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
            members = order[start:end]  # in order, as the sort is stable
            # A group without one of ours, or that is one already, has nothing to be found.
            if numbers[members[0]] < self._own and len(set(known[numbers[members]].tolist())) > 1:
                groups.append(members)
        if not groups:
            return
        agrees = confirm(np.sort(numbers[np.concatenate(groups)]))
        for members in groups:
            pairs = self._agreeing(numbers[members], codes[members], known, radius, agrees)
            self._add_near(len(members), list(pairs))

    def crops(self, near: NearPairs, confirm: Confirm) -> None:
        """Pairs of near descriptors, the nearest first, but for those that are connected already.

        What is confirmed of some pairs spares others of the group: of a thousand parts of one
        photograph 999 pairs are looked at.
        """
        self._left_out = near.left_out
        for start in range(0, len(near.left), _LOOKED_AT):
            some = slice(start, start + _LOOKED_AT)
            left, right, cosine = near.left[some], near.right[some], near.cosine[some]
            apart = self._unions.find(left) != self._unions.find(right)
            left, right, cosine = left[apart], right[apart], cosine[apart]
            good = confirm(left, right)
            self._refused += int((~good).sum())
            self._add(left[good], right[good], TIERS.index("crop"), cosine[good])

    def _agreeing(
        self,
        numbers: Numbers,
        codes: hamming.Codes,
        known: Numbers,
        radius: int,
        agrees: Confirm,
    ) -> Iterator[tuple[Numbers, Numbers, npt.NDArray[np.int32]]]:
        """Pairs of a group, in stretches."""
        count = len(numbers)
        own = int(np.searchsorted(numbers, self._own))
        step = max(1, _TOGETHER // count)
        for start in range(0, own, step):
            rows = np.arange(start, min(own, start + step))
            left = np.repeat(rows, count)
            right = np.tile(np.arange(count), len(rows))
            later = (right > left) & (known[numbers[left]] != known[numbers[right]])
            left, right = left[later], right[later]
            away = hamming.distances(codes[left], codes[right])
            near = away <= radius
            left, right, away = numbers[left[near]], numbers[right[near]], away[near]
            good = agrees(left, right)
            self._refused += int((~good).sum())
            yield left[good], right[good], away[good]

    def _add_near(
        self,
        members: int,
        pairs: list[tuple[Numbers, Numbers, npt.NDArray[np.int32]]],
    ) -> None:
        tier = TIERS.index("near")
        for left, right, away in pairs:
            if members <= MOST_LISTED:
                self._add(left, right, tier, away)
                continue
            while True:
                apart = self._unions.find(left) != self._unions.find(right)
                left, right, away = left[apart], right[apart], away[apart]
                if not len(left):
                    break
                _, firsts = np.unique(right, return_index=True)
                self._add(left[firsts], right[firsts], tier, away[firsts])

    def _add(self, left: Numbers, right: Numbers, tier: int, value: npt.NDArray[Any]) -> None:
        """Adds pairs; `value` is the distance of each, of crops the cosine."""
        self._unions.join(left, right)
        self._pairs.append((left, right, tier, value.astype(np.float64)))

    def found(self) -> Found:
        """All pairs in order."""
        left = np.concatenate([pair[0] for pair in self._pairs])
        right = np.concatenate([pair[1] for pair in self._pairs])
        tiers = np.repeat(
            np.array([pair[2] for pair in self._pairs], np.int8),
            [len(pair[0]) for pair in self._pairs],
        )
        values = np.concatenate([pair[3] for pair in self._pairs])
        is_crop = tiers == TIERS.index("crop")
        away = np.where(is_crop, -1, values).astype(np.int16)
        cosine = np.where(is_crop, values, np.nan).astype(np.float32)
        order = np.lexsort((right, left))
        return Found(
            left[order],
            right[order],
            tiers[order],
            away[order],
            self._unions.names(),
            self._refused,
            cosine[order],
            self._left_out,
        )


def _same(
    column: pa.ChunkedArray, sound: npt.NDArray[np.bool_], own: int
) -> tuple[Numbers, Numbers]:
    """Images with the same value: the first, which is one of our own, and each of the others."""
    numbers = np.flatnonzero(sound & np.asarray(pc.is_valid(column)))
    if not len(numbers):
        return numbers, numbers
    values = pa.concat_arrays(column.take(pa.array(numbers)).chunks)
    codes = numbers_of(values.dictionary_encode().indices).astype(np.int64)
    # Values are numbered as they come, so the first of each is where its number is new.
    firsts = numbers[np.unique(codes, return_index=True)[1]]
    first = firsts[codes]
    is_pair = (first != numbers) & (first < own)
    return first[is_pair], numbers[is_pair]
