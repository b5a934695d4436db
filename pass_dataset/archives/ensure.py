"""The archives a loader reads: found, completed, verified, opened."""

from __future__ import annotations

from collections.abc import Sequence

from pass_dataset.archives import mini
from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import Removals
from pass_dataset.downloads import download
from pass_dataset.downloads.offline import require_reachable
from pass_dataset.errors import VerificationError
from pass_dataset.files.hashing import file_sha256
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.progress import on_terminal
from pass_dataset.releases.release import read_release

__all__ = ["open_mini", "provide"]


def provide(
    archives: ArchiveFolder,
    *,
    mirrors: str | Sequence[str] = (),
    removals: Removals | None = None,
) -> PassArchive:
    """Opens an archive folder, fetching what is missing.

    A file counts as right if the receipt says so and it has not been touched since; else it is
    hashed, once. Nothing is waited for where the user says that there is no network, see
    `pass_dataset.downloads.offline`.

    Args:
      archives: the folder, with the release and the parts that are wanted.
      mirrors: base URLs tried before the published place.
      removals: see `PassArchive`.

    Raises:
      FolderError, DownloadError, ArchiveError, MetadataError: see `download` and `PassArchive`.
    """
    with on_terminal() as progress:
        if not archives.is_on_record:
            archives.require_own_files()
            require_reachable(archives.release, archives.absent, mirrors, archives.path)
            download(
                archives.path,
                archives.release,
                parts=archives.parts,
                mirrors=mirrors,
                progress=progress,
            )
        return PassArchive(archives, removals=removals, progress=progress)


def open_mini(removals: Removals | None = None) -> PassArchive:
    """Opens the mini release that comes with this package.

    Args:
      removals: see `PassArchive`.

    Raises:
      VerificationError: a file of it was changed after installation.
    """
    release = read_release(mini.CHECKSUMS)
    for file in release.files:
        path = mini.ARCHIVES / file.filename
        if not path.is_file() or file_sha256(path) != file.sha256:
            raise VerificationError(
                f"{path}: missing or not as installed; reinstall it with: "
                "pip install --force-reinstall --no-deps pass-dataset"
            )
    # Installed packages may be read-only and are not ours to add files to; 64 images are indexed
    # in milliseconds.
    archives = ArchiveFolder.at(mini.ARCHIVES, release)
    return PassArchive(archives, removals=removals, save_index=False)
