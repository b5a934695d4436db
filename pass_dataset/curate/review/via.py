"""Projects of the VGG Image Annotator (VIA), versions 2 and 3: the files, and what is said in them.

A project has one attribute of files, ``review``, of which each image has one value: OK, or a flag.
VIA keeps a project in a browser tab, so there are many small ones. Formats: the CodeDoc of VIA 2
(data format 2.0.10) and of VIA 3 (3.1.1), https://github.com/ox-vgg/via.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from pass_dataset.errors import CurationError

__all__ = ["OK", "read_via", "via2_csv", "via2_project", "via3_project"]

#: The value of an image that is not flagged, and the attribute's name.
OK = "ok"
_ATTRIBUTE = "review"
_NOTE = "note"
_VIA2_FORMAT = "2.0.10"
_VIA3_FORMAT = "3.1.1"
_CSV_HEAD = (
    *("filename", "file_size", "file_attributes", "region_count", "region_id"),
    *("region_shape_attributes", "region_attributes"),
)
#: An image, its flag (None: OK) and its note.
Said = tuple[str, str | None, str]


def via2_project(name: str, said: Sequence[Said], flags: Sequence[str]) -> dict[str, Any]:
    """A project of VIA 2, as its *Load project* takes it.

    Args:
      name: of the project.
      said: images as VIA finds them, relative to its page or absolute, and what is said of them.
      flags: the values there are besides OK.
    """
    metadata = {
        # The key is the name and the size, which is unknown.
        f"{file}-1": {
            "filename": file,
            "size": -1,
            "regions": [],
            "file_attributes": {_ATTRIBUTE: flag or OK, _NOTE: note},
        }
        for file, flag, note in said
    }
    options = {OK: "OK", **{flag: flag for flag in flags}}
    return {
        "_via_settings": {
            "ui": {
                "annotation_editor_height": 25,
                "annotation_editor_fontsize": 0.8,
                "leftsidebar_width": 18,
                "image_grid": {
                    "img_height": 160,
                    "rshape_fill": "none",
                    "rshape_fill_opacity": 0.3,
                    "rshape_stroke": "yellow",
                    "rshape_stroke_width": 2,
                    "show_region_shape": True,
                    "show_image_policy": "all",
                },
                "image": {
                    "region_label": "__via_region_id__",
                    "region_color": "__via_default_region_color__",
                    "region_label_font": "10px Sans",
                    "on_image_annotation_editor_placement": "NEAR_REGION",
                },
            },
            # With a path VIA knows all files when it opens the project, for its grid too.
            "core": {"buffer_size": 18, "filepath": {}, "default_filepath": "./"},
            "project": {"name": name},
        },
        "_via_img_metadata": metadata,
        "_via_attributes": {
            "region": {},
            "file": {
                _ATTRIBUTE: {
                    "type": "radio",
                    "description": "OK, or why the image has to go",
                    "options": options,
                    "default_options": {OK: True},
                },
                _NOTE: {"type": "text", "description": "Note", "default_value": ""},
            },
        },
        "_via_data_format_version": _VIA2_FORMAT,
        "_via_image_id_list": list(metadata),
    }


def via2_csv(said: Sequence[Said]) -> str:
    """Annotations as VIA 2 exports them as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_CSV_HEAD)
    for file, flag, note in said:
        attributes = json.dumps({_ATTRIBUTE: flag or OK, _NOTE: note})
        writer.writerow((file, -1, attributes, 0, 0, "{}", "{}"))
    return text.getvalue()


def via3_project(name: str, said: Sequence[Said], flags: Sequence[str]) -> dict[str, Any]:
    """A project of VIA 3. Its attributes are numbered: 1 is `review`, 2 is the note."""
    options = {OK: "OK", **{flag: flag for flag in flags}}
    numbers = {str(number): one for number, one in enumerate(said, start=1)}
    return {
        "project": {
            "pid": "__VIA_PROJECT_ID__",
            "rev": "__VIA_PROJECT_REV_ID__",
            "rev_timestamp": "__VIA_PROJECT_REV_TIMESTAMP__",
            "pname": name,
            "creator": "VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)",
            "data_format_version": _VIA3_FORMAT,
            "created": 0,
            "vid_list": list(numbers),
        },
        "config": {
            "file": {"loc_prefix": {"1": "", "2": "", "3": "", "4": ""}},
            "ui": {
                "file_content_align": "center",
                "file_metadata_editor_visible": True,
                "spatial_metadata_editor_visible": True,
                "spatial_region_label_attribute_id": "",
            },
        },
        "attribute": {
            "1": {
                "aname": _ATTRIBUTE,
                "anchor_id": "FILE1_Z0_XY0",
                "type": 3,  # radio
                "desc": "OK, or why the image has to go",
                "options": options,
                "default_option_id": OK,
            },
            "2": {
                "aname": _NOTE,
                "anchor_id": "FILE1_Z0_XY0",
                "type": 1,  # text
                "desc": "Note",
                "options": {},
                "default_option_id": "",
            },
        },
        # Files that lie beside VIA's page; of those of a browser's dialogue (1) it asks for each.
        "file": {
            number: {"fid": number, "fname": one[0], "type": 2, "loc": 3, "src": one[0]}
            for number, one in numbers.items()
        },
        "metadata": {
            f"{number}_0": {
                "vid": number,
                "flg": 0,
                "z": [],
                "xy": [],
                "av": {"1": one[1] or OK, "2": one[2]},
            }
            for number, one in numbers.items()
        },
        "view": {number: {"fid_list": [number]} for number in numbers},
    }


def read_via(text: str, where: str) -> list[Said]:
    """What is said in a file of VIA 2 (project, annotations as JSON or CSV) or VIA 3.

    Args:
      text: the file.
      where: what messages call it.

    Raises:
      CurationError: it is no such file.
    """
    if not text.lstrip().startswith("{"):
        return _read_csv(text, where)
    try:
        content = json.loads(text)
        if "metadata" in content and "project" in content:
            return _read_via3(content)
        images = content.get("_via_img_metadata", content)
        return [_said(one["filename"], one["file_attributes"]) for one in images.values()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CurationError(f"{where}: expected a project of VIA, found: {error!r}") from error


def _read_csv(text: str, where: str) -> list[Said]:
    found: dict[str, Said] = {}
    try:
        for row in csv.DictReader(io.StringIO(text)):
            name = row["filename"]
            # An image has a row for each of its regions.
            if not name.startswith("#"):
                found[name] = _said(name, json.loads(row["file_attributes"]))
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise CurationError(f"{where}: expected annotations of VIA, found: {error!r}") from error
    if not found:
        raise CurationError(f"{where}: expected annotations of VIA, found no image")
    return list(found.values())


def _read_via3(content: dict[str, Any]) -> list[Said]:
    names = {one["aname"]: number for number, one in content["attribute"].items()}
    said = {}
    for view, one in content["view"].items():
        said[view] = (content["file"][str(one["fid_list"][0])]["src"], OK, "")
    for one in content["metadata"].values():
        if one["z"] or one["xy"] or one["vid"] not in said:
            continue  # of a part of the image
        values = {name: one["av"].get(number, "") for name, number in names.items()}
        said[one["vid"]] = (
            said[one["vid"]][0],
            values.get(_ATTRIBUTE) or OK,
            values.get(_NOTE, ""),
        )
    return [(name, None if flag == OK else flag, note) for name, flag, note in said.values()]


def _said(name: str, attributes: dict[str, Any]) -> Said:
    flag = attributes.get(_ATTRIBUTE, OK)
    if isinstance(flag, dict):  # as a checkbox has it
        flag = next((one for one, is_set in flag.items() if is_set and one != OK), OK)
    return name, None if flag in (OK, "") else str(flag), str(attributes.get(_NOTE, ""))
