"""A Parquet folder uploaded to the Hugging Face Hub.

The upload itself is the library's: `HfApi.upload_folder`, which since huggingface_hub 1.20 commits
a large folder in pieces and goes on where it was when it is called again; before that,
`HfApi.upload_large_folder` did (deprecated in 1.20, gone in 2.0).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pass_dataset.archives.removals import removals_for
from pass_dataset.builds.targets import images_in
from pass_dataset.errors import UploadError
from pass_dataset.extras import require
from pass_dataset.parquet.manifest import CARD_NAME, DATA_NAME, EXPORT_NAME, Export
from pass_dataset.parquet.stored import ParquetFolder
from pass_dataset.releases.addresses import public_address, without_secrets

__all__ = ["HubUpload", "UploadFile"]

logger = logging.getLogger(__name__)

_FEATURE = "Uploading to the Hugging Face Hub"


@dataclass(frozen=True)
class UploadFile:
    """A file that goes to the Hub.

    Attributes:
      path: in the folder and in the repository alike.
      size_bytes: of the file.
    """

    path: str
    size_bytes: int


@dataclass(frozen=True)
class HubUpload:
    """An upload to be done.

    Attributes:
      folder: a finished Parquet export.
      repo_id: repository of the dataset, ``user/name``; made if missing.
      private: whether a new repository is private; None for the default of its owner.
      revision: branch, made if missing; None for ``main``.
      needs_verification: refuse a folder that `pass-dataset verify-build` has not found right.
    """

    folder: Path
    repo_id: str
    private: bool | None = None
    revision: str | None = None
    needs_verification: bool = True

    def files(self) -> list[UploadFile]:
        """What would be uploaded, after a look at whether the folder is what it says.

        Raises:
          UnreadableBuildError: it is no finished export.
          UploadError: files are missing or have another size, it was not verified, or images on
            removal lists are in it.
        """
        stored = ParquetFolder.open(self.folder)
        faults = list(stored.export.faults(self.folder))
        if faults:
            raise UploadError(
                f"{self.folder}: not whole: {'; '.join(faults[:5])}{' …' if faults[5:] else ''}. "
                f"Remove {self.folder / EXPORT_NAME} and build it again"
            )
        if self.needs_verification and not stored.is_on_record():
            raise UploadError(
                f"{self.folder}: was not verified, or was changed since. First run: pass-dataset "
                f"verify-build {self.folder} --archives DIR"
            )
        removed = images_in(self.folder, removals_for(self.folder))
        if removed:
            raise UploadError(
                f"{self.folder}: {removed:,} images on removal lists are still in it. First run: "
                f"pass-dataset purge {self.folder}, then verify-build"
            )
        return list(self._files(stored.export))

    def _files(self, export: Export) -> Iterator[UploadFile]:
        # Data first: a repository with a card but without data is of no use.
        for shard in export.shards:
            yield UploadFile(shard.path, shard.size_bytes)
        for name in (EXPORT_NAME, CARD_NAME):
            yield UploadFile(name, (self.folder / name).stat().st_size)

    def run(self) -> str:
        """Uploads; called again after an interruption, it goes on.

        Returns:
          Address of the dataset.

        Raises:
          UnreadableBuildError, UploadError: see `files`; or the Hub cannot be reached, refuses
            the token or the repository, or the upload failed.
          MissingExtraError: huggingface_hub is not installed.
        """
        hub = require("huggingface_hub", feature=_FEATURE, extra="hf")
        files = self.files()
        if not hub.get_token():
            raise UploadError(
                "no token for the Hugging Face Hub: log in with `hf auth login`, or set HF_TOKEN "
                "to a token that may write (https://huggingface.co/settings/tokens)"
            )
        try:
            return self._upload(hub.HfApi(library_name="pass-dataset"), files)
        # The library's errors are OSError or ValueError; a lost connection is an error of the HTTP
        # library below, which has changed from one version to the next.
        except (OSError, ValueError) as error:
            raise UploadError(self._explained(hub, error)) from error
        except Exception as error:
            if not type(error).__module__.startswith(("httpx", "httpcore", "requests", "hf_xet")):
                raise
            raise UploadError(self._explained(hub, error)) from error

    def _upload(self, api: Any, files: list[UploadFile]) -> str:
        # Tells at once whether Hub and token are there, not after the folder was read.
        user = api.whoami()
        if user.get("auth", {}).get("accessToken", {}).get("role") == "read":
            # Where the library commits in pieces of its own, it would try again for ever.
            raise UploadError(
                f"the token of {user['name']} may only read; give one that may write "
                "(https://huggingface.co/settings/tokens)"
            )
        logger.info("%s: uploading %d files as %s", self.folder, len(files), user["name"])
        target = {"repo_id": self.repo_id, "repo_type": "dataset"}
        url = api.create_repo(**target, private=self.private, exist_ok=True)
        if self.revision is not None:
            api.create_branch(**target, branch=self.revision, exist_ok=True)
        self._refuse_other_data(api.list_repo_files(**target, revision=self.revision), files)
        paths = [file.path for file in files]
        if hasattr(api, "upload_large_folder") and not _commits_in_pieces():
            api.upload_large_folder(
                **target, folder_path=self.folder, revision=self.revision, allow_patterns=paths
            )
        else:
            api.upload_folder(
                **target,
                folder_path=self.folder,
                revision=self.revision,
                allow_patterns=paths,
                commit_message="Upload with pass-dataset push",
            )
        return str(url)

    def _refuse_other_data(self, present: list[str], files: list[UploadFile]) -> None:
        """Old shards beside the new ones would be loaded with them."""
        ours = {file.path for file in files}
        others = [path for path in present if path.startswith(f"{DATA_NAME}/") and path not in ours]
        if others:
            raise UploadError(
                f"{self.repo_id}: has other data, such as {others[0]} ({len(others)} files); "
                "remove them there, or give another repository or --revision"
            )

    def _explained(self, hub: Any, error: Exception) -> str:
        kind = type(error).__name__
        said = without_secrets((str(error) or kind).strip().splitlines()[0])
        status = getattr(getattr(error, "response", None), "status_code", None)
        if kind == "OfflineModeIsEnabled":
            advice = "unset HF_HUB_OFFLINE"
        elif status in (401, 403):
            advice = (
                f"the token may not do this: it needs the right to write to {self.repo_id} "
                "(hf auth login, or HF_TOKEN)"
            )
        elif status is not None or isinstance(error, ValueError):
            advice = "what has arrived stays; the same command goes on"
        else:
            endpoint = public_address(hub.constants.ENDPOINT)
            advice = (
                f"is {endpoint} to be reached? What has arrived stays; the same command goes on"
            )
        return f"{self.folder} to {self.repo_id}: {said} ({kind}): {advice}"


def _commits_in_pieces() -> bool:
    """True if `upload_folder` of the installed library is made for large folders."""
    major, minor = version("huggingface_hub").split(".")[:2]
    return (int(major), int(minor)) >= (1, 20)
