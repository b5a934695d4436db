from __future__ import annotations

from dataclasses import replace

from pass_dataset.passify.executors.slurm.settings import PEOPLE, SlurmSettings
from pass_dataset.passify.executors.slurm.stages import Array, arrays_to_submit, execution_on
from pass_dataset.passify.runs.outcomes import TARGETS, Thresholds
from pass_dataset.passify.steps.execution import Execution
from pass_dataset.passify.steps.job import ShardJob

HERE = SlurmSettings(max_tasks=3)
APART = replace(HERE, people=PEOPLE)
JOBS = [ShardJob(shard) for shard in range(7)]


def stages(arrays: list[Array]) -> list[tuple[str, list[list[int]], bool]]:
    return [
        (array.stage, [[job.shard for job in task] for task in array.tasks], array.follows)
        for array in arrays
    ]


def test_one_array_does_all() -> None:
    arrays = arrays_to_submit(JOBS, TARGETS, (), HERE, 1001)
    assert stages(arrays) == [("all", [[0, 1], [2, 3], [4, 5, 6]], False)]
    assert {job.targets for task in arrays[0].tasks for job in task} == {TARGETS}


def test_people_follow_faces() -> None:
    faces, people = arrays_to_submit(JOBS, TARGETS, (), APART, 1001)
    split = [[0, 1], [2, 3], [4, 5, 6]]
    assert stages([faces, people]) == [("face", split, False), ("person", split, True)]
    assert faces.resources == APART.resources
    assert people.resources == PEOPLE
    assert {job.targets for task in faces.tasks for job in task} == {("face",)}
    assert {job.targets for task in people.tasks for job in task} == {("person",)}


def test_staged_shards_need_people_only() -> None:
    arrays = arrays_to_submit(JOBS[:3], TARGETS, {1, 2}, APART, 1001)
    assert stages(arrays) == [
        ("face", [[0]], False),
        ("person", [[0]], True),
        ("person", [[1], [2]], False),
    ]
    assert stages(arrays_to_submit(JOBS[:2], TARGETS, {0, 1}, APART, 1001)) == [
        ("person", [[0], [1]], False)
    ]


def test_faces_alone_need_no_gpu_partition() -> None:
    (array,) = arrays_to_submit(JOBS, ("face",), (), APART, 1001)
    assert (array.stage, array.resources) == ("all", APART.resources)
    (array,) = arrays_to_submit(JOBS, ("person",), (), APART, 1001)
    assert (array.stage, array.resources) == ("all", PEOPLE)


def test_images_once_more_are_done_in_one_stage() -> None:
    jobs = [
        ShardJob(0, retry_failed=True),
        ShardJob(1, thresholds=Thresholds(face=0.7)),
    ]
    arrays = arrays_to_submit(jobs, TARGETS, (), APART, 1001)
    assert stages(arrays) == [("retry", [[0]], False), ("fill", [[1]], False)]
    assert {array.resources for array in arrays} == {PEOPLE}


def test_arrays_are_as_large_as_slurm_takes() -> None:
    jobs = [ShardJob(shard) for shard in range(5000)]
    (array,) = arrays_to_submit(jobs, TARGETS, (), SlurmSettings(max_tasks=2000), 1001)
    assert len(array.tasks) == 1001
    (array,) = arrays_to_submit(jobs, TARGETS, (), SlurmSettings(max_parallel_tasks=50), 1001)
    assert len(array.tasks) == 200
    assert sum(map(len, array.tasks)) == 5000
    assert arrays_to_submit([], TARGETS, (), APART, 1001) == []


def test_tasks_use_what_they_asked_for() -> None:
    execution = Execution(device="cuda")
    on_cpu = execution_on(HERE.resources, execution)
    assert (on_cpu.cores, on_cpu.device) == (2, "cpu")
    on_gpu = execution_on(PEOPLE, execution)
    assert (on_gpu.cores, on_gpu.device) == (5, "cuda")
