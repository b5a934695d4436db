"""`pass-curate select`: what it prints, and what a kill leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pass_dataset.commands.curate.main import main
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from tests.curate.select.made import metadata, select
from tests.support.bad_server import BadServer
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return metadata(tmp_path_factory.mktemp("metadata"), rows=1000)


def test_prints(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planted = json.loads((made / "planted.json").read_text())
    source = str(made / "yfcc100m_dataset")
    assert main(["select", source, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("1,000 rows of metadata\n  refused: license ")
    assert "  refused: bad-date 1 (first: yfcc100m_dataset, line " in said
    assert f"{planted['selected']} photographs selected\n" in said
    assert f"{planted['went_on']} photographs go on" in said
    assert main(["select", source, "--out", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["came"] == planted["selected"]
    assert main(["status", str(tmp_path)]) == 0


def test_strict(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["select", str(made), "--out", str(tmp_path), "--strict"]) == 1
    assert "bad-date: 1, the first: " in capsys.readouterr().err


def test_settings_and_options(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(
        '[select]\nlicenses = ["by-sa"]\nshard_rows = 50\nboxes = [[-180, 0, 180, 90]]\n'
        "[balance]\nper_photographer = 80\n"
    )
    arguments = ["select", str(made), "--out", str(tmp_path / "out"), "--settings", str(settings)]
    dates = ["--dates", "2004-01-01,2008-12-31", "--license", "by", "--license", "by-nd"]
    assert main([*arguments, *dates]) == 0
    ledger = Ledger(CurationFolder(tmp_path / "out"))
    rows = ledger.everyone(0).to_pylist()
    assert {row["license_name"] for row in rows} == {
        "Attribution License",
        "Attribution-NoDerivs License",
    }
    assert all(row["latitude"] >= 0 and row["datetaken"] < "2009" for row in rows)
    stored = ledger.steps()[0].settings
    assert (stored["licenses"], stored["shard_rows"]) == (["by", "by-nd"], 50)
    capsys.readouterr()
    assert main([*arguments, "--box", "1,2,3"]) == 1
    assert "settings.toml [select] boxes: expected" in capsys.readouterr().err


KILLED = """
import sys
from pathlib import Path
from tests.curate.select.made import select
select(Path(sys.argv[1]), sys.argv[2], workers=2)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "where"),
    [("text", "disk"), ("bz2", "disk"), ("text", "http"), ("gz", "http"), ("sqlite", "http")],
)
def test_killed(form: str, where: str, tmp_path: Path) -> None:
    """Killed three times, it ends with the same files as if it had not been."""
    if (form, where) == ("sqlite", "http"):
        pytest.importorskip("apsw")
    folder = metadata(tmp_path / "in", rows=3000, form=form)
    (path,) = folder.glob("yfcc*")
    whole = select(tmp_path / "whole", path)
    with BadServer(folder) as server:
        source = str(path) if where == "disk" else f"{server.url}/{path.name}"
        out = tmp_path / "out"
        for pieces in (1, 4, 7):
            _kill_at(pieces, out, source)
        again = select(out, source)
    assert (again.sha256, again.details) == (whole.sha256, whole.details)
    assert not (out / "work/select").exists()


def _kill_at(pieces: int, out: Path, source: str) -> None:
    """Kills a run when it has some pieces, or is at its end."""
    with subprocess.Popen([sys.executable, "-c", KILLED, str(out), source]) as program:

        def is_there() -> bool:
            found = list((out / "work/select").glob("*-*.json"))
            return len(found) >= pieces or program.poll() is not None

        wait_until(is_there)
        program.send_signal(signal.SIGKILL)
