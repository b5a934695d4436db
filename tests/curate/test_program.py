"""A whole curation by one settings file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("pycurl")

from pass_dataset.commands.curate.main import main
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.profiles.profile import open_profile, profile_names
from pass_dataset.curate.program.plan import read_plan
from pass_dataset.curate.step_writer import begin_step
from pass_dataset.errors import CurationError
from tests.support.curation import own_collection

SETTINGS = """
steps = ["select", "fetch", "balance", "review", "draw", "release"]
metadata = ["mine.csv"]

[balance]
per_photographer = 4
sample = 0

[select]
shard_rows = 15

[draw]
count = 10

[release]
name = "birds"
version = "1.0.0"
tars = 2
"""


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder with 30 photographs of five people, their table, and settings."""
    own_collection(tmp_path, 30)
    (tmp_path / "settings.toml").write_text(SETTINGS)
    return tmp_path


def run(made: Path, *more: str) -> int:
    return main(["run", str(made / "settings.toml"), "--out", str(made / "curation"), *more])


def test_from_beginning_to_end(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(made) == 3
    told = capsys.readouterr().out
    assert "balance: 30 photographs came, 20 went on" in told
    assert f"pass-curate review {made}/curation" in told
    ledger = Ledger(CurationFolder(made / "curation"))
    writer = begin_step(ledger, "review", {})
    assert run(made) == 3
    for shard in writer.missing():
        given = writer.given(shard)
        flagged = [None] * given.num_rows
        flagged[0] = "number-plate"
        writer.write(shard, given.append_column("cause", [flagged]))
    writer.finish()
    capsys.readouterr()
    assert run(made) == 0
    told = capsys.readouterr().out
    assert "review: 20 photographs came, 18 went on\n  number-plate 2" in told
    assert "draw: 18 photographs came, 10 went on" in told
    assert "release: birds 1.0.0, 10 photographs" in told
    # Everything is done: nothing is done again.
    before = (made / "curation" / "release" / "birds.0.tar").stat().st_mtime_ns
    assert run(made) == 0
    assert (made / "curation" / "release" / "birds.0.tar").stat().st_mtime_ns == before


def test_settings_stay(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(made) == 3
    file = made / "settings.toml"
    file.write_text(SETTINGS.replace("per_photographer = 4", "per_photographer = 5"))
    capsys.readouterr()
    assert run(made) == 1
    told = capsys.readouterr().err
    assert "[balance]: has other settings:\n  per_photographer: it was begun with 4" in told
    # What is not begun may change, and is kept.
    file.write_text(SETTINGS.replace("count = 10", "count = 11"))
    assert run(made) == 3
    assert "count = 11" in (made / "curation" / "settings.toml").read_text()


def test_other_steps_than_done(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(made) == 3
    text = SETTINGS.replace('"balance", ', "").replace("[balance]", "[draw]").split("[draw]")
    (made / "settings.toml").write_text(text[0] + "[draw]" + text[2])
    assert run(made) == 1
    assert "balance was done after fetch; expected the steps of" in capsys.readouterr().err


def test_status(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(made) == 3
    capsys.readouterr()
    assert main(["status", str(made / "curation")]) == 0
    assert capsys.readouterr().out.endswith("next: review\n")
    writer = begin_step(Ledger(CurationFolder(made / "curation")), "review", {})
    given = writer.given(0)
    writer.write(0, given.append_column("cause", [[None] * given.num_rows]))
    assert main(["status", str(made / "curation"), "--json"]) == 1
    now = json.loads(capsys.readouterr().out)
    assert (now["begun"], now["written"], now["shards"]) == ("review", 1, 2)
    assert main(["status", str(made / "curation")]) == 1
    assert "review is begun and not done, 1 of 2 shards written" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"expected steps = \[...\]"),
        ('steps = ["select", "select"]', "with each step once"),
        ('steps = ["fetch"]', "expected select as the first step"),
        ('steps = ["select", "release", "draw"]', "expected release as the last step"),
        ('steps = ["select", "dream"]', "'dream' is no step; there are: select, fetch"),
        ('steps = ["select"]\n[draw]\ncount = 1', r"\[draw\] is no step of the list"),
        ('steps = ["select", "draw"]\n[draw]\ncount = -1', r"\[draw\]: count: expected 0"),
        ('steps = ["select", "draw"]\ndraw = 1', r"\[draw\]: expected a table"),
        ('steps = ["select"]\nmetadata = "a.csv"', "metadata: expected an array"),
        ('steps = ["select", "review"]\n[review]\nblock = 0', r"\[review\]: block: expected 1 to"),
        ('steps = ["select", "review"]\n[review]\nblok = 1', r"\[review\]: 'blok' is no setting"),
    ],
)
def test_bad_settings(made: Path, text: str, message: str) -> None:
    with pytest.raises(CurationError, match=message):
        read_plan(text, "settings.toml", Path())


@pytest.mark.parametrize("name", profile_names())
def test_profiles_can_be_run(name: str) -> None:
    plan = read_plan(open_profile(name).text, name, Path())
    assert next(iter(plan.steps)) == "select"
    assert plan.steps["release"].name.startswith("pass_")


def test_usage(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "--out", str(made)])
    assert ended.value.code == 2
    assert main(["run", str(made / "none.toml"), "--out", str(made / "new")]) == 1
    assert "No such file" in capsys.readouterr().err
    assert not (made / "new").exists()
