"""The questions that the ledger answers. What it cannot know is left to the author."""

from __future__ import annotations

from pass_dataset.curate.alive.asking import GONE_CAUSE
from pass_dataset.curate.funnel.counts import Stage
from pass_dataset.curate.funnel.words import cause_in_words, step_in_words
from pass_dataset.curate.release.papers.facts import Facts
from pass_dataset.curate.release.table import COLUMNS
from pass_dataset.pages.words import count, share, size

__all__ = ["answers_of"]


def answers_of(facts: Facts) -> dict[str, str]:
    """Answers by the key of their question."""
    release = facts.release
    answers = {
        "instances": "A photograph, as a JPEG file whose bytes are those that were fetched.",
        "number": f"{facts.images:,} photographs by {_photographers(facts)}, "
        f"{size(release.size_bytes)}.",
        "sample": _sample(facts),
        "data": "The file, and a row of metadata with these columns: "
        + ", ".join(f"`{name}`" for name in COLUMNS if name)
        + ". What is not known is empty.",
        "labels": "No.",
        "missing": f"{_of(facts.with_position, facts)} have a position, "
        f"{_of(facts.images - facts.without_date, facts)} a date; of "
        f"{count(facts.without_creator, 'photograph', 'photographs')} the photographer is not "
        "named.",
        "relations": "Only that photographs have the same photographer.",
        "splits": "No: all photographs are one.",
        "errors": _errors(facts),
        "self_contained": "It stands alone: all photographs are in the archives. The addresses in "
        "the metadata are for credit.",
        "people": _people(facts),
        "acquired": _acquired(facts),
        "mechanisms": "By `pass-curate` of the Python package pass-dataset, whose ledger has every "
        "photograph that was selected, and why it is or is not in this release.",
        "strategy": _strategy(facts),
        "timeframe": _timeframe(facts),
        "still_public": _still_public(facts),
        "cleaning": _cleaning(facts),
        "software": "Yes: the Python package pass-dataset.",
        "license": "Each photograph has the licence of its photographer, named with its address in "
        "the metadata: "
        + "; ".join(f"{address} ({number:,})" for address, number in facts.licenses.items())
        + ". Whoever shows a photograph names photographer, title, page and licence.",
        "updates": "A list of photographs to leave out gives a new version: "
        "`pass-curate release --exclude`.",
        "extend": "The order in which photographs are drawn is that of a keyed hash of their "
        "names, so a larger release can be drawn that has all of this one.",
    }
    if facts.release.files[0].url:
        answers["how"] = f"As archives: {facts.release.files[0].url} and beside it."
    return answers


def _photographers(facts: Facts) -> str:
    return count(facts.photographers, "photographer", "photographers")


def _of(number: int, facts: Facts) -> str:
    return f"{number:,} ({share(number, facts.images)})".replace("\u00a0", " ")


def _sample(facts: Facts) -> str:
    first = facts.funnel.stages[0]
    rows = "" if facts.funnel.read is None else f"{facts.funnel.read:,} rows of metadata, of which "
    return (
        f"A sample. It began with {rows}{first.came:,} photographs were selected; "
        f"{facts.images:,} are in this release. What became of the others is told below, by cause."
    )


def _errors(facts: Facts) -> str:
    found = [
        f"{number:,} {cause_in_words(cause)}"
        for name in ("fetch", "sound", "duplicates")
        if (stage := facts.stage(name)) is not None
        for cause, number in stage.causes.items()
    ]
    text = f"Left out were {', '.join(found)}." if found else "None were found by the steps done."
    if facts.stage("duplicates") is None:
        text += " Duplicates were not looked for."
    return text


def _people(facts: Facts) -> str:
    filtered, review = facts.stage("filter"), facts.stage("review")
    if filtered is None and review is None:
        return "Nobody looked for people: there may be people in any photograph."
    found = [
        f"{sum(stage.causes.values()):,} {words}"
        for stage, words in ((filtered, "by detectors"), (review, "by people"))
        if stage is not None
    ]
    text = f"Photographs with people were removed: {' and '.join(found)}."
    text += " Detectors and people overlook things: that somebody is in it cannot be ruled out."
    if review is None:
        text += " No person has looked at the photographs."
    return text


def _acquired(facts: Facts) -> str:
    fetch = facts.stage("fetch")
    if fetch is None:
        return ""
    return (
        f"The files of {fetch.came:,} photographs were asked for and {fetch.left:,} were had, "
        "unchanged."
    )


def _strategy(facts: Facts) -> str:
    texts = []
    balance, draw = facts.stage("balance"), facts.stage("draw")
    if balance is not None:
        cap, sample = (balance.settings.get(name) for name in ("per_photographer", "sample"))
        if cap:
            texts.append(
                f"at most {cap:,} photographs of a photographer (by NSID, else by name; those of "
                "nobody who is known are each a photographer's of their own)"
            )
        if sample:
            texts.append(f"of these a uniform sample of {sample:,}")
    if draw is not None and draw.settings.get("count"):
        texts.append(f"of what was left {draw.settings['count']:,} at random")
    if not texts:
        return "None was drawn: all that went through the other steps are in it."
    seed = next(stage.settings["seed"] for stage in (balance, draw) if stage is not None)
    return (
        f"{'; '.join(texts)}. Who is drawn is decided by a keyed hash of each photograph's name "
        f"(seed {seed}), and can be repeated."
    ).capitalize()


def _timeframe(facts: Facts) -> str:
    days = [stage.finished_at[:10] for stage in facts.funnel.stages]
    made = f"It was made from {min(days)} to {max(days)} (the days on which steps were finished)."
    if facts.first_year is None:
        return made
    return f"{made} The photographs were taken from {facts.first_year} to {facts.last_year}."


def _still_public(facts: Facts) -> str:
    alive = facts.stage("alive")
    if alive is None:
        return (
            "No. Who publishes photographs of YFCC100M is asked by its terms to look: "
            "`pass-curate alive` does it."
        )
    gone = alive.causes.get(GONE_CAUSE, 0)
    unknown = sum(alive.causes.values()) - gone
    asked = alive.details["asked"]  # the step says it, and when
    if not asked:
        return "No: none of them has an address to ask for."
    first, last = (alive.details[name][:10] for name in ("asked_from", "asked_until"))
    texts = [
        f"Yes, on {first}" if first == last else f"Yes, from {first} to {last}",
        f": {asked:,} were asked for, {gone:,} were no longer public and are left out",
        f", as are {unknown:,} of which no answer was to be had" if unknown else "",
        f". The other {alive.came - asked:,} have no address" if asked < alive.came else "",
    ]
    return "".join([*texts, "."])


def _cleaning(facts: Facts) -> str:
    steps = "\n".join(_line(stage) for stage in facts.funnel.stages)
    return f"The photographs themselves were not changed. The steps, in order:\n\n{steps}"


def _line(stage: Stage) -> str:
    causes = ", ".join(
        f"{number:,} {cause_in_words(cause)}" for cause, number in stage.causes.items()
    )
    gone = f"; not: {causes}" if causes else ""
    return f"- {step_in_words(stage.name)}: {stage.left:,} of {stage.came:,}{gone}"
