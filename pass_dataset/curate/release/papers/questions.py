"""The questions of a datasheet, after Gebru et al., Datasheets for Datasets (arXiv 1803.09010).

They are those that the paper of PASS answers in its appendix F, in words of our own.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SECTIONS", "Question", "Section"]


@dataclass(frozen=True)
class Question:
    """A question.

    Attributes:
      key: what its answer is found by.
      text: what is asked.
    """

    key: str
    text: str


@dataclass(frozen=True)
class Section:
    """Questions about one thing."""

    title: str
    questions: tuple[Question, ...]


def _section(title: str, questions: dict[str, str]) -> Section:
    return Section(title, tuple(Question(key, text) for key, text in questions.items()))


SECTIONS = (
    _section(
        "Motivation",
        {
            "purpose": "What was the dataset made for?",
            "makers": "Who made it, and for whom?",
            "funding": "Who paid for it?",
        },
    ),
    _section(
        "Composition",
        {
            "instances": "What is one instance of it?",
            "number": "How many are there?",
            "sample": "Is it all there is, or a sample of something larger?",
            "data": "What is known of each instance?",
            "labels": "Does each have a label?",
            "missing": "Is something missing from some of them?",
            "relations": "Are relations between instances told?",
            "splits": "Are there splits that one should use?",
            "errors": "Are there errors, noise or repetitions in it?",
            "self_contained": "Does it stand alone, or does it need what others keep?",
            "confidential": "Is anything in it confidential?",
            "offensive": "Is there anything in it that may offend, insult, threaten or frighten?",
            "people": "Is it about people?",
            "groups": "Does it tell groups of people apart?",
            "identify": "Can people be told from it, alone or with other data?",
            "sensitive": "Does it hold what is sensitive in any way?",
        },
    ),
    _section(
        "Collection",
        {
            "acquired": "How was each instance come by?",
            "mechanisms": "With which machines, programs or people?",
            "strategy": "How was the sample drawn?",
            "involved": "Who took part, and what were they paid?",
            "timeframe": "When was it collected?",
            "ethics": "Was it reviewed by an ethics board?",
            "still_public": "Was it looked at whether the photographs are still public?",
        },
    ),
    _section(
        "Cleaning and labelling",
        {
            "cleaning": "What was done to the data?",
            "raw": "Was what was there before kept?",
            "software": "Can the software that did it be had?",
        },
    ),
    _section(
        "Uses",
        {
            "used": "What has it been used for?",
            "list_of_uses": "Where are its uses listed?",
            "other_uses": "What else could it be used for?",
            "impact": "What in its making may matter for its use?",
            "not_for": "What should it not be used for?",
        },
    ),
    _section(
        "Distribution",
        {
            "third_parties": "Will it be given to others than those it was made for?",
            "how": "How is it given away?",
            "when": "Since when?",
            "license": "Under which licence?",
            "restrictions": "Do others restrict its use?",
            "export": "Do laws on export or others apply?",
        },
    ),
    _section(
        "Maintenance",
        {
            "maintainer": "Who keeps it?",
            "contact": "How are they reached?",
            "errata": "Where are errors listed?",
            "updates": "Will it be changed, and how is that told?",
            "retention": "Are there limits on how long it is kept?",
            "older": "Are older versions kept?",
            "extend": "How can others add to it?",
        },
    ),
    _section(
        "Other",
        {
            "biases": "Is it free of biases?",
            "privacy_law": "Does it comply with laws on privacy, such as the GDPR?",
            "responsibility": "Who takes responsibility for rights and licences?",
        },
    ),
)
