"""Metadata with known counts, and what is selected of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.select import SelectSettings, run_select
from pass_dataset.curate.select.pieces import Sizes
from pass_dataset.curate.step_record import StepRecord

TOOLS = Path(__file__).parent.parent.parent.parent / "scripts" / "tools"
if str(TOOLS) not in sys.path:
    sys.path.append(str(TOOLS))

from make_yfcc import make  # noqa: E402

ROWS = 2000
#: Many pieces, and blocks of bzip2 that go over their ends.
SMALL = Sizes(text=100_000, bz2=50_000, sqlite=200_000)


def metadata(folder: Path, **arguments: Any) -> Path:
    """A folder of metadata."""
    make(folder, arguments.pop("rows", ROWS), **arguments)
    return folder


def select(out: Path, *sources: Path | str, **arguments: Any) -> StepRecord:
    """Selects, in small pieces."""
    settings = arguments.pop("settings", SelectSettings(shard_rows=100))
    return run_select(
        CurationFolder(out), settings, sources, sizes=arguments.pop("sizes", SMALL), **arguments
    )


def check(record: StepRecord, folder: Path) -> None:
    """What was counted is what was planted."""
    planted = json.loads((folder / "planted.json").read_text())
    details = record.details
    by_rule = {"license", "video"}
    assert details["read"] == planted["rows"] == sum(details["refused"].values()) + record.came
    refused = {cause: n for cause, n in details["refused"].items() if cause not in by_rule}
    assert refused == planted["refused"]
    assert details["noted"] == planted["noted"]
    assert record.causes == planted["duplicates"]
    assert (record.came, record.left) == (planted["selected"], planted["went_on"])
    licenses = details["licenses"]
    assert {name: photos for name, (photos, _) in licenses.items()} == planted["photos"]
    videos = {name: videos for name, (_, videos) in licenses.items() if videos}
    assert videos == planted["videos"]
    assert set(details["first"]) == {*details["refused"], *details["noted"]}
