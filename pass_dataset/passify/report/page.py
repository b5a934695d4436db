"""The report as HTML: one file, pictures and plots inside, no script."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pass_dataset.pages.html import Html, code, escape, join, table
from pass_dataset.pages.intervals import upper_bound
from pass_dataset.pages.plots import draw_bar
from pass_dataset.pages.template import fill_page
from pass_dataset.pages.words import count, duration, percent, share
from pass_dataset.passify.report import exhibits
from pass_dataset.passify.report.facts import Work
from pass_dataset.passify.report.figures import draw_histogram
from pass_dataset.passify.report.folder_shares import FolderCounts, FolderShares, Group
from pass_dataset.passify.report.gallery import Gallery
from pass_dataset.passify.report.histograms import ScoreHistogram
from pass_dataset.passify.report.reasons import funnel, in_text, title_of
from pass_dataset.passify.report.survey import Choices, Survey
from pass_dataset.passify.runs.outcomes import Thresholds, outcome_of
from pass_dataset.passify.runs.settings import DetectorChoice

__all__ = ["ReportContent", "render_report"]

_FOLDER_ROWS = 12
_SAMPLE_SIZES = (100, 300, 1000, 3000, 10_000)
_FOUND = (0, 1, 3, 10)
_NAMES: dict[Group, str] = {
    "kept": "kept",
    "face": "with faces",
    "person": "with people",
    "other": "other",
}


@dataclass(frozen=True)
class ReportContent:
    """All that a report says.

    Attributes:
      title: of the page.
      source: path of the source, as text.
      thresholds: of the verdicts.
      detectors: that were run.
      missing_shards, shards: how much of the run is not done.
      survey: what was found.
      gallery: the images to show.
      choices: how they were chosen.
      is_blurred: whether what was found in them is blurred.
      settings, software: names and values.
      work: what the run took; None: not known.
      written_at: seconds since 1970.
    """

    title: str
    source: str
    thresholds: Thresholds
    detectors: tuple[DetectorChoice, ...]
    missing_shards: int
    shards: int
    survey: Survey
    gallery: Gallery
    choices: Choices
    is_blurred: bool
    settings: Sequence[tuple[str, str]]
    software: Sequence[tuple[str, str]]
    work: Work | None
    written_at: float


def render_report(content: ReportContent) -> str:
    """The page as HTML text that needs no other file."""
    survey, gallery = content.survey, content.gallery
    return fill_page(
        "pass_dataset.passify.report",
        title=escape(content.title),
        source=escape(content.source),
        summary=_summary(content),
        notices=_notices(content),
        overview=_overview(survey),
        funnel=_funnel(survey),
        histograms=join(_histogram(each) for each in survey.histograms.values()),
        folders=_folders(survey.folders),
        examples=exhibits.examples(survey, gallery, content.thresholds),
        nearest=exhibits.nearest(survey, gallery, content.thresholds),
        hidden=_hidden(content),
        check=_check(content),
        sample=exhibits.sample(
            survey.sample.rows, gallery, content.thresholds, content.choices.seed
        ),
        detectors=_detectors(content),
        settings=_pairs(content.settings),
        work=_work(content.work),
        software=_pairs(content.software),
        written=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(content.written_at)),
    )


# --- numbers and text -----------------------------------------------------------------------------


def _pairs(rows: Iterable[tuple[str, str]]) -> Html:
    return join(Html(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>") for name, value in rows)


def _summary(content: ReportContent) -> Html:
    thresholds = content.thresholds
    rules = {
        "face": f"a face scores over {thresholds.face:g}",
        "person": f"a person scores at least {thresholds.person:g}",
    }
    named = " or ".join(rules[choice.target] for choice in content.detectors)
    return escape(f"Dropped where {named}.")


def _notices(content: ReportContent) -> Html:
    notices = []
    if content.missing_shards:
        notices.append(
            f"This run is not done: {content.missing_shards:,} of {content.shards:,} shards are "
            "missing, and none of their images is counted here."
        )
    targets = {choice.target for choice in content.detectors}
    missing = {"face": "faces", "person": "people"}
    notices += [
        f"Nobody looked for {what}: this run had no such detector."
        for target, what in missing.items()
        if target not in targets
    ]
    undecided = sum(
        number
        for reason, number in content.survey.reasons.items()
        if outcome_of(reason) == "undecided"
    )
    if undecided:
        notices.append(
            f"{count(undecided, 'image is', 'images are')} undecided: the run did not look for "
            "people where it saw a face, and at these thresholds that face no longer counts. "
            "passify fill looks for them."
        )
    if content.gallery.source_problem:
        notices.append(
            "The images cannot be shown, as the source cannot be read: "
            f"{content.gallery.source_problem}"
        )
    return join(Html(f'<p class="notice">{escape(text)}</p>') for text in notices)


# --- counts ---------------------------------------------------------------------------------------


def _overview(survey: Survey) -> Html:
    total = survey.images
    counts: dict[Group, int] = {"kept": survey.kept}
    for target in survey.histograms:
        counts[target] = survey.reasons[target]
    counts["other"] = total - sum(counts.values())
    cards = join(
        Html(
            f'<div class="card"><span class="key {group}"></span>'
            f"<strong>{number:,}</strong> <span>{_NAMES[group]}</span> "
            f'<span class="soft">{share(number, total)}</span></div>'
        )
        for group, number in counts.items()
    )
    label = ", ".join(f"{number:,} {_NAMES[group]}" for group, number in counts.items())
    bar = draw_bar({str(group): number for group, number in counts.items()}, total, label)
    return Html(
        f'<p class="total"><strong>{total:,}</strong> images</p>\n{bar}\n'
        f'<div class="cards">{cards}</div>'
    )


def _funnel(survey: Survey) -> Html:
    stages = funnel(survey.reasons, survey.histograms)
    rows = []
    for stage in stages:
        lost = ", ".join(f"{number:,} {in_text(name)}" for name, number in stage.lost.items())
        bar = draw_bar({"kept": stage.left}, survey.images, f"{stage.left:,} images")
        rows.append(
            Html(
                f'<li><span class="stage">{escape(stage.name)}</span>'
                f'<span class="left"><strong>{stage.left:,}</strong> '
                f'<span class="soft">{share(stage.left, survey.images)}</span></span>{bar}'
                f'<span class="lost">{escape(f"− {lost}") if lost else ""}</span></li>'
            )
        )
    reasons = [
        (
            escape(title_of(reason)),
            code(reason),
            escape(f"{number:,}"),
            escape(share(number, survey.images)),
        )
        for reason, number in sorted(
            ((reason, number) for reason, number in survey.reasons.items() if reason),
            key=lambda pair: -pair[1],
        )
    ]
    counts = table(
        ("Reason", "Name", "Images", "Share"),
        reasons or [(escape("No image was dropped."), Html(""), Html(""), Html(""))],
        {2, 3},
        caption="Images that are not kept, by reason",
    )
    return Html(f'<ol class="funnel">\n{join(rows)}\n</ol>\n{counts}')


def _histogram(histogram: ScoreHistogram) -> Html:
    faces = histogram.target == "face"
    title = "Faces" if faces else "People"
    sign = ">" if faces else "≥"
    rows = [
        (
            escape(f"{sign} {threshold:g}"),
            escape(f"{number:,}"),
            escape(share(number, histogram.scored)),
        )
        for threshold, number in histogram.over.items()
    ]
    numbers = table(
        ("Score", "Images", "Share"),
        rows,
        {1, 2},
        caption=f"Images of the {histogram.scored:,} scored that a threshold would drop",
    )
    plot = (
        draw_histogram(histogram, title)
        if histogram.scored
        else Html('<p class="soft">No image was scored.</p>')
    )
    return Html(
        f"<figure>\n<figcaption><strong>{title}</strong> "
        f'<span class="soft">{count(histogram.scored, "image", "images")} scored, on a '
        f"logarithmic scale</span></figcaption>\n{plot}\n"
        f"<details><summary>Other thresholds</summary>{numbers}</details>\n</figure>"
    )


def _folders(folders: FolderShares) -> Html:
    if len(folders) < 2:
        return Html('<p class="soft">All images are in one folder.</p>')
    largest = folders.largest(_FOLDER_ROWS)
    if len(folders) <= _FOLDER_ROWS:
        return _folder_table(largest, f"All {len(folders)} folders")
    note = (
        ""
        if folders.depth is None
        else f", told apart by the first {count(folders.depth, 'part', 'parts')} of their paths"
    )
    tables = [_folder_table(largest, f"The largest of {len(folders):,} folders{note}")]
    flagged = folders.most_flagged(_FOLDER_ROWS)
    if flagged:
        tables.append(_folder_table(flagged, "Where faces and people are most frequent"))
    return join(tables)


def _folder_table(rows: Sequence[FolderCounts], caption: str) -> Html:
    def cells(row: FolderCounts) -> tuple[Html, ...]:
        label = ", ".join(f"{number:,} {_NAMES[group]}" for group, number in row.counts.items())
        bar = draw_bar({str(group): n for group, n in row.counts.items()}, row.images, label)
        numbers = (row.images, row.counts["face"], row.counts["person"])
        return (
            code(row.folder or "(top)"),
            bar,
            *(escape(f"{number:,}") for number in numbers),
            escape(share(row.counts["kept"], row.images)),
        )

    header = ("Folder", "Verdicts", "Images", "Faces", "People", "Kept")
    return table(header, map(cells, rows), {2, 3, 4, 5}, caption=caption)


def _hidden(content: ReportContent) -> Html:
    text = (
        "What the detectors found, at any score, is replaced by a few averages of its colours."
        if content.is_blurred
        else "Nothing is blurred in this report: keep it where the images themselves may be kept."
    )
    missing = content.gallery.not_shown
    if missing and not content.gallery.source_problem:
        text += f" {count(len(missing), 'image', 'images')} cannot be shown; each says why."
    return escape(text)


# --- the check by a person ------------------------------------------------------------------------


def _check(content: ReportContent) -> Html:
    kept = content.survey.kept
    drawn = len(content.survey.sample.rows)
    if not kept:
        return Html('<p class="soft">No image is kept.</p>')
    sizes = sorted({size for size in (*_SAMPLE_SIZES, drawn) if 0 < size <= kept})
    rows = [
        (
            escape(f"{size:,}"),
            *(
                escape(percent(upper_bound(found, size)) if found <= size else "–")
                for found in _FOUND
            ),
        )
        for size in sizes
    ]
    header = ("Looked at", f"people in {_FOUND[0]}", *(f"in {found}" for found in _FOUND[1:]))
    bounds = table(
        header,
        rows,
        set(range(len(header))),
        caption="Share of kept images that show people: at most this, with 95\u00a0% confidence",
    )
    if not drawn:
        return bounds
    bound = upper_bound(0, drawn)
    most = min(kept, int(bound * kept))
    text = (
        f"Look at the {drawn:,} images below. If nobody is in any of them, then with 95\u00a0% "
        f"confidence at most {percent(bound)} of the {kept:,} kept images show people: no more "
        f"than {most:,}."
        if drawn < kept
        else f"The {drawn:,} images below are all that are kept: who looks at them knows."
    )
    return Html(f"<p>{escape(text)}</p>\n{bounds}")


# --- how it was made ------------------------------------------------------------------------------


def _detectors(content: ReportContent) -> Html:
    histograms = content.survey.histograms
    rows = [
        (
            escape("Faces" if choice.target == "face" else "People"),
            code(choice.name),
            escape(f"{getattr(content.thresholds, choice.target):g}"),
            escape(f"{histograms[choice.target].scored:,}"),
            code(choice.weights_sha256),
        )
        for choice in content.detectors
    ]
    header = ("Looks for", "Detector", "Threshold", "Images scored", "SHA-256 of the weights")
    return table(header, rows, {2, 3}, caption="Detectors")


def _work(work: Work | None) -> Html:
    if work is None:
        return Html("")
    rows = [
        ("Images worked on", f"{work.images:,} in {count(work.shards, 'shard', 'shards')}"),
        ("From first to last", duration(work.elapsed_s)),
        ("Sum over workers", duration(work.seconds)),
        ("Reading and decoding", duration(work.decode_s)),
        *(
            (f"Detector of {'faces' if target == 'face' else 'people'}", duration(spent))
            for target, spent in work.detect_s.items()
        ),
        ("Machines", ", ".join(work.hosts[:8]) + (" …" if len(work.hosts) > 8 else "")),
    ]
    if work.elapsed_s:
        rate = work.images / work.elapsed_s
        rows.insert(1, ("Throughput", f"{rate:,.1f} images/s, pauses included"))
    if work.seconds:
        rows.insert(2, ("Of one worker", f"{work.images / work.seconds:,.1f} images/s"))
    return _pairs(rows)
