"""Tasks of Label Studio, and what comes back from its JSON export.

The labelling configuration that goes with the tasks has one choice, ``review``: OK, or a flag.
Formats: https://labelstud.io/guide/tasks, https://labelstud.io/guide/export, and for images
https://labelstud.io/guide/storage (local storage).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from pass_dataset.curate.review.via import OK, Said
from pass_dataset.errors import CurationError

__all__ = ["labelling_config", "read_tasks", "tasks"]

#: Where Label Studio has files of its machine, from the folder that it is told to serve.
_LOCAL = "/data/local-files/?d="
_CHOICE, _NOTE, _IMAGE = "review", "note", "image"


def labelling_config(flags: Sequence[str]) -> str:
    """What *Labeling Interface → Code* of a project is to have."""
    choices = "\n".join(f"    <Choice value={quoteattr(flag)}/>" for flag in (OK, *flags))
    return (
        f'<View>\n  <Image name="{_IMAGE}" value="${_IMAGE}"/>\n'
        f'  <Choices name="{_CHOICE}" toName="{_IMAGE}" choice="single" required="true">\n'
        f"{choices}\n  </Choices>\n"
        f'  <TextArea name="{_NOTE}" toName="{_IMAGE}"/>\n</View>\n'
    )


def tasks(said: Sequence[Said]) -> list[dict[str, Any]]:
    """Tasks to be imported, with what is said so far as predictions.

    Args:
      said: images, from the folder that Label Studio serves (``LOCAL_FILES_DOCUMENT_ROOT``), and
        what is said of them.
    """
    return [
        {
            "data": {_IMAGE: _LOCAL + quote(file), "name": file},
            "predictions": [{"model_version": "review", "result": _result(flag, note)}],
        }
        for file, flag, note in said
    ]


def _result(flag: str | None, note: str) -> list[dict[str, Any]]:
    to = {"to_name": _IMAGE}
    result: list[dict[str, Any]] = [
        {"from_name": _CHOICE, **to, "type": "choices", "value": {"choices": [flag or OK]}}
    ]
    if note:
        result.append({"from_name": _NOTE, **to, "type": "textarea", "value": {"text": [note]}})
    return result


def read_tasks(text: str, where: str) -> list[Said]:
    """What is said in an export, as JSON or JSON-MIN. Tasks without an annotation are left out.

    Raises:
      CurationError: it is no such file.
    """
    try:
        content = json.loads(text)
        found = []
        for task in content:
            said = _of_task(task)
            if said is not None:
                found.append(said)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise CurationError(
            f"{where}: expected Label Studio's JSON export, found: {error!r}"
        ) from error
    return found


def _of_task(task: dict[str, Any]) -> Said | None:
    if "data" not in task:  # JSON-MIN
        if _CHOICE not in task:
            return None
        return _as_said(task.get("name", task[_IMAGE]), task[_CHOICE], task.get(_NOTE, ""))
    annotations = [one for one in task.get("annotations", []) if not one.get("was_cancelled")]
    if not annotations:
        return None
    flag, note = OK, ""
    # The newest one counts.
    for result in annotations[-1]["result"]:
        if result["from_name"] == _CHOICE:
            flag = result["value"]["choices"][0]
        elif result["from_name"] == _NOTE:
            note = " ".join(result["value"]["text"])
    return _as_said(task["data"].get("name", task["data"][_IMAGE]), flag, note)


def _as_said(name: str, flag: str, note: Any) -> Said:
    return name, None if flag == OK else flag, note if isinstance(note, str) else " ".join(note)
