"""A release through a hostile network, and through being killed: it ends verified."""

from __future__ import annotations

import collections
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pass_dataset.archives.integrity import verify
from pass_dataset.downloads import Downloader, RetryPolicy
from pass_dataset.releases.release import Release, format_release
from tests.support.bad_server import BadServer, Kind, seeded_faults
from tests.support.collection import random_release

#: Waits are shortened, and misfits are allowed that one honest server would not show.
POLICY = RetryPolicy(
    base_delay_s=0.01, max_delay_s=0.05, stall_timeout_s=0.5, max_failures=50, max_misfits=10**6
)
ALLOWED = 1.10


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Release]:
    """Ten files of 20 MB, the last of them the metadata."""
    folder = tmp_path_factory.mktemp("survival") / "source"
    made = random_release(folder, [20_000_000] * 10)
    (folder.parent / "release.tsv").write_text(format_release(made))
    return folder, made


@pytest.mark.timeout(240)
def test_two_hundred_faults(
    release: tuple[Path, Release], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, made = release
    started = time.monotonic()
    with BadServer(source, seeded_faults(12, 150_000, share=1.0)) as server:
        report = Downloader(tmp_path, made, mirrors=(server.url,), policy=POLICY).run()
        answers = list(server.answers)
    seconds = time.monotonic() - started
    kinds = collections.Counter(answer.fault.kind for answer in answers if answer.fault)
    sent = sum(answer.sent_bytes for answer in answers)
    # Where an answer had wrong bytes, the bytes that had to be fetched again are not counted.
    wrong = {a.path for a in answers if a.fault and a.fault.kind is Kind.WRONG}
    right = [file for file in made.files if file.filename not in wrong]
    sent_right = sum(answer.sent_bytes for answer in answers if answer.path not in wrong)
    ratio = sent_right / sum(file.size_bytes for file in right)
    with capsys.disabled():
        print(f"\n{made.size_bytes:,} bytes in {len(made.files)} files, {seconds:.0f} s")
        for kind, count in kinds.most_common():
            print(f"  {count:4}  {kind.value}")
        print(f"  {sum(kinds.values()):4}  faults in {len(answers)} answers")
        print(f"  fetched / held, all files:                  {sent / made.size_bytes:.4f}")
        print(f"  fetched / held, {len(right)} files without wrong bytes:  {ratio:.4f}")
    assert verify(tmp_path, made).is_whole
    assert sum(kinds.values()) >= 200
    assert len(kinds) >= 12
    assert ratio <= ALLOWED
    assert report.received_bytes <= sent


CHILD = """
import sys
from pathlib import Path
from pass_dataset.downloads import Downloader, RetryPolicy
from pass_dataset.releases.release import read_release
policy = RetryPolicy(base_delay_s=0.01, max_delay_s=0.05, stall_timeout_s=5, max_failures=50)
folder, release, mirror = sys.argv[1:]
Downloader(Path(folder), read_release(release), mirrors=(mirror,), policy=policy).run()
"""


@pytest.mark.timeout(240)
def test_killed_twenty_times(
    release: tuple[Path, Release], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, made = release
    rng = random.Random(3)
    kills: list[tuple[float, int]] = []
    with BadServer(source, bytes_per_s=6e6) as server:
        command = [sys.executable, "-c", CHILD, tmp_path, source.parent / "release.tsv", server.url]
        while True:
            # The server's rate keeps the whole longer than all the lives together.
            process = subprocess.Popen(list(map(str, command)))
            if len(kills) == 20:
                assert wait_without_limit(process, server) == 0
                break
            life_s = rng.uniform(0.2, 1.0)
            try:
                process.wait(timeout=life_s)
                pytest.fail("finished before it was killed 20 times")
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            kills.append((life_s, size_of(tmp_path)))
        sent = server.sent_bytes
    with capsys.disabled():
        print(f"\nkilled after (s): {' '.join(f'{life:.1f}' for life, _ in kills)}")
        print(f"MB on disk then:  {' '.join(f'{size / 1e6:.0f}' for _, size in kills)}")
        print(f"fetched / held:   {sent / made.size_bytes:.4f}")
    assert [size for _, size in kills] == sorted(size for _, size in kills)
    assert kills[-1][1] > 0
    assert verify(tmp_path, made).is_whole
    assert sent <= ALLOWED * made.size_bytes


def wait_without_limit(process: subprocess.Popen[bytes], server: BadServer) -> int:
    server.bytes_per_s = None
    return process.wait()


def size_of(folder: Path) -> int:
    kinds = (".tar", ".csv", ".part")
    return sum(path.stat().st_size for path in folder.iterdir() if path.suffix in kinds)
