from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from pass_dataset.executors.slurm.settings import GPU_TASK, SlurmSettings
from pass_dataset.executors.slurm.stages import Array, arrays_to_submit, work_on
from pass_dataset.executors.work import Stage
from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.runs.outcomes import TARGETS, Thresholds
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.steps.execution import STAGES, Execution
from pass_dataset.passify.steps.job import FilterJob

HERE = SlurmSettings(max_tasks=3)
APART = replace(HERE, gpu=GPU_TASK)
JOBS = [FilterJob(shard) for shard in range(7)]


class Folder(RunFolder):
    """A run that looks for these targets, of which some shards wait for people."""

    def __init__(
        self, path: str, targets: tuple[Target, ...] = TARGETS, staged: Collection[int] = ()
    ):
        super().__init__(path)
        self.targets, self.staged = targets, set(staged)

    def done(self, stage: str | None = None) -> set[int]:
        return self.staged if stage == "face" else set()


class Finding(Execution):
    def stages(self, folder: Any) -> tuple[Stage, ...]:
        return tuple(STAGES[target] for target in folder.targets)


def arrays_of(
    jobs: list[FilterJob],
    targets: tuple[Target, ...],
    staged: Collection[int],
    settings: SlurmSettings,
    most: int,
) -> list[Array]:
    return arrays_to_submit(jobs, Finding(), Folder("run", targets, staged), settings, most)


def stages(arrays: list[Array]) -> list[tuple[str, list[list[int]], bool]]:
    return [
        (array.stage, [[job.shard for job in task] for task in array.tasks], array.follows)
        for array in arrays
    ]


def test_one_array_does_all() -> None:
    arrays = arrays_of(JOBS, TARGETS, (), HERE, 1001)
    assert stages(arrays) == [("all", [[0, 1], [2, 3], [4, 5, 6]], False)]
    assert {job.targets for task in arrays[0].tasks for job in task} == {TARGETS}


def test_people_follow_faces() -> None:
    faces, people = arrays_of(JOBS, TARGETS, (), APART, 1001)
    split = [[0, 1], [2, 3], [4, 5, 6]]
    assert stages([faces, people]) == [("face", split, False), ("person", split, True)]
    assert faces.resources == APART.resources
    assert people.resources == GPU_TASK
    assert {job.targets for task in faces.tasks for job in task} == {("face",)}
    assert {job.targets for task in people.tasks for job in task} == {("person",)}


def test_staged_shards_need_people_only() -> None:
    arrays = arrays_of(JOBS[:3], TARGETS, {1, 2}, APART, 1001)
    assert stages(arrays) == [
        ("face", [[0]], False),
        ("person", [[0]], True),
        ("person", [[1], [2]], False),
    ]
    assert stages(arrays_of(JOBS[:2], TARGETS, {0, 1}, APART, 1001)) == [
        ("person", [[0], [1]], False)
    ]


def test_faces_alone_need_no_gpu_partition() -> None:
    (array,) = arrays_of(JOBS, ("face",), (), APART, 1001)
    assert (array.stage, array.resources) == ("all", APART.resources)
    (array,) = arrays_of(JOBS, ("person",), (), APART, 1001)
    assert (array.stage, array.resources) == ("all", GPU_TASK)


def test_images_once_more_are_done_in_one_stage() -> None:
    jobs = [
        FilterJob(0, retry_failed=True),
        FilterJob(1, thresholds=Thresholds(face=0.7)),
    ]
    arrays = arrays_of(jobs, TARGETS, (), APART, 1001)
    assert stages(arrays) == [("retry", [[0]], False), ("fill", [[1]], False)]
    assert {array.resources for array in arrays} == {GPU_TASK}


def test_arrays_are_as_large_as_slurm_takes() -> None:
    jobs = [FilterJob(shard) for shard in range(5000)]
    (array,) = arrays_of(jobs, TARGETS, (), SlurmSettings(max_tasks=2000), 1001)
    assert len(array.tasks) == 1001
    (array,) = arrays_of(jobs, TARGETS, (), SlurmSettings(max_parallel_tasks=50), 1001)
    assert len(array.tasks) == 200
    assert sum(map(len, array.tasks)) == 5000
    assert arrays_of([], TARGETS, (), APART, 1001) == []


def test_tasks_use_what_they_asked_for() -> None:
    execution = Execution(device="cuda")
    on_cpu = work_on(HERE.resources, execution)
    assert (on_cpu.cores, on_cpu.device) == (2, "cpu")
    on_gpu = work_on(GPU_TASK, execution)
    assert (on_gpu.cores, on_gpu.device) == (5, "cuda")
