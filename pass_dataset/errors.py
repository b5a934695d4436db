"""Every error this package raises on purpose.

    PassDatasetError
    ├── ReleaseError            an unknown release, or a bad checksum file
    ├── FolderError             an archive folder that cannot be used as asked
    │   └── FolderLockedError   another process is changing it
    ├── DownloadError           files that could not be fetched
    │   └── DiskSpaceError      too little room for them
    ├── VerificationError       files that are not what the release says
    ├── BuildError              shards that could not be written
    ├── ArchiveError            a tar that cannot be read or trusted
    │   └── ArchiveReplacedError  another tar took its place since it was indexed
    ├── ImageError              an image that cannot be decoded
    ├── MetadataError           a metadata CSV that cannot be read
    ├── RecordNotFoundError     no image with that hash
    ├── UnreadableBuildError    a build that is not there or cannot be read
    ├── UploadError             a build that could not be uploaded
    ├── DetectorError           a detector that is not known, or cannot do what is asked
    ├── WeightsError            a weights file that is missing, wrong or unsafe
    ├── SourceError             images that cannot be listed or read
    │   └── SourceChangedError  files are others than those that were listed
    ├── RunError                a run of the filter that cannot go on as asked
    ├── CurationError           a curation that cannot go on as asked
    ├── EvaluationError         encoders that cannot be evaluated as asked
    ├── SchedulerError          SLURM or Ray is not there, does not answer, or refuses
    └── MissingExtraError       an optional part is not installed

Each message names the file, what was expected, what was found, and what to do.
"""

from __future__ import annotations

__all__ = [
    "ArchiveError",
    "ArchiveReplacedError",
    "BuildError",
    "CurationError",
    "DetectorError",
    "DiskSpaceError",
    "DownloadError",
    "EvaluationError",
    "FolderError",
    "FolderLockedError",
    "ImageError",
    "MetadataError",
    "MissingExtraError",
    "PassDatasetError",
    "RecordNotFoundError",
    "ReleaseError",
    "RunError",
    "SchedulerError",
    "SourceChangedError",
    "SourceError",
    "UnreadableBuildError",
    "UploadError",
    "VerificationError",
    "WeightsError",
]


class PassDatasetError(Exception):
    """Base class of all errors of this package."""


class ReleaseError(PassDatasetError, ValueError):
    """A release that is not known, or a checksum file that cannot be understood."""


class FolderError(PassDatasetError):
    """An archive folder that is missing, unreadable, or holds something else."""


class FolderLockedError(FolderError):
    """Another process is changing the folder."""


class DownloadError(PassDatasetError):
    """Some files could not be fetched; what was fetched is kept for the next run."""


class DiskSpaceError(DownloadError):
    """The disk has too little room for what is to be fetched."""


class VerificationError(PassDatasetError):
    """Files whose bytes are not those of the release."""


class BuildError(PassDatasetError):
    """Shards could not be written; those that are whole are kept for the next run."""


class ArchiveError(PassDatasetError):
    """A tar that is cut, compressed, unsafe, or contradicts the release or the metadata."""


class ArchiveReplacedError(ArchiveError):
    """Archives that are no longer those that were opened, as after a purge: open them again."""


class ImageError(PassDatasetError):
    """An image whose bytes could be read but not decoded."""


class MetadataError(PassDatasetError):
    """A metadata CSV that cannot be read."""


class DetectorError(PassDatasetError, ValueError):
    """A detector that is not known, or that cannot do what is asked of it."""


class WeightsError(PassDatasetError):
    """A weights file that cannot be had, is not what it should be, or is not safe to read."""


class SourceError(PassDatasetError):
    """A collection of images, or one of its images, that cannot be listed or read."""


class SourceChangedError(SourceError):
    """A file of a collection is another one than when its images were listed."""


class RunError(PassDatasetError):
    """A run of the filter that cannot go on as asked; what was done is kept."""


class CurationError(PassDatasetError):
    """A curation that cannot go on as asked; what was done is kept."""


class EvaluationError(PassDatasetError):
    """Encoders or data that cannot be evaluated as asked; what was embedded is kept."""


class SchedulerError(PassDatasetError):
    """SLURM or Ray is not there, does not answer, or refuses what it was asked."""


class RecordNotFoundError(PassDatasetError, KeyError):
    """No image with the hash that was asked for."""

    def __str__(self) -> str:  # KeyError would print the repr of the message
        return str(self.args[0])


class UnreadableBuildError(PassDatasetError):
    """A build that is not where it was looked for, or cannot be read."""


class UploadError(PassDatasetError):
    """A build that may not be uploaded as it is, or could not be; the same command goes on."""


class MissingExtraError(PassDatasetError, ImportError):
    """A package of an optional extra is not installed."""
