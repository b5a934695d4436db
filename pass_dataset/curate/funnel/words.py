"""What steps and causes are called, for people; their own names where there are no words here."""

from __future__ import annotations

__all__ = ["cause_in_words", "step_in_words"]

_STEPS = {
    "select": "Selected",
    "fetch": "Fetched",
    "sound": "Sound",
    "filter": "Without people",
    "rank": "Ranked",
    "classes": "Of frequent classes",
    "balance": "Balanced",
    "review": "Looked at",
    "duplicates": "Without duplicates",
    "alive": "Still public",
    "draw": "Drawn",
    "release": "Released",
}
_CAUSES = {
    "video": "videos",
    "license": "under another licence",
    "unknown-license": "under a licence that is not known",
    "outside": "outside the boxes",
    "date": "taken at another time",
    "too-few-columns": "rows with too few columns",
    "too-many-columns": "rows with too many columns",
    "bad-marker": "neither photographs nor videos",
    "nul-byte": "rows with a NUL byte",
    "no-utf8": "rows that are no UTF-8",
    "bad-id": "with an id that is no number",
    "bad-position": "with a position that is none",
    "bad-date": "with a date that is none",
    "duplicate-id": "with an id that another has",
    "duplicate-hash": "with a hash that another has",
    "missing": "missing on the server",
    "gone": "gone from the server",
    "refused": "refused by the server",
    "redirected": "led elsewhere by the server",
    "bad-address": "with an address that cannot be asked",
    "no-address": "without an address",
    "not-an-image": "no images",
    "not-jpeg": "not JPEG",
    "truncated": "cut",
    "timeout": "not had in time",
    "unreachable": "not to be had",
    "empty": "empty",
    "too-large": "too large",
    "placeholder": "placeholders",
    "single-colour": "of one colour",
    "single-color": "of one colour",
    "damaged": "damaged",
    "face": "with faces",
    "person": "with people",
    "unclassified": "without a class",
    "rare-class": "of rare classes",
    "class-cap": "over the limit of their class",
    "photographer-cap": "over the limit of their photographer",
    "not-sampled": "not sampled",
    "not-drawn": "not drawn",
    "duplicate-within": "duplicates of others",
    "no-longer-public": "no longer public",
    "opted-out": "on an opt-out list",
    "excluded": "on the list of what is excluded",
}


def step_in_words(step: str) -> str:
    """What is true of a photograph after a step.

    >>> step_in_words("filter"), step_in_words("in800")
    ('Without people', 'in800')
    """
    return _STEPS.get(step, step)


def cause_in_words(cause: str) -> str:
    """Why photographs went no further.

    >>> cause_in_words("face"), cause_in_words("too-blue"), cause_in_words("duplicate-of:coco")
    ('with faces', 'too-blue', 'in coco too')
    """
    kind, _, name = cause.partition(":")
    if kind == "duplicate-of" and name:
        return f"in {name} too"
    return _CAUSES.get(cause, cause)
