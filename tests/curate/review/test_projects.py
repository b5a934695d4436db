"""VIA and Label Studio: out, and back without loss."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from pass_dataset.commands.curate.main import main
from pass_dataset.curate.review.label_studio import read_tasks, tasks
from pass_dataset.curate.review.projects import take_in, write_projects
from pass_dataset.curate.review.verdicts import collect
from pass_dataset.curate.review.via import read_via, via2_csv, via2_project, via3_project
from pass_dataset.errors import CurationError
from tests.curate.review.conftest import Begin

SAID = [
    ("images/00000000.jpg", None, ""),
    ("images/00000001.jpg", "plate", 'a "note", with a comma\nand a line'),
    ("images/00000002.jpg", None, "unsure: Straße"),
]
FLAGS = ["person", "plate"]


def test_back_without_loss() -> None:
    for content in (via2_project("p", SAID, FLAGS), via3_project("p", SAID, FLAGS)):
        assert read_via(json.dumps(content), "p.json") == SAID
    assert read_via(via2_csv(SAID), "p.csv") == SAID
    annotated = [
        {**task, "annotations": [{"result": task["predictions"][0]["result"]}]}
        for task in tasks(SAID)
    ]
    assert read_tasks(json.dumps(annotated), "p.json") == SAID


def test_via_2_as_its_own_description_says() -> None:
    """CodeDoc: names, types, and a key of each image that is its name and size."""
    project = via2_project("p", SAID, FLAGS)
    assert set(project) == {
        "_via_settings",
        "_via_img_metadata",
        "_via_attributes",
        "_via_data_format_version",
        "_via_image_id_list",
    }
    assert set(project["_via_settings"]) == {"ui", "core", "project"}
    assert set(project["_via_settings"]["core"]) == {"filepath", "default_filepath", "buffer_size"}
    assert project["_via_data_format_version"] == "2.0.10"
    assert project["_via_image_id_list"] == list(project["_via_img_metadata"])
    for key, image in project["_via_img_metadata"].items():
        assert set(image) == {"filename", "size", "regions", "file_attributes"}
        assert key == f"{image['filename']}{image['size']}"
    # With a path VIA 2 knows where all files are, and shows them in its grid.
    assert project["_via_settings"]["core"]["default_filepath"] == "./"
    review = project["_via_attributes"]["file"]["review"]
    assert review["type"] == "radio"
    assert set(review["default_options"]) <= set(review["options"])
    for image in project["_via_img_metadata"].values():
        assert image["file_attributes"]["review"] in review["options"]


def test_via_3_as_its_own_description_says() -> None:
    project = via3_project("p", SAID, FLAGS)
    assert set(project) == {"project", "config", "attribute", "file", "metadata", "view"}
    assert project["project"]["vid_list"] == list(project["view"])
    for one in project["metadata"].values():
        assert set(one) == {"vid", "flg", "z", "xy", "av"}
        assert set(one["av"]) <= set(project["attribute"])
    for view in project["view"].values():
        assert all(number in project["file"] for number in view["fid_list"])
    # 3: on this machine; of those that came from a dialogue VIA 3 shows no image without asking.
    assert {(one["type"], one["loc"]) for one in project["file"].values()} == {(2, 3)}
    assert [one["src"] for one in project["file"].values()] == [name for name, _, _ in SAID]


def test_as_via_saves_it() -> None:
    """What VIA 2.0.10 and 3.0.10 wrote when an image of ours was marked there."""
    via2 = (
        "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,"
        "region_attributes\n"
        'images/00000002.jpg,-1,"{""review"":""ok"",""note"":""""}",0,0,"{}","{}"\n'
        'images/00000004.jpg,-1,"{""review"":""plate"",""note"":""""}",0,0,"{}","{}"'
    )
    expected = [("images/00000002.jpg", None, ""), ("images/00000004.jpg", "plate", "")]
    assert read_via(via2, "via.csv") == expected
    via3 = via3_project("p", [(name, None, "") for name, _, _ in expected], FLAGS)
    via3["metadata"]["2_0"] = {"vid": "2", "flg": 0, "z": [], "xy": [], "av": {"1": "plate"}}
    # A region that somebody drew says nothing of the image.
    region = {"vid": "1", "flg": 0, "z": [], "xy": [2, 1, 1, 9, 9], "av": {"1": "person"}}
    via3["metadata"]["1_Ab3-x"] = region
    assert read_via(json.dumps(via3), "via.json") == expected


def test_tasks_as_label_studio_serves_files() -> None:
    (task,) = tasks([("images/00000001.jpg", "plate", "")])
    assert task["data"] == {
        "image": "/data/local-files/?d=images/00000001.jpg",
        "name": "images/00000001.jpg",
    }
    # Without the name, as others may leave it out, the address tells the image.
    result = task["predictions"][0]["result"]
    del task["data"]["name"]
    said = read_tasks(json.dumps([{**task, "annotations": [{"result": result}]}]), "p")
    assert said[0][0].endswith("images/00000001.jpg")


def test_annotations_without_a_project() -> None:
    """As VIA 2 exports them: only the images; and an image that nobody touched."""
    images = copy.deepcopy(via2_project("p", SAID, FLAGS)["_via_img_metadata"])
    images["images/00000002.jpg-1"]["file_attributes"] = {}
    assert read_via(json.dumps(images), "p.json")[2] == ("images/00000002.jpg", None, "")


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "{", '{"a": 1}', '{"a": {"filename": "x"}}'])
def test_what_is_no_project(text: str) -> None:
    with pytest.raises(CurationError, match=r"p\.json: expected"):
        read_via(text, "p.json")


@pytest.mark.parametrize("text", ["[1]", "[", "[null]", '[{"data": 1, "annotations": [{}]}]'])
def test_what_is_no_export(text: str) -> None:
    with pytest.raises(CurationError, match=r"p\.json: expected"):
        read_tasks(text, "p.json")


def test_label_studios_other_forms() -> None:
    mini = [{"image": "/data/1.jpg", "name": "images/00000001.jpg", "review": "plate"}]
    assert read_tasks(json.dumps(mini), "m") == [("images/00000001.jpg", "plate", "")]
    task: dict[str, Any] = tasks(SAID)[0]
    cancelled = {**task, "annotations": [{"was_cancelled": True, "result": []}]}
    assert read_tasks(json.dumps([task, cancelled]), "m") == []


@pytest.mark.parametrize("tool", ["via", "via3", "label_studio"])
def test_whole_review_by_another_tool(begin: Begin, tmp_path: Path, tool: str) -> None:
    folder = begin()
    out = tmp_path / "projects"
    (path,) = write_projects(folder, "all", tool, out)
    assert len(list((out / "images").iterdir())) == 60
    text = path.read_text()
    if tool == "label_studio":
        content = json.loads(text)
        for task in content:
            result = task["predictions"][0]["result"]
            if task["data"]["name"].endswith("0007.jpg"):
                result[0]["value"]["choices"] = ["plate"]
            task["annotations"] = [{"result": result}]
        path.write_text(json.dumps(content))
    elif tool == "via":
        content = json.loads(text)
        content["_via_img_metadata"]["images/00000007.jpg-1"]["file_attributes"]["review"] = "plate"
        path.write_text(json.dumps(content))
    else:
        content = json.loads(text)
        number = next(n for n, one in content["file"].items() if one["src"].endswith("0007.jpg"))
        content["metadata"][f"{number}_0"]["av"]["1"] = "plate"
        path.write_text(json.dumps(content))
    for _ in range(2):  # the same file twice changes nothing
        taken = take_in(folder, path, "vera", "all")
        assert (taken.images, taken.flagged, taken.unknown) == (60, 1, 0)
    verdicts = collect(folder)
    assert verdicts.is_whole
    assert verdicts.flagged == {"plate": 1}
    assert verdicts.codes[7] == 4
    assert verdicts.seats.looks.max() == 1


def test_files_of_others_are_refused(begin: Begin, tmp_path: Path) -> None:
    folder = begin()
    path = tmp_path / "other.json"
    path.write_text(json.dumps(via2_project("p", [("a.jpg", "wrong-flag", "")], ["wrong-flag"])))
    with pytest.raises(CurationError, match="has the flag 'wrong-flag'"):
        take_in(folder, path, "vera", "all")
    path.write_text(json.dumps(via2_project("p", [("a.jpg", None, "")], [])))
    assert take_in(folder, path, "vera", "all").unknown == 1
    record = [str(folder.path.parent), "--out", str(folder.path)]
    assert main(["review", *record, "--take-in", str(path)]) == 1
