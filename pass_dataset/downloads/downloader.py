"""Fills an archive folder: plan, check what is there, fetch what is missing, keep the receipt."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pass_dataset.downloads.connections import Connections
from pass_dataset.downloads.plan import Action, Plan, make_plan
from pass_dataset.downloads.retries import MIN_BYTES_PER_S, Clock, HostGate, RetryPolicy
from pass_dataset.downloads.sources import sources_for
from pass_dataset.downloads.transfer import Transfer
from pass_dataset.downloads.turns import Stopped
from pass_dataset.errors import DiskSpaceError, DownloadError, FolderError
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.folders.file_mark import FileMark, hash_at_rest
from pass_dataset.folders.lock import hold
from pass_dataset.folders.receipt import Receipt
from pass_dataset.folders.state import PURGED_NAME
from pass_dataset.progress import Progress, Silent, shown_by
from pass_dataset.releases.addresses import addresses
from pass_dataset.releases.release import Release, ReleaseFile, part_numbers, resolve_release

__all__ = ["DownloadReport", "Downloader", "download", "download_metadata"]

logger = logging.getLogger(__name__)

#: Zenodo blocks users who open more.
DEFAULT_CONNECTIONS = 2


@dataclass(frozen=True)
class DownloadReport:
    """What a download did.

    Attributes:
      fetched: names of the files that were completed.
      received_bytes: bytes that came in, those that had to be fetched again included.
      seconds: time it took.
    """

    fetched: tuple[str, ...]
    received_bytes: int
    seconds: float


def download(
    folder: str | os.PathLike[str],
    release: str | os.PathLike[str] | Release | None = None,
    *,
    parts: str | Sequence[int] | None = None,
    mirrors: str | Sequence[str] = (),
    connections: int = DEFAULT_CONNECTIONS,
    min_bytes_per_s: float = MIN_BYTES_PER_S,
    replace: bool = False,
    wait: bool = True,
    progress: Progress | None = None,
) -> DownloadReport:
    """Fills a folder with the files of a release, each verified by size and SHA-256.

    A rerun continues where the last one was interrupted, in whatever way.

    Args:
      folder: archive folder; made if missing.
      release: version, checksum file or Release; None for the newest.
      parts: numbers of the tars wanted, or text such as ``0,3-5`` (the metadata always comes too);
        None for all.
      mirrors: base URLs (http, https, file) tried in this order before the published place; a
        single one may be given as text.
      connections: files fetched at a time.
      min_bytes_per_s: a source that sends less, for half a minute, is left for the next one; what
        it sent is kept. 0 for any speed.
      replace: fetch anew files that are there but are not this release's.
      wait: wait for another process that is changing the folder, or raise.
      progress: where progress is shown; None: where people look, see
        `pass_dataset.progress.on_terminal`.

    Raises:
      DownloadError: some files could not be fetched; the others are in place.
      DiskSpaceError: too little room, before or during the download.
      FolderError: the folder cannot be used, or holds other files under these names.
      FolderLockedError: another process is changing the folder, and `wait` is false.
      ReleaseError: no such release, or no such part.
    """
    with shown_by(progress) as shown:
        downloader = Downloader(
            Path(folder),
            resolve_release(release),
            parts=part_numbers(parts),
            mirrors=addresses(mirrors),
            connections=connections,
            policy=RetryPolicy(min_bytes_per_s=min_bytes_per_s),
            replace=replace,
            wait=wait,
            progress=shown,
        )
        return downloader.run()


def download_metadata(
    folder: str | os.PathLike[str],
    release: Release,
    *,
    mirrors: str | Sequence[str] = (),
    progress: Progress | None = None,
) -> Path:
    """Fetches the metadata CSV of a release and nothing else, as `download` does.

    Returns:
      The path of the CSV.

    Raises:
      DownloadError, DiskSpaceError, FolderError: as `download`.
    """
    downloader = Downloader(
        Path(folder),
        release,
        mirrors=addresses(mirrors),
        progress=progress or Silent(),
        only_metadata=True,
    )
    downloader.run()
    return downloader.folder / release.metadata.filename


@dataclass
class Downloader:
    """One download into one folder; the attributes are the arguments of `download`.

    Attributes:
      only_metadata: fetch the metadata CSV alone, whatever `parts` says.
      policy, clock: how patient it is, and by which clock.
    """

    folder: Path
    release: Release
    parts: tuple[int, ...] | None = None
    mirrors: tuple[str, ...] = field(default=(), repr=False)
    connections: int = DEFAULT_CONNECTIONS
    replace: bool = False
    wait: bool = True
    progress: Progress = field(default_factory=Silent)
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    clock: Clock = field(default_factory=Clock)
    only_metadata: bool = False

    def __post_init__(self) -> None:
        if self.connections < 1:
            raise DownloadError(f"connections: expected at least 1, found {self.connections}")
        if not self.replace:
            self.release = ArchiveFolder.at(self.folder, self.release).release
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._gate = HostGate(self.clock)
        self._errors: list[DownloadError] = []
        self._unexpected: list[BaseException] = []
        self._fetched: list[str] = []
        self._received_bytes = 0

    def plan(self) -> Plan:
        """What a run would do now; it makes nothing, not even the folder."""
        try:
            return make_plan(self._wanted(), self.folder, Receipt.load(self.folder))
        except OSError as error:
            raise FolderError(f"{self.folder}: cannot be used: {error.strerror}") from error

    def _wanted(self) -> tuple[ReleaseFile, ...]:
        return (self.release.metadata,) if self.only_metadata else self.release.select(self.parts)

    def run(self) -> DownloadReport:
        """Does what `download` says."""
        started = self.clock.now()
        self.plan().check_space()  # before waiting for anyone, and before anything is touched
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FolderError(f"{self.folder}: cannot be used: {error.strerror}") from error
        with hold(self.folder, wait=self.wait):
            receipt = Receipt.load(self.folder)
            receipt.release = self.release
            if self.replace:
                # The files as published are wanted again; removal lists still count.
                (self.folder / PURGED_NAME).unlink(missing_ok=True)
            plan = self._checked(self.plan(), receipt)
            self._refuse_purged(plan)
            plan.check_space()
            if plan.having(Action.FETCH):
                self._require_writable()
            self._fetch_all(plan.having(Action.FETCH), receipt)
        return DownloadReport(
            tuple(self._fetched), self._received_bytes, self.clock.now() - started
        )

    def _refuse_purged(self, plan: Plan) -> None:
        """A file that was purged is published nowhere; a mirror that was named may have it."""
        if self.mirrors:
            return
        purged = {file.filename for file in self.release.published}
        lost = [file.filename for file in plan.having(Action.FETCH) if file.filename in purged]
        if lost:
            raise FolderError(
                f"{self.folder}: {', '.join(lost)} is missing, and was purged of images before: as "
                "it was it can be had nowhere but from a mirror that was purged as well. With "
                "--replace all purged files are fetched as published; removal lists still count, "
                "and purge deletes the images again."
            )

    def _require_writable(self) -> None:
        if not os.access(self.folder, os.W_OK):
            raise FolderError(
                f"{self.folder}: files of {self.release.label} are missing and the folder is "
                "read-only; choose another folder"
            )

    def _checked(self, plan: Plan, receipt: Receipt) -> Plan:
        """Hashes the files that are there without a receipt, and settles conflicts."""
        conflicts = {file.filename: "has another size" for file in plan.having(Action.CONFLICT)}
        for file in plan.having(Action.CHECK):
            sha256, hashed = self._hashed(file)
            if sha256 == file.sha256:
                receipt.record(file, hashed)
                receipt.save()
            else:
                conflicts[file.filename] = "has other bytes (SHA-256)"
        if conflicts and not self.replace:
            listed = "; ".join(f"{name} {why}" for name, why in conflicts.items())
            raise FolderError(
                f"{self.folder}: holds files that are not those of {self.release.label}: {listed}. "
                "Choose another folder, or have these files fetched anew with --replace "
                "(from Python: download(…, replace=True))."
            )
        for name in conflicts:
            receipt.strike(name)
            receipt.save()
            (self.folder / name).unlink()
        return self.plan()

    def _hashed(self, file: ReleaseFile) -> tuple[str, FileMark]:
        path = self.folder / file.filename
        task = self.progress.task(f"{file.filename} (checking)", file.size_bytes, "bytes")
        try:
            sha256, hashed = hash_at_rest(path, task.advance)
        except OSError as error:
            raise FolderError(f"{path}: cannot be read: {error.strerror}") from error
        finally:
            task.finish()
        if hashed is None:
            raise FolderError(f"{path}: was changed while it was checked; wait for who writes it")
        return sha256, hashed

    def _fetch_all(self, files: list[ReleaseFile], receipt: Receipt) -> None:
        queue = list(files)
        threads = [
            # Daemons: a connection that stalls must not hold up the end of the program.
            threading.Thread(target=self._work, args=(queue, receipt), daemon=True)
            for _ in range(min(self.connections, len(files)))
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    # In slices: on some systems an endless join cannot be interrupted.
                    thread.join(0.2)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(2.0)
        if self._unexpected:
            raise self._unexpected[0]
        if self._errors:
            raise self._summed_up(len(files))

    def _work(self, queue: list[ReleaseFile], receipt: Receipt) -> None:
        with Connections(self.policy, self.clock) as connections:
            while not self._stop.is_set():
                with self._lock:
                    if not queue:
                        return
                    file = queue.pop(0)
                try:
                    self._fetch(file, connections, receipt)
                except Stopped:
                    return
                except DownloadError as error:
                    logger.error("%s", error)
                    self._errors.append(error)
                    if isinstance(error, DiskSpaceError):
                        self._stop.set()
                except BaseException as error:
                    self._unexpected.append(error)
                    self._stop.set()

    def _fetch(self, file: ReleaseFile, connections: Connections, receipt: Receipt) -> None:
        started = self.clock.now()
        task = self.progress.task(file.filename, file.size_bytes, "bytes")
        transfer = Transfer(
            file=file,
            path=self.folder / file.filename,
            sources=sources_for(file, self.mirrors, connections),
            policy=self.policy,
            clock=self.clock,
            gate=self._gate,
            sleep=self._stop.wait,
            stopped=self._stop.is_set,
            task=task,
        )
        try:
            transfer.run()
        finally:
            task.finish()
            with self._lock:
                self._received_bytes += transfer.received_bytes
        with self._lock:
            receipt.record(file)
            receipt.save()
            self._fetched.append(file.filename)
        seconds = max(self.clock.now() - started, 1e-9)
        logger.info(
            "%s: whole, %s bytes in %.0f s (%.1f MB/s)",
            file.filename,
            f"{file.size_bytes:,}",
            seconds,
            transfer.received_bytes / seconds / 1e6,
        )

    def _summed_up(self, wanted: int) -> DownloadError:
        kind = DiskSpaceError if isinstance(self._errors[-1], DiskSpaceError) else DownloadError
        listed = "\n  ".join(str(error) for error in self._errors)
        return kind(
            f"{wanted - len(self._fetched)} of {wanted} files could not be fetched:\n  {listed}\n"
            "What was fetched is kept; the same call continues."
        )
