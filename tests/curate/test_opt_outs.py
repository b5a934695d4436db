"""`pass-curate run --exclude`: an opt-out list that grows while a curation goes on."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

pytest.importorskip("pycurl")

from pass_dataset.commands.curate.main import main
from pass_dataset.curate.filter import run as run_module
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.program.opt_outs import list_of_filter
from pass_dataset.curate.step_writer import begin_step
from pass_dataset.errors import CurationError
from tests.support.curation import Curation, hash_of, own_collection, photograph, small_jpeg

SETTINGS = """
steps = ["select", "fetch", "filter", "review", "release"]
metadata = ["mine.csv"]

[filter]
detectors = []

[release]
name = "birds"
version = "1.0.0"
tars = 1
"""


@pytest.fixture
def made(tmp_path: Path) -> Path:
    own_collection(tmp_path, 12)
    (tmp_path / "settings.toml").write_text(SETTINGS)
    return tmp_path


def run(made: Path, *more: str) -> int:
    command = ["run", str(made / "settings.toml"), "--out", str(made / "curation")]
    return main([*command, "--workers", "1", *more])


def let_all_through(ledger: Ledger) -> None:
    writer = begin_step(ledger, "review", {})
    for shard in writer.missing():
        given = writer.given(shard)
        writer.write(shard, given.append_column("cause", [[None] * given.num_rows]))
    writer.finish()


@pytest.mark.slow
def test_list_that_grows(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger(CurationFolder(made / "curation"))
    opted_out = made / "opt-out.txt"
    assert main(["select", str(made / "mine.csv"), "--out", str(made / "curation")]) == 0
    names = ledger.left(0, ["hash"])["hash"].to_pylist()
    opted_out.write_text(names[3] + "\n")
    assert run(made, "--exclude", str(opted_out)) == 3
    record = ledger.record("sound")
    assert record is not None
    assert record.causes == {"opted-out": 1}
    # The list is longer now; one is named by the bytes of its file. The filter is done.
    by_sum = hashlib.sha256(small_jpeg(5)).hexdigest()
    opted_out.write_text(f"{names[3]}\n{names[4]}\n{by_sum}\n")
    assert run(made, "--exclude", str(opted_out)) == 3
    let_all_through(ledger)
    capsys.readouterr()
    assert run(made, "--exclude", str(opted_out)) == 0
    assert "release: birds 1.0.0, 9 photographs" in capsys.readouterr().out
    with tarfile.open(made / "curation" / "release" / "birds.0.tar") as tar:
        there = {Path(name).stem for name in tar.getnames() if name.endswith(".jpg")}
    assert there == {*names} - {*names[3:6]}


@pytest.mark.parametrize("is_done", [True, False])
def test_list_after_a_filter_without_one(tmp_path: Path, is_done: bool) -> None:
    folder = Curation(tmp_path / "curation", [photograph(0)]).fetch().folder
    path = tmp_path / "list.txt"
    path.write_text(hash_of(0))
    writer = begin_step(Ledger(folder), "sound", {"opt_outs_sha256": None})
    if is_done:
        writer.write(0, writer.given(0).append_column("cause", pa.nulls(1, pa.string())))
        writer.finish()
    # Of one that is begun and not done the step itself tells whether the list is the same.
    assert list_of_filter(folder, path) == (None if is_done else path)


def test_list_that_is_taken_back(tmp_path: Path) -> None:
    folder = Curation(tmp_path / "curation", [photograph(0)]).fetch().folder
    path = tmp_path / "list.txt"
    path.write_text(hash_of(0))
    assert list_of_filter(folder, path) == folder.opt_outs_path
    assert folder.opt_outs_path.read_text() == hash_of(0)
    assert list_of_filter(folder, None) is None
    assert not folder.opt_outs_path.exists()
    path.unlink()
    with pytest.raises(CurationError, match="cannot be read: No such file"):
        list_of_filter(folder, path)


def test_photographs_that_could_not_be_examined(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []

    def run_filter(folder: CurationFolder, settings: Any, **more: Any) -> None:
        told.append(more)

    monkeypatch.setattr(run_module, "run_filter", run_filter)
    for option in ("--retry-failed", "--give-up-failed"):
        assert run(made, option) == 3  # others are at work on it
    asked = [{name for name, value in more.items() if value is True} for more in told]
    assert asked == [{"retry_failed"}, {"give_up_failed"}]


def test_usage(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(made, "--exclude", str(made / "none.txt")) == 1
    assert "none.txt" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        run(made, "--retry-failed", "--give-up-failed")
    assert ended.value.code == 2
