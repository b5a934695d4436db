"""All rankers by name: those that are here, and those of other packages, by entry point."""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pass_dataset.curate.ranking.ranker import Ranker, RankerSettings
from pass_dataset.errors import CurationError

__all__ = [
    "ENTRY_POINTS",
    "RANKERS",
    "KnownRanker",
    "open_ranker",
    "open_rankers",
    "ranker_names",
]

#: Group of entry points under which other packages name rankers.
ENTRY_POINTS = "pass_dataset.rankers"
_HERE = "pass_dataset.curate.ranking.rankers"


@dataclass(frozen=True)
class KnownRanker:
    """A ranker, or a kind of them, that `open_ranker` knows.

    Attributes:
      name: what it is asked for by; one that ends in a colon takes a model's name after it.
      description: one line for a list.
      factory: ``module:name`` below the package of rankers; called with the settings, and with the
        model's name first where one is taken.
    """

    name: str
    description: str
    factory: str


RANKERS = (
    KnownRanker("opennsfw", "nudity, one score: open_nsfw of Yahoo", "opennsfw:OpenNSFW"),
    KnownRanker(
        "nsfw", "drawings, hentai, neutral, porn, sexy: the network of the paper", "nsfw:NSFW"
    ),
    KnownRanker(
        "text",
        "text, and what looks like number plates, addresses, telephone numbers, names",
        "text:Text",
    ),
    KnownRanker("text:", "text, with vehicles by a detector of passify", "text:text_and_vehicles"),
    KnownRanker("torchvision:", "classes by a classifier of torchvision", "classes:torchvision"),
    KnownRanker("timm:", "classes by a classifier of timm", "classes:timm"),
    KnownRanker(
        "transformers:", "classes by a classifier of the Hugging Face Hub", "classes:transformers"
    ),
)


def ranker_names() -> list[str]:
    """What may be asked for, for people."""
    own = [f"{one.name}MODEL" if one.name.endswith(":") else one.name for one in RANKERS]
    return [*own, *sorted(point.name for point in _others())]


def open_ranker(name: str, settings: RankerSettings | None = None) -> Ranker:
    """The ranker of that name.

    Raises:
      CurationError: there is none of that name, or it cannot be made.
    """
    settings = settings or RankerSettings()
    for known in RANKERS:
        takes_model = known.name.endswith(":")
        if name != known.name if not takes_model else not name.startswith(known.name):
            continue
        model = name[len(known.name) :]
        if takes_model and not model:
            break
        module, _, factory = known.factory.partition(":")
        make: Callable[..., Ranker] = getattr(importlib.import_module(f"{_HERE}.{module}"), factory)
        return make(model, settings) if takes_model else make(settings)
    for point in _others():
        if point.name == name:
            return _load(point, settings)
    raise CurationError(f"{name!r} is no ranker; there are: {', '.join(ranker_names())}")


def open_rankers(names: Sequence[str], settings: RankerSettings | None = None) -> dict[str, Ranker]:
    """The rankers of these names, in order.

    Raises:
      CurationError: there is none of a name, it cannot be made, or two of them say the same.
    """
    opened = {name: open_ranker(name, settings) for name in names}
    said_by: dict[str, str] = {}
    for name, ranker in opened.items():
        for column in ranker.columns.names:
            if column in said_by:
                raise CurationError(
                    f"rankers: expected columns of one ranker each, found {column} of "
                    f"{said_by[column]} and of {name}; ask them one after the other"
                )
            said_by[column] = name
    return opened


def _others() -> importlib.metadata.EntryPoints:
    return importlib.metadata.entry_points(group=ENTRY_POINTS)


def _load(point: importlib.metadata.EntryPoint, settings: RankerSettings) -> Ranker:
    try:
        made: Ranker = point.load()(settings)
    except (AttributeError, ImportError, TypeError) as error:
        raise CurationError(
            f"{point.name}: expected {point.value} to be a ranker that takes RankerSettings; "
            f"found: {error}"
        ) from error
    return made
