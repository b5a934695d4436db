"""The order that all draws go by: that of a keyed hash of each photograph's name.

A photograph's name is that of its file, 16 to 32 characters. Its key is four words of 64 bits:

    def mix(x):  # the last steps of SplitMix64, modulo 2**64
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9
        x = (x ^ x >> 27) * 0x94D049BB133111EB
        return x ^ x >> 31

    def word(number):  # 0 to 3
        state = mix(seed + (number + 1) * 0x9E3779B97F4A7C15)
        for part in parts:  # the name in ASCII with zeros to 32 bytes, as four little-endian words
            state = mix(state ^ part)
        return state

The first two words order the photographs of one photographer, the last two order all; of both the
first weighs most, and who has the smaller one comes first. The halves are independent: were they
one, those whom the cap lets through would have the smallest numbers of all, and a sample of these
would be one of the busiest photographers.

The key depends on seed and name alone: not on what else is there, in which order it came, in which
shard it lies, or on which machine. `mix` turns any change of one bit into one of any half of all,
and no two numbers into the same one. It keeps no secrets, and need not: names are hashes already,
and whoever knows the seed knows the order by any law. But it is done with whole columns at a time,
where BLAKE2b, one by one, took half the time of a draw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = [
    "ORDER_VERSION",
    "OVERALL",
    "WITHIN",
    "Keys",
    "Words",
    "check_seed",
    "in_order",
    "key_words",
    "order_keys",
]

#: Part of the settings that a step is begun with: another order is another release.
ORDER_VERSION = "pass-order-2"
_NAME_BYTES, _NAME_PARTS = 32, 4
#: Of a part of a name, the bits that belong to a name of so many characters.
_WITHIN = np.array(
    [
        [2 ** (8 * min(8, max(0, length - 8 * part))) - 1 for length in range(_NAME_BYTES + 1)]
        for part in range(_NAME_PARTS)
    ],
    np.uint64,
)
_STEP, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_MAX_SEED = 2**63 - 1
#: Names that are looked at together: what is made of them stays in the cache.
_BLOCK_NAMES = 8192

#: Words of keys, by which of the four they are: ``(photographs, words)`` of uint64.
Words = npt.NDArray[np.uint64]
#: The words that order the photographs of one photographer, and those that order all.
WITHIN, OVERALL = (0, 1), (2, 3)


@dataclass(frozen=True)
class Keys:
    """By what photographs are put in order.

    Of 17 million no two have one first word, but for a chance of one in 100,000: so the second is
    made when it is asked for.

    Attributes:
      first: the words that weigh most, ``(photographs,)`` of uint64.
      second: makes the others, of the photographs at some positions.
    """

    first: Words
    second: Callable[[npt.NDArray[np.int64]], Words]

    @classmethod
    def of(cls, words: Words) -> Keys:
        """Keys whose words are there, ``(photographs, 2)``."""
        return cls(words[:, 0], lambda positions: words[positions, 1])

    def __len__(self) -> int:
        return len(self.first)

    def some(self, positions: npt.NDArray[np.int64]) -> Keys:
        """Those of the photographs at some positions."""
        return Keys(self.first[positions], lambda among: self.second(positions[among]))


def order_keys(hashes: pa.Array | pa.ChunkedArray, seed: int) -> tuple[Words, Words]:
    """The words of photographs' keys.

    Args:
      hashes: names of their files (strings), see `pass_dataset.archives.hash_lists.is_hash`.
      seed: 0 to 2**63 - 1.

    Returns:
      Keys within a photographer's photographs, and keys among all; each ``(photographs, 2)`` of
      uint64.

    Raises:
      ValueError: the seed is out of range, or a name is too long.
    """
    words = key_words(hashes, seed, (*WITHIN, *OVERALL))
    return words[:, :2], words[:, 2:]


def key_words(hashes: pa.Array | pa.ChunkedArray, seed: int, numbers: Sequence[int]) -> Words:
    """Only some words of photographs' keys, ``(photographs, numbers)``; see `order_keys`."""
    check_seed(seed)
    words = np.empty((len(hashes), len(numbers)), np.uint64)
    place = 0
    for chunk in hashes.chunks if isinstance(hashes, pa.ChunkedArray) else [hashes]:
        for start in range(0, len(chunk), _BLOCK_NAMES):
            parts = _parts(chunk.slice(start, _BLOCK_NAMES))
            last = place + parts.shape[1]
            for column, number in enumerate(numbers):
                words[place:last, column] = _word(parts, seed, number)
            place = last
    return words


def _word(parts: Words, seed: int, number: int) -> npt.NDArray[np.uint64]:
    """A word of the keys of some names, whose parts are ``(4, names)``."""
    begin = np.array([(seed + (number + 1) * _STEP) % 2**64], np.uint64)
    state = np.repeat(_mixed(begin, np.empty_like(begin)), parts.shape[1])
    shifted = np.empty_like(state)
    for part in parts:
        state ^= part
        _mixed(state, shifted)
    return state


def _mixed(
    words: npt.NDArray[np.uint64], shifted: npt.NDArray[np.uint64]
) -> npt.NDArray[np.uint64]:
    """Mixes words where they are, with room for as many."""
    for bits, factor in ((30, _FIRST), (27, _SECOND)):
        words ^= np.right_shift(words, np.uint64(bits), out=shifted)
        words *= np.uint64(factor)
    words ^= np.right_shift(words, np.uint64(31), out=shifted)
    return words


def _parts(names: pa.Array) -> Words:
    """Names as words, ``(4, names)``."""
    offsets = np.frombuffer(names.buffers()[1] or b"", np.int32)
    bounds = offsets[names.offset : names.offset + len(names) + 1]
    lengths = np.diff(bounds)
    if len(names) and lengths.max() > _NAME_BYTES:
        raise ValueError(f"hash: expected {_NAME_BYTES} characters at most, found {lengths.max()}")
    if not len(names):
        return np.empty((_NAME_PARTS, 0), np.uint64)
    # So many bytes from the beginning of each, for which the text has room behind its last name;
    # of what is read beyond a name nothing stays.
    text = np.zeros(bounds[-1] - bounds[0] + _NAME_BYTES, np.uint8)
    text[:-_NAME_BYTES] = np.frombuffer(names.buffers()[2], np.uint8)[bounds[0] : bounds[-1]]
    from_each = np.ndarray(len(text) - _NAME_BYTES, f"V{_NAME_BYTES}", text, strides=(1,))
    read = from_each[(bounds[:-1] - bounds[0]).astype(np.intp)]
    parts: Words = read.view("<u8").reshape(-1, _NAME_PARTS).T.astype(np.uint64, order="C")
    for part, within in zip(parts, _WITHIN, strict=True):
        part &= within.take(lengths)
    return parts


def in_order(keys: Keys, groups: npt.NDArray[np.int32] | None = None) -> npt.NDArray[np.int64]:
    """Positions of keys from first to last.

    Args:
      keys: of the photographs; those that are equal stay as they stand.
      groups: numbers, ``(photographs,)``; photographs are in order of these first.

    Returns:
      A permutation, int64 ``(photographs,)``.
    """
    order = _by_words(keys)
    if groups is not None and len(groups):
        ordered = groups[order].astype(np.int64)
        ordered -= ordered.min()
        order = order[_sorted_with_places(ordered.view(np.uint64))[0]]
    return order


def _by_words(keys: Keys) -> npt.NDArray[np.int64]:
    """Positions in order of the keys alone."""
    bits = np.uint64(_bits_of(len(keys)))
    order, leading = _sorted_with_places(keys.first >> bits)
    is_tied = leading[1:] == leading[:-1]
    if is_tied.any():
        tied = _places_of(is_tied)
        order[tied] = _settled(keys, order[tied])
    return order


def _sorted_with_places(numbers: Words) -> tuple[npt.NDArray[np.int64], Words]:
    """The order of numbers, those that are equal as they stand; and they themselves in order.

    In numbers of 64 bits their places fit below them: to sort these takes a tenth of the time that
    it takes to sort places by what stands there.

    Args:
      numbers: of so few bits that the number of their places has room besides; they are lost.
    """
    bits = _bits_of(len(numbers))
    numbers <<= np.uint64(bits)
    numbers |= np.arange(len(numbers), dtype=np.uint64)
    numbers.sort()
    order = (numbers & np.uint64(2**bits - 1)).view(np.int64)
    numbers >>= np.uint64(bits)
    return order, numbers


def _bits_of(count: int) -> int:
    """Bits of the places of so many numbers."""
    return max(0, count - 1).bit_length()


def _settled(keys: Keys, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Positions of keys that begin alike, or several such one after the other, by whole keys."""
    first = keys.first[positions]
    order = np.lexsort((positions, first))
    positions, first = positions[order], first[order]
    is_tied = first[1:] == first[:-1]
    if is_tied.any():
        tied = _places_of(is_tied)
        those = positions[tied]
        positions[tied] = those[np.lexsort((those, keys.second(those), first[tied]))]
    return positions


def _places_of(is_tied: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Where what equals its next or the one before it stands."""
    return np.flatnonzero(np.append(is_tied, False) | np.append(False, is_tied))


def check_seed(seed: int) -> None:
    """Raises ValueError for a seed that is out of range."""
    if not 0 <= seed <= _MAX_SEED:
        raise ValueError(f"seed: expected 0 to {_MAX_SEED}, found {seed}")
