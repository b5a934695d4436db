"""Filter one collection on this machine, on SLURM and on Ray, and compare what they found.

    python scripts/benchmarks/compare_executors.py ../shared/images --images 5000 --start-slurm \\
        --face-weights ../shared/weights/mobilenet0.25_Final.pth
    python scripts/benchmarks/compare_executors.py ../shared/images --images 60 --start-slurm \\
        --face-weights ../shared/weights/mobilenet0.25_Final.pth --person-weights model.pkl \\
        --detectors face,person --partitions cpu gpu --shard-size 5

Makes a collection of that many images (see make_collection.py) and runs `passify run` on it: local,
as a SLURM array, once more with a task cancelled midway and run again, local with everything killed
midway and run again, and on Ray. With `--partitions`, SLURM looks for faces in the first and for
people in the second, and it is a task of the second that is cancelled. Fails unless all have the
same rows, with scores within 1e-5. Options that are not known here are for `passify run`; faces
only, unless `--detectors` says otherwise. `--start-slurm` starts a SLURM here, as the tests do,
with the partitions `cpu` and `gpu`; without it the one of this machine is used.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measurement import BenchmarkError, format_table, machine_line, measure

from pass_dataset.executors.slurm.submissions import load_submissions
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder

EXECUTORS = ("slurm", "cancelled", "killed", "ray")
SCORE_TOLERANCE = 1e-5
#: Boxes follow from the same arithmetic as scores, in pixels of images up to 1000 wide.
BOX_TOLERANCE_PX = 1e-2


@dataclass(frozen=True)
class Difference:
    """How far two runs are apart.

    Attributes:
        rows: number of them.
        score: largest difference of a score.
        box_px: largest difference of a side of a box.
    """

    rows: int
    score: float
    box_px: float


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """All rows of a run but for the time, in the order of the source."""
    rows = []
    for table in Results(RunFolder(folder)).tables():
        rows += table.drop_columns(["processed_at"]).to_pylist()
    return rows


def compare(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> Difference:
    """Compares two runs row by row.

    Raises:
        BenchmarkError: they differ by more than they may.
    """
    if len(ours) != len(theirs):
        raise BenchmarkError(f"{len(ours)} rows against {len(theirs)}")
    score = box_px = 0.0
    for one, other in zip(ours, theirs, strict=True):
        for name, value in one.items():
            found = other[name]
            if name.endswith("_max_score") and None not in (value, found):
                score = max(score, abs(value - found))
            elif name.endswith("_boxes") and value and found and len(value) == len(found):
                for box, their_box in zip(value, found, strict=True):
                    score = max(score, abs(box["score"] - their_box["score"]))
                    sides = (abs(box[side] - their_box[side]) for side in ("x1", "y1", "x2", "y2"))
                    box_px = max(box_px, *sides)
            elif value != found:
                raise BenchmarkError(f"{one['path']}: {name} is {value!r} here and {found!r} there")
    if score > SCORE_TOLERANCE or box_px > BOX_TOLERANCE_PX:
        raise BenchmarkError(f"scores differ by {score:.1e}, boxes by {box_px:.1e} pixels")
    return Difference(len(ours), score, box_px)


def passify_run(source: Path, out: Path, *options: str) -> list[str]:
    command = [sys.executable, "-m", "pass_dataset.passify", "run", str(source)]
    return [*command, "--out", str(out), *options]


def run_with_a_task_cancelled(source: Path, out: Path, arrays: int, *options: str) -> None:
    """Cancels the last task of the last array when it has done something, and runs again."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(passify_run(source, out, *options), stdout=said, stderr=said)
        while len(submissions := load_submissions(out)) < arrays:
            require_running(process, "it was submitted")
            time.sleep(0.1)
        submission = submissions[-1]
        last = len(submission.tasks) - 1
        shards = set(submission.tasks[last])
        wait_for_some(process, out, shards)
        subprocess.run(["scancel", f"{submission.job_id}_{last}"], check=True)
        if process.wait() == 0:
            raise BenchmarkError("the cancelled task was done already; take more images")
    left = shards - RunFolder(out).done()
    print(
        f"cancelled task {last} ({submission.stage}) with {len(left)} of its {len(shards)} shards "
        "to do",
        flush=True,
    )
    measure(passify_run(source, out, *options))


def run_killed(source: Path, out: Path, *options: str) -> None:
    """Kills the command and its workers, by SIGKILL, when they have done something; runs again."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            passify_run(source, out, *options), stdout=said, stderr=said, start_new_session=True
        )
        wait_for_some(process, out)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    folder = RunFolder(out)
    left = Results(folder).missing_shards
    print(f"killed with {left} of {left + len(folder.done())} shards to do", flush=True)
    measure(passify_run(source, out, *options))


def wait_for_some(
    process: subprocess.Popen[bytes], out: Path, shards: set[int] | None = None
) -> None:
    """Waits until a run has done one of these shards, or any."""
    while not (done := RunFolder(out).done()) or (shards is not None and not shards & done):
        require_running(process, "it was done with a shard")
        time.sleep(0.1)


def require_running(process: subprocess.Popen[bytes], what: str) -> None:
    if process.poll() is not None:
        raise BenchmarkError(f"passify run ended before {what}: exit status {process.returncode}")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="compare_executors.py", description=(__doc__ or "").partition("\n\n")[0]
    )
    parser.add_argument("photographs", type=Path, help="folder of images to cut a collection from")
    parser.add_argument("--images", type=int, default=5000, help="default: 5000")
    parser.add_argument("--size", metavar="WxH", help="size of all images (default: they vary)")
    parser.add_argument("--work", type=Path, help="folder to work in (default: a temporary one)")
    parser.add_argument(
        "--executors",
        nargs="+",
        choices=EXECUTORS,
        default=EXECUTORS,
        help="which to compare with this machine (default: all)",
    )
    parser.add_argument("--start-slurm", action="store_true", help="start a SLURM on this machine")
    parser.add_argument(
        "--partitions",
        nargs=2,
        metavar=("FACES", "PEOPLE"),
        help="SLURM's partitions for faces and for people (default: one array for all that is "
        "looked for, in the default partition)",
    )
    parser.add_argument("--tasks", type=int, default=2, help="tasks and actors (default: 2)")
    options, further = parser.parse_known_args(argv)
    if "--detectors" not in further:
        further = ["--detectors", "face", *further]
    try:
        with contextlib.ExitStack() as stack:
            if options.start_slurm:
                sys.path.insert(0, str(Path(__file__).parent.parent.parent))
                from tests.support.slurm import start_cluster

                os.environ.update(stack.enter_context(start_cluster()).environment)
            work = options.work or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            run_all(options, further, work)
    except BenchmarkError as error:
        print(f"compare_executors.py: {error}", file=sys.stderr)
        return 1
    return 0


def run_all(options: argparse.Namespace, further: list[str], work: Path) -> None:
    print(machine_line())
    photos = work / "photos"
    maker = Path(__file__).parent / "make_collection.py"
    size = ["--size", options.size] if options.size else []
    images = ["--images", str(options.images)]
    measure([sys.executable, maker, options.photographs, photos, *images, *size])
    tasks = str(options.tasks)
    slurm = ["--executor", "slurm", "--slurm-cpus", "1", "--slurm-mem-gb", "4"]
    slurm += ["--slurm-time", "8:00:00", "--slurm-tasks", tasks]
    if options.partitions:
        faces, people = options.partitions
        slurm += ["--slurm-partition", faces, "--slurm-gpu-partition", people]
        slurm += ["--slurm-gpu-cpus", "1", "--slurm-gpu-mem-gb", "8"]
    ray = ["--executor", "ray", "--ray-address", "local", "--ray-workers", tasks]
    lines = [["executor", "seconds", "rows", "largest score difference", "largest box difference"]]
    seconds = measure(passify_run(photos, work / "local", *further)).seconds
    local = read_rows(work / "local")
    found = Counter(row["reason"] or "kept" for row in local)
    print("found:", ", ".join(f"{found[reason]} {reason}" for reason in sorted(found)), flush=True)
    lines.append(["local", f"{seconds:.1f}", f"{len(local):,}", "", ""])
    for name in options.executors:
        out = work / name
        started = time.perf_counter()
        if name == "cancelled":
            arrays = 2 if options.partitions else 1
            run_with_a_task_cancelled(photos, out, arrays, *further, *slurm)
        elif name == "killed":
            run_killed(photos, out, *further)
        else:
            measure(passify_run(photos, out, *further, *(ray if name == "ray" else slurm)))
        seconds = time.perf_counter() - started
        apart = compare(local, read_rows(out))
        lines.append(
            [name, f"{seconds:.1f}", f"{apart.rows:,}", f"{apart.score:.1e}",
             f"{apart.box_px:.1e} px"]
        )  # fmt: skip
    print(format_table(lines))


if __name__ == "__main__":
    sys.exit(main())
