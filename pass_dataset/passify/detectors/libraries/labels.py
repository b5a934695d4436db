"""Which of a model's classes are people: decided by name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pass_dataset.errors import DetectorError

__all__ = ["PERSON_NAMES", "person_classes"]

#: Names of classes that mean any person, in the data sets that detectors are trained on: COCO and
#: LVIS (person), Objects365 (Person), Open Images (Person, Man, Woman, Boy, Girl), Visual Genome.
PERSON_NAMES = frozenset(
    (
        *("person", "people", "human", "pedestrian"),
        *("man", "men", "woman", "women"),
        *("boy", "girl", "child", "children", "baby"),
    )
)


def person_classes(names: Sequence[str], model: str) -> frozenset[int]:
    """Positions of the classes of people.

    Args:
      names: of the model's classes. Case, and what is not a letter, do not matter; of names with
        alternatives ("baby, infant", "man/woman") one is enough.
      model: for the message.

    Raises:
      DetectorError: there are none; the message lists the names.
    """
    found = frozenset(
        position
        for position, name in enumerate(names)
        if any(
            re.sub(r"[^a-z]", "", part) in PERSON_NAMES
            for part in re.split(r"[,/;|]", name.lower())
        )
    )
    if not found:
        listed = ", ".join(names[:100]) + (" …" if len(names) > 100 else "")
        raise DetectorError(
            f"{model}: expected a class of people ({', '.join(sorted(PERSON_NAMES))}), "
            f"found only: {listed or 'no classes'}"
        )
    return found
