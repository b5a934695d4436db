"""`pass-dataset push`, against a server on loopback that plays the Hub."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pass_dataset.builds.reading.comparison import verify_build
from pass_dataset.commands.main import main
from pass_dataset.parquet.manifest import EXPORT_NAME
from pass_dataset.parquet.stored import ParquetFolder
from tests.support.digests import digests
from tests.support.fake_hub import TOKEN, FakeHub

pytest.importorskip("huggingface_hub")

REPO = "tester/pass-mini"
CREATE = "POST /api/repos/create"


@pytest.fixture
def export(mini_export: Path, mini_archives: Path, tmp_path: Path) -> Path:
    """A copy that was found right."""
    copy = Path(shutil.copytree(mini_export, tmp_path / "export"))
    assert verify_build(copy, archives=mini_archives).is_right
    return copy


def push(
    folder: Path, endpoint: str, *more: str, token: str | None = TOKEN, offline: bool = False
) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the library reads its settings when it is imported."""
    unset = {"HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_TOKEN"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(folder.parent / "hf_home")}
    if token:
        environment["HF_TOKEN"] = token
    if offline:
        environment["HF_HUB_OFFLINE"] = "1"
    return subprocess.run(
        [sys.executable, "-m", "pass_dataset", "push", str(folder), REPO, *more],
        capture_output=True,
        text=True,
        env=environment,
    )


def uploaded(hub: FakeHub, tmp_path: Path, branch: str = "main") -> dict[str, str]:
    """Digests of what arrived."""
    folder = tmp_path / f"arrived-{branch}"
    for path, data in hub.branches[branch].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return digests(folder)


def test_uploads_all_and_nothing_else(export: Path, tmp_path: Path) -> None:
    (export / "notes.txt").write_text("not for the world")
    with FakeHub() as hub:
        done = push(export, hub.url, "--private")
        assert done.returncode == 0, done.stderr
        assert f"{export} to {REPO}: 6 files, " in done.stdout
        assert done.stdout.splitlines()[-1].endswith(f"/datasets/{REPO}")
        assert hub.repositories == {REPO: True}
        (export / "notes.txt").unlink()
        assert uploaded(hub, tmp_path) == digests(export)
        asked = [call for call in hub.calls if call in ("GET /api/whoami-v2", CREATE)]
        assert asked[:2] == ["GET /api/whoami-v2", CREATE]
        commits = [call for call in hub.calls if "/commit/" in call]
        # Again: everything is there.
        again = push(export, hub.url)
        assert again.returncode == 0, again.stderr
        assert [call for call in hub.calls if "/commit/" in call] == commits


def test_another_branch(export: Path, tmp_path: Path) -> None:
    with FakeHub() as hub:
        done = push(export, hub.url, "--revision", "v3")
        assert done.returncode == 0, done.stderr
        assert uploaded(hub, tmp_path, "v3") == digests(export)
        assert hub.branches["main"] == {}
        assert hub.repositories == {REPO: False}


def test_an_upload_that_failed_goes_on(export: Path, tmp_path: Path) -> None:
    with FakeHub(may_write=False) as hub:
        done = push(export, hub.url)
        assert done.returncode == 1
        assert f"needs the right to write to {REPO}" in done.stderr
        assert "Traceback" not in done.stderr
        hub.may_write = True
        assert push(export, hub.url).returncode == 0
        assert uploaded(hub, tmp_path) == digests(export)


def test_other_data_in_the_repository(export: Path) -> None:
    with FakeHub() as hub:
        hub.branches["main"]["data/train-00000-of-00009.parquet"] = b"old"
        done = push(export, hub.url)
    assert done.returncode == 1
    assert "has other data, such as data/train-00000-of-00009.parquet (1 files)" in done.stderr


def test_no_token(export: Path) -> None:
    with FakeHub() as hub:
        done = push(export, hub.url, token=None)
        assert hub.calls == []
    assert done.returncode == 1
    assert "no token for the Hugging Face Hub: log in with `hf auth login`" in done.stderr


def test_a_wrong_token(export: Path) -> None:
    with FakeHub() as hub:
        done = push(export, hub.url, token="hf_of_someone_else")
    assert done.returncode == 1
    assert "the token may not do this" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_token_that_may_only_read(export: Path) -> None:
    with FakeHub(role="read") as hub:
        done = push(export, hub.url)
        assert not any(call.startswith("POST") for call in hub.calls)
    assert done.returncode == 1
    assert "the token of tester may only read; give one that may write" in done.stderr


def test_no_network(export: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        done = push(export, f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert done.returncode == 1
    assert "What has arrived stays; the same command goes on" in done.stderr
    assert "Traceback" not in done.stderr


def test_offline(export: Path) -> None:
    with FakeHub() as hub:
        done = push(export, hub.url, offline=True)
        assert hub.calls == []
    assert done.returncode == 1
    assert "unset HF_HUB_OFFLINE" in done.stderr


def test_dry_run_lists_what_would_go(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["push", str(export), REPO, "--dry-run"]) == 0
    out = capsys.readouterr().out
    for path in digests(export):
        assert f"{(export / path).stat().st_size:>15,}  {path}\n" in out
    assert len(out.splitlines()) == 7


def test_not_whole_or_not_verified(
    export: Path, mini_archives: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refusal(*more: str) -> str:
        assert main(["push", str(export), REPO, "--dry-run", *more]) == 1
        return capsys.readouterr().err

    (export / "README.md").write_text((export / "README.md").read_text() + "\nOur own words.\n")
    assert "was not verified, or was changed since. First run: pass-dataset verify" in refusal()
    assert main(["push", str(export), REPO, "--dry-run", "--unverified"]) == 0
    assert main(["verify-build", str(export), "--archives", str(mini_archives)]) == 0
    assert ParquetFolder.open(export).is_on_record()
    assert main(["push", str(export), REPO, "--dry-run"]) == 0
    shard = min((export / "data").iterdir())
    os.truncate(shard, 10)
    assert f"{shard}: expected" in refusal("--unverified")
    (export / EXPORT_NAME).unlink()
    assert "no finished Parquet export" in refusal()
