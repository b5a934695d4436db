"""Where in a checkpoint a whole network lies, and which of several is meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

import torch

from pass_dataset.evaluate.models.networks import Network
from pass_dataset.evaluate.models.spellings import SPELLINGS, Spelling, pair_left

__all__ = ["Candidate", "candidates", "containers", "preferred"]

#: VISSL's lie five deep.
_MAX_DEPTH = 8
#: Of a network's weights, the part that must be under a prefix for it to be looked at.
_LIKE_IT = 0.25
#: Parts of names that wrappers put between a network's own, anywhere in them.
_INNER_WRAPPERS = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.")
#: Counts batches while training, and decides nothing of features; files before PyTorch 0.4.1 have
#: none.
_COUNTER = "num_batches_tracked"

Weights = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Candidate:
    """A place in a checkpoint where a network may lie.

    Attributes:
      container: keys that lead to the mapping it is in.
      prefix: what its weights' names begin with there.
      spelling: how the rest of the names is written.
      weights: by torchvision's names, those that are there.
      missing: weights of the network that are not there, as they would be written there.
      others: weights with that prefix that are none of the network's, without the prefix.
      wrong_shapes: weights of another shape, in words.
      outside: weights of the mapping without that prefix.
    """

    container: tuple[str, ...]
    prefix: str
    spelling: Spelling
    weights: Weights
    missing: tuple[str, ...]
    others: Weights
    wrong_shapes: tuple[str, ...]
    outside: tuple[str, ...]

    @property
    def place(self) -> str:
        """Where it is, for people, and for the option that names one of several."""
        return "/".join((*self.container, self.prefix))

    @property
    def words(self) -> tuple[str, ...]:
        """The place word by word."""
        return (*self.container, *self.prefix.split("."))


def containers(
    content: Mapping[Any, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, torch.Tensor]]]:
    """All mappings of a checkpoint that hold weights, with the keys that lead to them.

    Raises:
      ValueError: two weights have one name once wrappers are taken off.
    """
    found: dict[str, torch.Tensor] = {}
    for key, value in content.items():
        if not isinstance(key, str):
            continue
        if isinstance(value, torch.Tensor):
            name = key
            for wrapper in _INNER_WRAPPERS:
                name = name.replace(wrapper, "")
            if name in found:
                raise ValueError(f"{name} is there twice, once wrapped and once not")
            found[name] = value
        elif isinstance(value, Mapping) and len(path) < _MAX_DEPTH:
            yield from containers(value, (*path, key))
    if found:
        yield path, found


def candidates(content: Mapping[Any, Any], network: Network) -> list[Candidate]:
    """All places where something like the network lies, whole or not."""
    return [
        _candidate(path, prefix, spelling, weights, network.shapes())
        for path, weights in containers(content)
        for spelling in SPELLINGS[network.family]
        for prefix in _prefixes(weights, {spelling.spell(name) for name in network.shapes()})
    ]


def preferred(found: list[Candidate]) -> list[Candidate]:
    """Those that are left once of two copies the one that is not evaluated is taken away.

    Whole or not: the other copy must not stand in for one that is cut.
    """
    return [
        candidate
        for candidate in found
        if not any(pair_left(other.words, candidate.words) for other in found)
    ]


def _prefixes(weights: Weights, names: Set[str]) -> Iterator[str]:
    """What the names of a good part of a network's weights begin with."""
    found: Counter[str] = Counter()
    for weight in weights:
        words = weight.split(".")
        for position in range(len(words)):
            if ".".join(words[position:]) in names:
                found["".join(f"{word}." for word in words[:position])] += 1
    return (prefix for prefix, number in found.items() if number >= _LIKE_IT * len(names))


def _candidate(
    path: tuple[str, ...],
    prefix: str,
    spelling: Spelling,
    weights: Weights,
    shapes: Mapping[str, torch.Size],
) -> Candidate:
    inside = {
        name.removeprefix(prefix): value
        for name, value in weights.items()
        if name.startswith(prefix)
    }
    taken: dict[str, torch.Tensor] = {}
    missing, wrong = [], []
    for name, shape in shapes.items():
        spelled = spelling.spell(name)
        value = inside.pop(spelled, None)
        if value is None and name.endswith(_COUNTER):
            value = torch.zeros((), dtype=torch.int64)
        if value is None:
            missing.append(prefix + spelled)
            continue
        if value.shape != shape:
            wrong.append(f"{prefix}{spelled} is {_shape(value.shape)}, not {_shape(shape)}")
        taken[name] = value
    return Candidate(
        container=path,
        prefix=prefix,
        spelling=spelling,
        weights=taken,
        missing=tuple(missing),
        others=inside,
        wrong_shapes=tuple(wrong),
        outside=tuple(name for name in weights if not name.startswith(prefix)),
    )


def _shape(shape: torch.Size) -> str:
    return "×".join(map(str, shape)) or "a number"
