"""A release through a hostile network, and through being killed: it ends verified."""

from __future__ import annotations

import collections
import contextlib
import random
import subprocess
import sys
from pathlib import Path

import pytest

from pass_dataset.archives.integrity import verify
from pass_dataset.downloads import Downloader, RetryPolicy
from pass_dataset.releases.release import Release, format_release
from tests.support.bad_server import Answer, BadServer, Kind, seeded_faults
from tests.support.collection import random_release
from tests.support.waiting import wait_until

#: Waits are shortened, and misfits are allowed that one honest server would not show. What is
#: taken for a stall is longer than the pauses of a busy machine.
POLICY = RetryPolicy(
    base_delay_s=0.01, max_delay_s=0.05, stall_timeout_s=2.0, max_failures=50, max_misfits=10**6
)
ALLOWED = 1.10

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Release]:
    """Ten files of 20 MB, the last of them the metadata."""
    folder = tmp_path_factory.mktemp("survival") / "source"
    made = random_release(folder, [20_000_000] * 10)
    (folder.parent / "release.tsv").write_text(format_release(made))
    return folder, made


def test_two_hundred_faults(release: tuple[Path, Release], tmp_path: Path) -> None:
    source, made = release
    with BadServer(source, seeded_faults(12, 150_000, share=1.0)) as server:
        report = Downloader(tmp_path, made, mirrors=(server.url,), policy=POLICY).run()
        answers = list(server.answers)
    kinds = collections.Counter(answer.fault.kind for answer in answers if answer.fault)
    sent = sum(answer.sent_bytes for answer in answers)
    # Where an answer had wrong bytes, the bytes that had to be fetched again are not counted.
    wrong = {a.path for a in answers if a.fault and a.fault.kind is Kind.WRONG}
    right = [file for file in made.files if file.filename not in wrong]
    sent_right = sum(answer.sent_bytes for answer in answers if answer.path not in wrong)
    ratio = sent_right / sum(file.size_bytes for file in right)
    # Shown by `pytest -s`.
    print(f"\n{made.size_bytes:,} bytes in {len(made.files)} files")
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


def test_killed_twenty_times(release: tuple[Path, Release], tmp_path: Path) -> None:
    """Each time some more has reached the disk, and each life begins where the last one ended."""
    source, made = release
    rng = random.Random(3)
    with BadServer(source, bytes_per_s=6e6) as server:
        command = [sys.executable, "-c", CHILD, tmp_path, source.parent / "release.tsv", server.url]
        begun = 0
        for _ in range(20):
            kept = kept_in(tmp_path)
            wanted = sum(kept.values()) + rng.randrange(1, 6_000_000)
            process = subprocess.Popen(list(map(str, command)), text=True)
            wait_until(lambda least=wanted: sum(kept_in(tmp_path).values()) >= least, process)
            process.kill()
            process.wait()
            begun += check_starts(server.answers[begun:], kept)
        server.bytes_per_s = None
        kept = kept_in(tmp_path)
        assert sum(kept.values()) < made.size_bytes
        subprocess.run(list(map(str, command)), check=True)
        check_starts(server.answers[begun:], kept)
    print(f"\nfetched / held: {server.sent_bytes / made.size_bytes:.4f}")
    assert verify(tmp_path, made).is_whole


def check_starts(answers: list[Answer], kept: dict[str, int]) -> int:
    """No byte that is on the disk is asked for again; the number of answers."""
    for answer in answers:
        assert (answer.start or 0) >= kept.get(answer.path, 0), answer
    return len(answers)


def kept_in(folder: Path) -> dict[str, int]:
    """The bytes of each file that are on the disk, whole or in part."""
    kept = {}
    for path in list(folder.iterdir()):
        if path.suffix in (".tar", ".csv", ".part") and not path.name.startswith("."):
            with contextlib.suppress(FileNotFoundError):  # got its final name meanwhile
                kept[path.name.removesuffix(".part")] = path.stat().st_size
    return kept
