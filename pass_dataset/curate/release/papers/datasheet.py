"""The datasheet: what the ledger answers is answered, the rest is asked of the author by name."""

from __future__ import annotations

from collections.abc import Iterator

from pass_dataset.curate.release.papers.answers import answers_of
from pass_dataset.curate.release.papers.facts import Facts
from pass_dataset.curate.release.papers.questions import SECTIONS

__all__ = ["datasheet_of", "open_questions"]


def open_questions(facts: Facts) -> list[str]:
    """Numbers of the questions that are left to the author, such as ``1.2``."""
    answers = answers_of(facts)
    return [number for number, key, _ in _numbered() if not answers.get(key)]


def datasheet_of(facts: Facts) -> str:
    """The text of the datasheet, as Markdown."""
    answers = answers_of(facts)
    left = open_questions(facts)
    lines = [
        f"# Datasheet of {facts.release.label}",
        "",
        "Questions after Gebru et al., *Datasheets for Datasets* (arXiv 1803.09010). What the "
        "ledger of the curation tells is answered from it. "
        + (f"To be answered by the author before publication: {', '.join(left)}." if left else ""),
        "",
        "![What became of the photographs](funnel.svg)",
    ]
    section = ""
    for number, key, text in _numbered():
        if number.partition(".")[0] != section:
            section = number.partition(".")[0]
            lines += ["", f"## {section} {SECTIONS[int(section) - 1].title}"]
        answer = answers.get(key) or f"*To be answered by the author (question {number}).*"
        lines += ["", f"**{number} {text}** {answer}"]
    return "\n".join(lines) + "\n"


def _numbered() -> Iterator[tuple[str, str, str]]:
    """Number, key and text of all questions."""
    for first, section in enumerate(SECTIONS, 1):
        for second, question in enumerate(section.questions, 1):
            yield f"{first}.{second}", question.key, question.text
