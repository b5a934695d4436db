"""Files that a run of the filter reads: lists, plans, settings, markers."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pass_dataset.errors import RunError, SourceError
from pass_dataset.folders.file_mark import FileVersion
from pass_dataset.passify.runs.plan import Plan
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.runs.settings import DetectorChoice, RunSettings
from pass_dataset.passify.sources.list_file import ListFile
from pass_dataset.passify.sources.names import line_to_name, name_to_text, text_to_name
from pass_dataset.passify.sources.opening import SourceSettings
from pass_dataset.passify.sources.source import ListingReport
from tests.properties.damage import damaged

names = st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
states = st.builds(FileVersion, st.integers(0, 1 << 62), st.integers(-(1 << 62), 1 << 62))
plans = st.builds(
    Plan,
    images=st.integers(1, 1 << 40),
    shard_size=st.integers(1, 1000),
    containers=st.lists(texts, max_size=3).map(tuple),
    unreadable=st.lists(texts, max_size=3).map(tuple),
    num_unreadable=st.integers(0, 9),
    left_out=st.dictionaries(texts, st.integers(0, 9), max_size=3),
    files=st.dictionaries(texts, states, max_size=3),
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
contents = st.one_of(st.binary(max_size=80), json_values.map(json.dumps).map(str.encode))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    for name in ("plan", "done", "crashes", "failed"):
        (folder.path / name).mkdir()
    return folder


@given(names)
def test_names_go_round_on_one_line(name: bytes) -> None:
    text = name_to_text(name)
    assert text_to_name(text) == line_to_name(text.encode()) == name
    assert len(text.splitlines()) == 1
    assert text.encode().decode() == text


@given(content=st.binary(max_size=200))
@example(content=b"\\q")
@example(content=b"a\0b\\")
@example(content=b"\xff\n\\xff\n\r\n")
def test_any_list(run: RunFolder, content: bytes) -> None:
    path = run.path / "list.txt"
    path.write_bytes(content)
    try:
        items = list(ListFile(bytes(path), b"/").items(ListingReport()))
    except SourceError as error:
        assert str(path) in str(error)
    else:
        assert all("\n" not in item.path for item in items)


@given(plan=plans)
def test_plan_goes_round(run: RunFolder, plan: Plan) -> None:
    run.plan_path.write_text(json.dumps(asdict(plan)))
    assert Plan.load(run) == plan


def check_plan(run: RunFolder, content: bytes) -> None:
    run.plan_path.write_bytes(content)
    try:
        plan = Plan.load(run)
    except RunError as error:
        assert str(run.plan_path) in str(error)
    else:
        assert isinstance(plan, Plan)


@given(content=contents)
@example(content=b"[" * 5000)
@example(content=b"null")
@example(content=b'{"images": ' + b"9" * 5000 + b"}")
def test_any_plan(run: RunFolder, content: bytes) -> None:
    check_plan(run, content)


@given(data=st.data(), plan=plans)
def test_damaged_plan(run: RunFolder, data: st.DataObject, plan: Plan) -> None:
    check_plan(run, data.draw(damaged(json.dumps(asdict(plan)).encode())))


SETTINGS = RunSettings(SourceSettings("/a", "folder"), (DetectorChoice("face", "a", "0" * 64),))


@given(data=st.data(), content=contents)
@example(data=None, content=b"[" * 5000)
@example(data=None, content=b'{"source": 7}')
def test_settings(run: RunFolder, data: st.DataObject | None, content: bytes) -> None:
    if data is not None and data.draw(st.booleans()):
        content = data.draw(damaged(SETTINGS.to_json().encode()))
    run.settings_path.write_bytes(content)
    try:
        assert isinstance(run.settings(), RunSettings)
    except RunError as error:
        assert str(run.settings_path) in str(error)


@given(content=contents)
@example(content=b"[" * 5000)
@example(content=b'{"culprits": {"x": "y"}, "deaths": 1}')
@example(content=b'{"shard": 0}')
@example(content=b"7")
def test_markers(run: RunFolder, content: bytes) -> None:
    for name, read in {
        "done": lambda: run.shard_stats(0),
        "crashes": lambda: run.crashes(0),
        "failed": lambda: run.failure(0),
    }.items():
        path = run.path / name / "000000.json"
        path.write_bytes(content)
        try:
            read()
        except RunError as error:
            assert str(path) in str(error)
        path.unlink()
