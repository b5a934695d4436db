"""Which job was to do which shards: a small file per job array in the folder of the shards.

A rerun reads them and asks SLURM, so that it does not submit again what is waiting or running.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pass_dataset.errors import RunError
from pass_dataset.files.whole import write_whole

__all__ = ["Submission", "load_submissions", "log_folder", "require_log_folder"]


@dataclass(frozen=True)
class Submission:
    """A job array.

    Attributes:
      job_id: SLURM's number for it.
      stage: what its tasks do with their shards; see `Stage`.
      tasks: the shards of each task; the position is the task's index in the array.
      partition: where it was sent; None: the cluster's default partition.
      submitted_at: local time, ISO 8601.
    """

    job_id: int
    stage: str
    tasks: tuple[tuple[int, ...], ...]
    partition: str | None
    submitted_at: str

    def save(self, run_folder: Path) -> None:
        """Puts it on record."""
        folder = _folder(run_folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / f"{self.job_id}.json", json.dumps(asdict(self)).encode())

    def log(self, run_folder: Path, index: int) -> Path:
        """Where a task's output goes."""
        name = f"{self.job_id}_{index}" if len(self.tasks) > 1 else str(self.job_id)
        return log_folder(run_folder) / f"{name}_0_log.out"

    def shard_tasks(self) -> Iterator[tuple[int, int]]:
        """Each shard with the index of its task."""
        for index, shards in enumerate(self.tasks):
            for shard in shards:
                yield shard, index


def log_folder(run_folder: Path) -> Path:
    """Where the output of all tasks goes."""
    return run_folder / "slurm" / "logs"


def require_log_folder(run_folder: Path) -> None:
    """Refuses a run whose logs SLURM would write elsewhere.

    Raises:
      RunError: the path has a sign that SLURM takes for something else.
    """
    if "%" in str(run_folder.absolute()) or "\n" in str(run_folder.absolute()):
        raise RunError(
            f"{run_folder}: SLURM writes no logs to a folder with '%' or a line break in its path; "
            "choose another"
        )


def _folder(run_folder: Path) -> Path:
    return run_folder / "slurm" / "jobs"


def load_submissions(run_folder: Path) -> list[Submission]:
    """All job arrays of a run, oldest first.

    Raises:
      RunError: a file is not what `Submission.save` writes.
    """
    submissions = []
    for path in _folder(run_folder).glob("*.json"):
        try:
            content = json.loads(path.read_text())
            content["tasks"] = tuple(tuple(map(int, shards)) for shards in content["tasks"])
            submissions.append(Submission(**content))
        except (ValueError, TypeError, KeyError) as error:
            raise RunError(
                f"{path}: expected the record of a job array, found something else ({error}). "
                "Remove the file; the job's shards are then done again if they are missing"
            ) from error
    return sorted(submissions, key=lambda submission: submission.job_id)
