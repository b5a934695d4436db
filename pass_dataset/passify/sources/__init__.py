"""Where images come from: any collection, listed in bounded memory, read by shards.

names           a file's name as a line of text, and back
source          the interface: items, and a reader of their bytes
opening         which source a path is
folder_tree     a folder of files
tar_files       tars and WebDataset shards
parquet_files   Parquet with a column of images
list_file       a list of files
pass_archive    a PASS archive folder
saved_dataset   a Hugging Face dataset saved to disk
"""

from __future__ import annotations

from pass_dataset.passify.sources.names import line_to_name, name_to_text, text_to_name
from pass_dataset.passify.sources.opening import SourceSettings, kind_of, open_source
from pass_dataset.passify.sources.source import (
    IMAGE_SUFFIXES,
    KINDS,
    Kind,
    ListingReport,
    Reader,
    Source,
    SourceItem,
)

__all__ = [
    "IMAGE_SUFFIXES",
    "KINDS",
    "Kind",
    "ListingReport",
    "Reader",
    "Source",
    "SourceItem",
    "SourceSettings",
    "kind_of",
    "line_to_name",
    "name_to_text",
    "open_source",
    "text_to_name",
]
