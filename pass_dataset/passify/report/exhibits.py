"""The images in the report: grids of pictures with boxes, and lists where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pass_dataset.pages.html import Html, code, escape, image, join, table
from pass_dataset.pages.words import count
from pass_dataset.passify.report.gallery import Gallery, ShownImage
from pass_dataset.passify.report.reasons import title_of
from pass_dataset.passify.report.selection import RowId
from pass_dataset.passify.report.survey import Survey
from pass_dataset.passify.report.thumbnails import pixel_area
from pass_dataset.passify.runs.outcomes import EXCLUDED, TARGETS, Thresholds
from pass_dataset.passify.runs.schema import Box

__all__ = ["examples", "nearest", "sample"]

#: Rows of each reason that has no pictures.
_OTHER_ROWS = 4


def examples(survey: Survey, gallery: Gallery, thresholds: Thresholds) -> Html:
    """Images of each reason."""
    sections = []
    for target in TARGETS:
        chosen = survey.examples.get(target)
        if chosen is not None and chosen.rows:
            shown = [gallery.shown[row] for row in chosen.rows]
            number = survey.reasons[target]
            title = f"{title_of(target)}: {len(shown):,} of {count(number, 'image', 'images')}"
            sections.append(Html(f"<h3>{escape(title)}</h3>\n{_grid(shown, thresholds)}"))
    others = [
        (escape(title_of(reason)), code(shown.row.path), escape(shown.row.message or ""))
        for reason, chosen in survey.examples.items()
        if reason not in TARGETS
        for shown in (gallery.shown[row] for row in chosen.rows[:_OTHER_ROWS])
    ]
    if others:
        header = ("Reason", "Image", "What was found")
        listed = table(header, others, (), caption="Images dropped for other reasons, or failed")
        sections.append(Html(f"<h3>Other reasons</h3>\n{listed}"))
    if survey.reasons[EXCLUDED]:
        sections.append(Html('<p class="soft">Images on the opt-out list are shown to nobody.</p>'))
    return join(sections) or Html('<p class="soft">No image was dropped.</p>')


def nearest(survey: Survey, gallery: Gallery, thresholds: Thresholds) -> Html:
    """Images near each threshold, on both sides."""
    sections = []
    for target, found in survey.nearest.items():
        threshold = getattr(thresholds, target)
        what = "Faces" if target == "face" else "People"
        for side, chosen in (
            (f"just over {threshold:g}: dropped", found.over),
            (f"just under {threshold:g}: not dropped for it", found.under),
        ):
            if chosen.rows:
                shown = [gallery.shown[row] for row in chosen.rows]
                sections.append(Html(f"<h3>{what}, {side}</h3>\n{_grid(shown, thresholds)}"))
    return join(sections) or Html('<p class="soft">No image was scored.</p>')


def _grid(images: Iterable[ShownImage], thresholds: Thresholds) -> Html:
    figures = join(_shown(shown, thresholds) for shown in images)
    return Html(f'<div class="grid">\n{figures}\n</div>')


def _shown(shown: ShownImage, thresholds: Thresholds) -> Html:
    row = shown.row
    scores = (
        ("face", row.face_max_score, thresholds.face),
        ("person", row.person_max_score, thresholds.person),
    )
    badges = "".join(
        f' <span class="badge {target}">{target} {_score(score, threshold)}</span>'
        for target, score, threshold in scores
        if score is not None
    )
    if shown.picture is None:
        problem = shown.problem or "not decoded"
        frame = f'<div class="frame missing"><p>Not shown: {escape(problem)}</p></div>'
    else:
        picture = image(shown.picture, f"{row.path}, made small", scale=0.5)
        frame = f'<div class="frame">{picture}{_outlines(shown)}</div>'
    return Html(f"<figure>{frame}<figcaption>{code(row.path)}{badges}</figcaption></figure>")


def _score(score: float, threshold: float) -> str:
    """With so many digits that it does not look like the threshold when it is not."""
    for digits in (3, 5):
        text = f"{score:.{digits}f}"
        if float(text) != threshold:
            return text
    return f"{score:.7f}"


def _outlines(shown: ShownImage) -> Html:
    rects = []
    for outline in shown.outlines:
        area = pixel_area(_corners(outline.box), *_size(shown), margin=0.0)
        if area is None:
            continue
        place = (
            f'x="{area.left}" y="{area.top}" width="{area.right - area.left}" '
            f'height="{area.bottom - area.top}"'
        )
        faint = "" if outline.is_flagged else " faint"
        rects.append(f'<rect class="halo" {place}/><rect class="{outline.target}{faint}" {place}/>')
    if not rects:
        return Html("")
    width, height = _size(shown)
    return Html(
        f'<svg class="boxes" aria-hidden="true" viewBox="0 0 {width} {height}">'
        f"{''.join(rects)}</svg>"
    )


def _size(shown: ShownImage) -> tuple[int, int]:
    return shown.row.width or 0, shown.row.height or 0


def _corners(box: Box) -> tuple[float, float, float, float]:
    return box["x1"], box["y1"], box["x2"], box["y2"]


def sample(rows: Sequence[RowId], gallery: Gallery, thresholds: Thresholds, seed: int) -> Html:
    """Kept images for a person to look at, as pictures or as a list."""
    if not rows:
        return Html("")
    images = [gallery.sample[row] for row in rows]
    pictured = any(shown.picture is not None or shown.problem for shown in images)
    if pictured:
        listed = _grid(images, thresholds)
        note = " Nothing in these pictures is blurred."
    else:
        items = join(Html(f"<li>{code(shown.row.path)}</li>") for shown in images)
        listed, note = Html(f'<ol class="paths">\n{items}\n</ol>'), ""
    return Html(
        f"<details><summary>{count(len(images), 'image', 'images')}, drawn at random from those "
        f"that are kept (seed {seed})</summary>"
        f'<p class="soft">In random order: to look at fewer, take the first ones.{note}</p>\n'
        f"{listed}</details>"
    )
