"""Runs of the filter over a release of PASS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.archives.order import shuffled_order
from pass_dataset.archives.records import PassArchive
from pass_dataset.errors import RunError
from pass_dataset.executors.executor import Executor
from pass_dataset.files.whole import write_whole
from pass_dataset.passify.filtering import run_filter
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.runs.settings import DetectorChoice, RunSettings
from pass_dataset.passify.sources.opening import SourceSettings
from pass_dataset.progress import Progress
from pass_dataset.releases.release import format_release

__all__ = ["ReleaseRun", "draw_sample", "run_on_release"]


@dataclass(frozen=True)
class ReleaseRun:
    """Where a run over a release is kept; this class owns every name in that folder.

    OUT/
      release.tsv       what the archive folder holds, if it is no published release
      hashes.txt        the images that are looked at, if not all
      run/              the run, as `passify run` keeps it
      flagged.csv       what would be dropped today, with scores
      flagged.parquet   the same
      scores.csv        all that was looked at; of images that a later release no longer has
      scores.parquet    the same
      report.html       the report of the run

    Attributes:
      path: the folder.
    """

    path: Path

    @property
    def release_path(self) -> Path:
        return self.path / "release.tsv"

    @property
    def hashes_path(self) -> Path:
        return self.path / "hashes.txt"

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.path / "run")

    @property
    def report_path(self) -> Path:
        return self.path / "report.html"

    @property
    def flagged_paths(self) -> tuple[Path, Path]:
        return self.path / "flagged.csv", self.path / "flagged.parquet"

    @property
    def scores_paths(self) -> tuple[Path, Path]:
        return self.path / "scores.csv", self.path / "scores.parquet"


def draw_sample(archive: PassArchive, size: int, seed: int) -> list[str]:
    """Hashes of images drawn at random, without repetition, in the order of the archive.

    They depend on the release, what is removed of it, the number and the seed alone; a larger
    sample of the same seed has the smaller one in it.
    """
    chosen = sorted(shuffled_order(len(archive), seed)[:size].tolist())
    hashes: list[str] = archive[chosen].columns(["hash"])["hash"].to_pylist()
    return hashes


def run_on_release(
    archive: PassArchive,
    run: ReleaseRun,
    *,
    detectors: Sequence[DetectorChoice],
    executor: Executor,
    hashes: Sequence[str] | None = None,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> Results:
    """Runs each detector on every image; continues a run that was cut.

    As every score is found, thresholds decide nothing here: `list_findings` takes any.

    Args:
      archive: the release.
      run: where it is kept.
      detectors: for faces, for people, or both.
      executor: where it runs.
      hashes: the images to look at; None: all.
      retry_failed: begin anew with images that failed.
      progress: shows how far it is.

    Returns:
      The results: of all images, unless the executor does not wait for them and
      `Results.missing_shards` says so.

    Raises:
      RunError: the folder is that of another run, or shards failed.
      FolderLockedError: another process has this run.
      OSError: the folder cannot be written.
    """
    run.path.mkdir(parents=True, exist_ok=True)
    if hashes is not None:
        _write_once(run.hashes_path, "".join(f"{name}\n" for name in hashes))
    settings = RunSettings(
        source=SourceSettings(
            path=SourceSettings.of(archive.folder).path,
            kind="pass",
            release=_release_of(archive, run),
            only=None if hashes is None else SourceSettings.of(run.hashes_path).path,
        ),
        detectors=tuple(detectors),
        run_all=True,
    )
    run_filter(run.folder, settings, executor, retry_failed=retry_failed, progress=progress)
    return Results(run.folder)


def _release_of(archive: PassArchive, run: ReleaseRun) -> str:
    """How the run's settings call the release: they are text, and its own files may move away."""
    if archive.release.is_official:
        return archive.release.version
    _write_once(run.release_path, format_release(archive.release))
    return str(run.release_path.absolute())


def _write_once(path: Path, text: str) -> None:
    """Writes a file that decides what is run, or finds it as it should be.

    Raises:
      RunError: it is that of another run.
    """
    content = text.encode()
    if not path.exists():
        write_whole(path, content)
    elif path.read_bytes() != content:
        raise RunError(
            f"{path}: expected what this command would write, found another release or another "
            "choice of images; take another --out, or the release, sample and seed it was made with"
        )
