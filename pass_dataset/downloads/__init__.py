"""Downloads that survive: planned, resumed by byte range, verified, and named only when whole.

plan        what is to be done, decided before anything is touched
connections requests to servers that may say anything, at any pace
sources     where bytes come from: HTTP servers and folders
turns       whose turn it is among the sources of a file
offline     whether the user says that there is no network
retries     when to try again and when to stop
partfile    the file a download grows in
transfer    one file, try after try
single_file one file of its own
downloader  all files of a release, into one folder
"""

from __future__ import annotations

from pass_dataset.downloads.downloader import Downloader, DownloadReport, download
from pass_dataset.downloads.plan import Action, Plan, PlannedFile
from pass_dataset.downloads.retries import RetryPolicy

__all__ = [
    "Action",
    "DownloadReport",
    "Downloader",
    "Plan",
    "PlannedFile",
    "RetryPolicy",
    "download",
]
