"""Whether the user says that there is no network, and what can be had without one.

The variables are those of Hugging Face, read as `datasets` reads them: ``HF_DATASETS_OFFLINE``
where it is set, else ``HF_HUB_OFFLINE``, else ``TRANSFORMERS_OFFLINE``. Loaders heed them, which
fetch what is missing without being told to; `pass-dataset download` is told to, and fetches.
"""

from __future__ import annotations

import ipaddress
import os
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path

from pass_dataset.errors import DownloadError
from pass_dataset.releases.release import Release, ReleaseFile

__all__ = ["offline_variable", "require_reachable"]

#: In the order of `datasets.config` and `huggingface_hub.constants`: the first that is set counts.
_VARIABLES = ("HF_DATASETS_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_TRUE = frozenset({"1", "ON", "YES", "TRUE"})


def offline_variable(environment: Mapping[str, str] = os.environ) -> str | None:
    """The variable by which the user says that there is no network; None where none says so."""
    named = next((name for name in _VARIABLES if environment.get(name)), None)
    return named if named and environment[named].upper() in _TRUE else None


def require_reachable(
    release: Release, missing: Sequence[ReleaseFile], mirrors: Sequence[str], folder: Path
) -> None:
    """Refuses at once what would only be waited for, where the user says that there is no network.

    What lies on this machine needs none: ``file://``, or a server at a loopback address.

    Args:
      release: whose files they are.
      missing: files that have to be fetched.
      mirrors: base URLs that are asked first.
      folder: where the files are missed.

    Raises:
      DownloadError: with what is missing, and what to do.
    """
    variable = offline_variable()
    if variable is None or any(map(_is_here, mirrors)):
        return
    lost = [file.filename for file in missing if not _is_here(file.url or "")]
    if lost:
        named = ", ".join(lost[:3]) + (f" and {len(lost) - 3} more" if lost[3:] else "")
        raise DownloadError(
            f"{folder}: {named} of {release.label} missing, and {variable} says that there is no "
            "network. Set PASS_ARCHIVES to a folder that has the files, or unset "
            f"{variable} to have them fetched"
        )


def _is_here(url: str) -> bool:
    try:
        parsed = urllib.parse.urlsplit(url)
        host = parsed.hostname or ""
    except ValueError:
        return False
    if parsed.scheme == "file" or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
