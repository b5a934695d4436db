"""A release written from a curation, read back, and verified.

Files get their names when they are whole. A run that was cut is continued: what is written and
still there is not written again. At the end everything is read back, and only then it is done.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pass_dataset.archives.integrity import FileState, verify
from pass_dataset.archives.order import shard_bounds
from pass_dataset.archives.removals import RemovalList
from pass_dataset.archives.tar_listing import list_tar
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.funnel.counts import Funnel, Stage, funnel_of
from pass_dataset.curate.funnel.page import draw
from pass_dataset.curate.funnel.published import Published
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.release.contents import Contents, contents_of
from pass_dataset.curate.release.papers.card import card_of
from pass_dataset.curate.release.papers.datasheet import datasheet_of, open_questions
from pass_dataset.curate.release.papers.facts import facts_of
from pass_dataset.curate.release.papers.machine import croissant_of
from pass_dataset.curate.release.record import ReleaseRecord, open_record
from pass_dataset.curate.release.settings import ReleaseSettings
from pass_dataset.curate.release.table import write_table
from pass_dataset.curate.release.tars import write_tar
from pass_dataset.curate.settings import as_content
from pass_dataset.errors import CurationError, VerificationError
from pass_dataset.files.whole import write_whole
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.folders.lock import hold
from pass_dataset.progress import Progress, Silent
from pass_dataset.releases.addresses import address_in, public_address
from pass_dataset.releases.release import Release, ReleaseFile, format_release, parse_release

__all__ = ["Released", "run_release"]

logger = logging.getLogger(__name__)

_STEP = "release"


@dataclass(frozen=True)
class Released:
    """A release that was written and verified.

    Attributes:
      folder: where it is.
      release: its files.
      funnel: what became of all photographs, with the release as its last stage.
      open_questions: numbers of the questions of its datasheet that are left to the author.
    """

    folder: Path
    release: Release
    funnel: Funnel
    open_questions: Sequence[str]


def run_release(
    folder: CurationFolder,
    settings: ReleaseSettings,
    out: Path,
    *,
    exclude: RemovalList | None = None,
    published: Sequence[Published] = (),
    progress: Progress | None = None,
) -> Released:
    """Writes a release of what is left in a curation, or goes on with it.

    Args:
      folder: of the curation, with at least `select` and `fetch` done.
      settings: of the release.
      out: folder of the release, new or one in which this release is begun.
      exclude: photographs that are left out, by hash; they count under the cause ``excluded``.
      published: what others tell of the same, for the figure.
      progress: where progress is shown.

    Raises:
      CurationError: a step is begun and not done, too little is left, the folder has something
        else, or bytes are not those that were fetched.
      VerificationError: what was written is not what is there when it is read back.
      FolderLockedError: another process has the curation, or the release's folder.
      OSError: something cannot be read or written.
    """
    ledger = Ledger(folder)
    with folder.held():
        _require_done(ledger)
        contents = contents_of(ledger, settings, exclude or RemovalList())
        out.mkdir(parents=True, exist_ok=True)
        with hold(out, wait=False):
            record = open_record(out, _made_of(ledger, settings, contents))
            release = _write(ledger, settings, contents, record, progress or Silent())
        _read_back(out, release, settings, contents, record, progress or Silent())
        stage = Stage(
            _STEP,
            contents.came,
            {"excluded": contents.came - len(contents)} if contents.came > len(contents) else {},
            as_content(settings),
            datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        )
        funnel = funnel_of(ledger, published).with_stage(stage)
        questions = _write_papers(out, release, funnel)
    return Released(out, release, funnel, questions)


def _require_done(ledger: Ledger) -> None:
    begun = ledger.begun()
    if begun is not None:
        raise CurationError(
            f"{ledger.folder.path}: {begun} is begun and not done; go on with it first"
        )
    missing = {"select", "fetch"} - {step.name for step in ledger.steps()}
    if missing:
        raise CurationError(
            f"{ledger.folder.path}: release needs {' and '.join(sorted(missing))} to be done first"
        )


def _made_of(ledger: Ledger, settings: ReleaseSettings, contents: Contents) -> dict[str, Any]:
    return {
        **as_content(settings),
        "steps": {step.name: step.settings_sha256 for step in ledger.steps()},
        "photographs": len(contents),
        "photographs_sha256": contents.digest(),
    }


def _write(
    ledger: Ledger,
    settings: ReleaseSettings,
    contents: Contents,
    record: ReleaseRecord,
    progress: Progress,
) -> Release:
    """Writes what is missing of tars, CSV and checksum file."""
    out = record.path.parent
    task = progress.task(settings.label, len(contents), "images")
    for number in range(settings.tars):
        name = settings.tar_name(number)
        if record.has(name) is not None:
            first, last = shard_bounds(len(contents), (number, settings.tars))
            task.advance(last - first)
            continue
        images = contents.images(number, settings.tars)
        record.note(write_tar(ledger.folder, out / name, number, images, task))
    task.finish()
    if record.has(settings.table_name) is None:
        record.note(write_table(ledger, contents, out / settings.table_name))
    names = [*map(settings.tar_name, range(settings.tars)), settings.table_name]
    release = Release(
        version=settings.version,
        name=settings.name,
        num_examples=len(contents),
        files=tuple(_with_url(record.files[name], settings) for name in names),
    )
    text = format_release(release)
    write_whole(out / settings.checksums_name, text.encode())
    # Whatever is written must be readable again.
    return parse_release(text, out / settings.checksums_name)


def _with_url(file: ReleaseFile, settings: ReleaseSettings) -> ReleaseFile:
    if settings.url is None:
        return file
    url = public_address(address_in(settings.url, file.filename))
    return ReleaseFile(file.filename, file.size_bytes, file.sha256, url)


def _read_back(
    out: Path,
    release: Release,
    settings: ReleaseSettings,
    contents: Contents,
    record: ReleaseRecord,
    progress: Progress,
) -> None:
    """Every byte hashed, every tar listed: they are those that were written."""
    found = verify(ArchiveFolder.at(out, release), progress=progress)
    wrong = [verdict for verdict in found.files if verdict.state is not FileState.WHOLE]
    for verdict in wrong:
        record.forget(verdict.filename)
    if wrong:
        listed = "\n  ".join(map(str, wrong))
        raise VerificationError(
            f"{out}: what was written is not what is there:\n  {listed}\n"
            "Look at the disk; the same command writes these files again"
        )
    for number in range(settings.tars):
        expected = [image.hash for image in contents.images(number, settings.tars)]
        listing = list_tar(out / settings.tar_name(number))
        if listing.hashes != expected:
            raise VerificationError(
                f"{listing.path}: expected the {len(expected):,} photographs that were written, "
                f"found {len(listing):,} or others"
            )


def _write_papers(out: Path, release: Release, funnel: Funnel) -> list[str]:
    facts = facts_of(release, funnel, out / release.metadata.filename)
    papers = {
        "README.md": card_of(facts),
        "DATASHEET.md": datasheet_of(facts),
        "croissant.json": croissant_of(facts),
        "funnel.svg": str(draw(funnel, alone=True)),
    }
    for name, text in papers.items():
        write_whole(out / name, text.encode())
    return open_questions(facts)
