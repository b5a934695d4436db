"""Croissant: a release described for machines, with the size and SHA-256 of every file.

What is written conforms to Croissant 1.1 (http://mlcommons.org/croissant/1.1) and to its extension
for responsible AI, RAI 1.0 (http://mlcommons.org/croissant/RAI/1.0); `mlcroissant` 1.1 and later
validate it and load records by it.

The files of the published releases lie in ``builder_hf/``: ``croissant/<version>.json`` for each,
under a name that stays, and ``croissant.json``, where the Hub and other tools look, with the
release that a user gets who asks for none.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from pass_dataset.errors import ReleaseError
from pass_dataset.releases.addresses import public_address
from pass_dataset.releases.citation import AUTHORS, BIBTEX_LINE, HOMEPAGE
from pass_dataset.releases.licenses import DATASET_LICENSE
from pass_dataset.releases.release import Release, ReleaseFile, official_release

__all__ = ["CONFORMS_TO", "columns_of", "description_of", "format_description"]

CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")

#: The context of Croissant 1.1, as in its specification and in `mlcroissant`.
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}

#: What only PASS itself may say; from the paper (https://arxiv.org/abs/2109.13228) and its
#: datasheet (appendix F), in short. ``builder_hf/README.md`` has it at length.
_PASS: dict[str, Any] = {
    "alternateName": "Pictures without humAns for Self-Supervision",
    "url": HOMEPAGE,
    "license": DATASET_LICENSE.url,
    "citeAs": BIBTEX_LINE,
    "creator": [{"@type": "sc:Person", "name": name} for name in AUTHORS],
    "publisher": {
        "@type": "sc:Organization",
        "name": "Visual Geometry Group, University of Oxford",
        "url": "https://www.robots.ox.ac.uk/~vgg/",
    },
    "keywords": ["images", "self-supervised learning", "pretraining", "privacy", "CC-BY"],
    "rai:dataCollection": (
        "The images of YFCC-100M under CC-BY were fetched from its public bucket: about 17 million "
        "photographs that Flickr's users had published."
    ),
    "rai:dataCollectionType": ["Existing datasets"],
    "rai:dataCollectionTimeFrame": ["2021-03-01", "2021-06-30"],
    "rai:dataCollectionMissingData": (
        "Position is missing for about 62 % of the images, the date for some. Release 1.0.0 has "
        "neither."
    ),
    "rai:dataCollectionRawData": (
        "Photographs as their users put them on Flickr, taken between 2000 and 2015, most from "
        "2010 to 2014. The authors keep the 17 million images they began with."
    ),
    "rai:dataPreprocessingProtocol": [
        "Broken and single-coloured files were removed.",
        "Images in which RetinaFace finds a face or Cascade Mask R-CNN a person were removed.",
        "At most 80 images of a photographer were kept.",
        "What people flagged was removed, then duplicates, also of images in COCO and ImageNet; "
        "the rest was drawn at random.",
        "The images themselves were not edited.",
    ],
    "rai:dataAnnotationProtocol": (
        "There are no annotations. Every image was looked at, and removed if flagged for showing "
        "people or parts of them, or as disturbing. The flags are not published."
    ),
    "rai:dataAnnotationPlatform": ["VIA, the VGG Image Annotator"],
    "rai:machineAnnotationTools": ["RetinaFace (MobileNet 0.25)", "Cascade Mask R-CNN (ResNet-50)"],
    "rai:annotatorDemographics": [
        "Employees of a professional annotation company that pays 150 % of the local minimum wage."
    ],
    "rai:dataUseCases": [
        "Pretraining without supervision; studies of what pretraining data do to features.",
        "Not for benchmarks of classification, and not for linking photographers with images or "
        "places.",
    ],
    "rai:dataLimitations": [
        "No labels and no test split.",
        "Detectors and people overlook things: images with people were found after releases 1 and "
        "2, and there may be more.",
    ],
    "rai:dataBiases": [
        "Most images were taken in Europe and North America, with good cameras.",
        "What goes with people is rarer than elsewhere.",
    ],
    "rai:dataSocialImpact": (
        "Made so that models can be pretrained without images of people who were never asked, and "
        "with photographers named. Features may work less well for places that are rare in it."
    ),
    "rai:personalSensitiveInformation": [
        "Flickr user names of the photographers, for attribution.",
        "Dates and positions of photographs, which may tell where a photographer was.",
    ],
    "rai:dataReleaseMaintenancePlan": (
        "Images that are found to show people are removed in a new release; the older releases "
        "stay on Zenodo. Report images to the authors with their hash."
    ),
}


@dataclass(frozen=True)
class _Column:
    """A column of the metadata CSV.

    Attributes:
      name: in the CSV.
      field: in the records.
      kind: its type in Croissant.
      text: what it is.
    """

    name: str
    field: str
    kind: str
    text: str


_HASH = "hash"
_COLUMNS = (
    _Column(
        "unickname",
        "creator_uname",
        "sc:Text",
        "User name of the photographer, URL-encoded. Who reads the CSV with pandas: one may be "
        "called NA, null or None; only the empty field is missing.",
    ),
    _Column("datetaken", "date_taken", "sc:DateTime", "When it was taken, without time zone."),
    _Column("licensename", "license", "sc:Text", "Licence: Attribution License is CC-BY 2.0."),
    _Column("latitude", "gps_lat", "sc:Float", "Latitude in degrees."),
    _Column("longitude", "gps_lon", "sc:Float", "Longitude in degrees."),
)
#: The columns that every release has for certain.
_SURE = ("hash", "unickname")


def columns_of(release: Release) -> tuple[str, ...]:
    """Columns of a release's CSV that are known: of release 1, and of a user's own, two."""
    if release.is_official and release != official_release("1.0.0"):
        return (_HASH, *(column.name for column in _COLUMNS))
    return _SURE


def description_of(release: Release, columns: Collection[str] | None = None) -> dict[str, Any]:
    """A release in Croissant.

    Args:
      release: a published one, or the user's own; of that nothing is said but what its checksum
        file has.
      columns: of its CSV; None for those that are known, see `columns_of`.

    Returns:
      JSON-LD. A file without URL is looked for beside the description.

    Raises:
      ReleaseError: the CSV lacks a column without which images and metadata cannot be joined.
    """
    columns = columns_of(release) if columns is None else columns
    if _HASH not in columns:
        raise ReleaseError(
            f"{release.metadata.filename}: expected a column {_HASH!r}, found {sorted(columns)}"
        )
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": "PASS" if release.is_official else release.name,
        "version": release.version,
        "description": _summary(release),
        **({"datePublished": release.released} if release.released else {}),
        **(_PASS if release.is_official else {}),
        **({"sameAs": _zenodo(release)} if release.zenodo_record else {}),
        "distribution": list(_distribution(release)),
        "recordSet": [_metadata_records(release, columns), _image_records(columns)],
    }


def format_description(description: dict[str, Any]) -> str:
    """The text of a Croissant file."""
    return json.dumps(description, indent=2, ensure_ascii=False) + "\n"


def _zenodo(release: Release) -> str:
    return f"https://zenodo.org/records/{release.zenodo_record}"


def _summary(release: Release) -> str:
    if not release.is_official:
        return release.known
    count = "" if release.num_examples is None else f"{release.num_examples:,} "
    return (
        f"{count}photographs under CC-BY without people, unlabelled, for self-supervised "
        f"pretraining. {release.label}: {release.changes}"
    )


def _distribution(release: Release) -> Iterator[dict[str, Any]]:
    for file in release.files:
        yield _file_object(file)
    yield {
        "@type": "cr:FileSet",
        "@id": "image-files",
        "name": "image-files",
        "description": "All images; a file is named by the hash of its image.",
        "containedIn": [{"@id": file.filename} for file in release.tars],
        "encodingFormat": "image/jpeg",
        "includes": "*.jpg",
    }


def _file_object(file: ReleaseFile) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.filename,
        "name": file.filename,
        "description": "Images, not compressed." if file.is_tar else "A row for each image.",
        "contentUrl": public_address(file.url) if file.url else file.filename,
        "contentSize": f"{file.size_bytes} B",
        "encodingFormat": "application/x-tar" if file.is_tar else "text/csv",
        "sha256": file.sha256,
    }


def _field(record_set: str, name: str, kind: str, text: str, **more: Any) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{name}",
        "name": name,
        "description": text,
        "dataType": kind,
        **more,
    }


def _metadata_records(release: Release, columns: Collection[str]) -> dict[str, Any]:
    """The rows of the CSV."""
    known = [_Column(_HASH, _HASH, "sc:Text", "Name of the image, hexadecimal text."), *_COLUMNS]
    return {
        "@type": "cr:RecordSet",
        "@id": "metadata",
        "name": "metadata",
        "description": "What is known of each image.",
        "key": {"@id": "metadata/hash"},
        "field": [
            _field(
                "metadata",
                column.field,
                column.kind,
                column.text,
                source={
                    "fileObject": {"@id": release.metadata.filename},
                    "extract": {"column": column.name},
                },
            )
            for column in known
            if column.name in columns
        ],
    }


def _image_records(columns: Collection[str]) -> dict[str, Any]:
    """The images, joined with the rows of the CSV by their hash."""
    files = {"fileSet": {"@id": "image-files"}}
    content = _field(
        "images",
        "image",
        "sc:ImageObject",
        "The photograph.",
        source={**files, "extract": {"fileProperty": "content"}},
    )
    named = _field(
        "images",
        _HASH,
        "sc:Text",
        "Name of the image, from that of its file.",
        source={
            **files,
            "extract": {"fileProperty": "filename"},
            # Matches its own result, too: mlcroissant transforms a field once more after joining.
            "transform": {"regex": r"([^/.]+)(?:\.jpg)?$"},
        },
        references={"field": {"@id": "metadata/hash"}},
    )
    joined = [
        _field(
            "images",
            column.field,
            column.kind,
            column.text,
            source={"field": {"@id": f"metadata/{column.field}"}},
        )
        for column in _COLUMNS
        if column.name in columns
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": "images",
        "name": "images",
        "description": "One record for each image.",
        "key": {"@id": "images/hash"},
        "field": [content, named, *joined],
    }
