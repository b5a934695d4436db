"""The description of a release for programs: Croissant, with what the ledger tells."""

from __future__ import annotations

from typing import Any

from pass_dataset.curate.release.papers.answers import answers_of
from pass_dataset.curate.release.papers.facts import Facts
from pass_dataset.reports.croissant.description import description_of, format_description

__all__ = ["croissant_of"]

#: Columns that our readers know, see `pass_dataset.archives.metadata`.
_KNOWN = ("hash", "unickname", "licensename", "datetaken", "latitude", "longitude")


def croissant_of(facts: Facts) -> str:
    """The text of ``croissant.json``."""
    answers = answers_of(facts)
    content: dict[str, Any] = description_of(facts.release, _KNOWN)
    told = {
        "license": list(facts.licenses),
        "rai:dataCollection": answers["acquired"],
        "rai:dataPreprocessingProtocol": [answers["cleaning"]],
        "rai:dataCollectionMissingData": answers["missing"],
        "rai:personalSensitiveInformation": [
            "Names of the photographers, for attribution.",
            "Dates and positions of photographs, which may tell where a photographer was.",
        ],
    }
    return format_description({**content, **told})
