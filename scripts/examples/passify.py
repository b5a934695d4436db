"""PASSify as it was published, over this package: three steps and two job arrays.

    python scripts/examples/passify.py 0 /path/to/dataset    # 0_all_files.txt, and the job arrays
    sbatch face/sbatch_face.sh
    python scripts/examples/passify.py 1                     # 1_no_faces.txt
    sbatch person/sbatch_person.sh
    python scripts/examples/passify.py 2                     # 2_no_faces__no_person.txt

All is written into the folder that you are in; what is found goes into `passify_run`, the folder of
a run, which `passify status`, `passify summary` and `passify report` read. Each step may be done
again, and so may each job: what is done is not done twice. Step 0 takes the options of
`passify plan` too. `passify run DIR --out RUN --executor slurm` does all five at once.

Adapt the partitions to your cluster: by the options of step 0, or `sbatch --partition=NAME …`.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.commands.command_line import run_command
from pass_dataset.commands.passify import main as cli
from pass_dataset.errors import RunError
from pass_dataset.executors.slurm.settings import (
    CPU_TASK,
    GPU_TASK,
    SlurmResources,
    SlurmSettings,
    format_time,
)
from pass_dataset.executors.slurm.submissions import require_log_folder
from pass_dataset.executors.tasks import split_shards
from pass_dataset.files.whole import write_whole, writing_whole
from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.outputs.lists import listed_paths, write_lists
from pass_dataset.passify.runs.plan import Plan
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.runs.verdicts import VERDICT_COLUMNS, judge

ALL_FILES, NO_FACES, KEPT = "0_all_files.txt", "1_no_faces.txt", "2_no_faces__no_person.txt"
RUN = Path("passify_run")

#: As published: images of a task.
IMAGES_PER_TASK = 80_000
#: Tasks that run at a time, as published too ("being nice").
PARALLEL_TASKS = SlurmSettings.max_parallel_tasks

FACE_ONLY: tuple[Target, ...] = ("face",)

NOTE = (
    "Note that these results come from automatic detectors. They miss people, and they work "
    "better for some groups of people than for others. Check by eye before you rely on them."
)


@dataclass(frozen=True)
class Array:
    """A job array.

    Attributes:
      stage: face or person; also the folder and the name of its script.
      header: options of sbatch.
      device: where its detector runs; None: a GPU where there is one.
    """

    stage: Target
    header: tuple[str, ...]
    device: str | None

    @property
    def script(self) -> Path:
        return Path(self.stage) / f"sbatch_{self.stage}.sh"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="passify.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("step", type=int, choices=(0, 1, 2))
    parser.add_argument("folder", metavar="DIR", nargs="?", help="images, for step 0")
    parser.add_argument("--cpu-partition", default="compute", metavar="NAME", help="for faces")
    parser.add_argument("--gpu-partition", default="gpu", metavar="NAME", help="for people")
    parser.add_argument("--face-weights", type=Path, metavar="FILE")
    parser.add_argument("--person-weights", type=Path, metavar="FILE")
    parser.add_argument("--images-per-task", type=int, default=IMAGES_PER_TASK, metavar="N")
    # What is not known here is for `passify plan`.
    options, further = parser.parse_known_args(argv)
    if options.step == 0 and options.folder is None:
        parser.error("step 0 needs the folder of the images")
    if options.images_per_task < 1:
        parser.error(f"--images-per-task: expected 1 or more, found {options.images_per_task}")
    if options.step and (options.folder or further):
        parser.error(f"step {options.step} takes neither a folder nor options")
    steps = (lambda: list_files(options, further), list_no_faces, list_kept)
    parser.set_defaults(run=lambda _: steps[options.step](), verbose=False)
    return run_command(parser, [str(options.step), *([options.folder] if options.folder else [])])


# --- step 0 ---------------------------------------------------------------------------------------


def list_files(options: argparse.Namespace, further: Sequence[str]) -> int:
    """Lists all images and writes the scripts of both job arrays."""
    require_log_folder(RUN.absolute())
    weights: list[str] = []
    for target in ("face", "person"):
        file = getattr(options, f"{target}_weights")
        weights += [] if file is None else [f"--{target}-weights", str(file.absolute())]
    code = cli.main(["plan", options.folder, "--out", str(RUN), *weights, *further])
    if code:
        return code
    folder, plan = opened_run()
    files = (item.path for shard in range(plan.num_shards) for item in plan.items(folder, shard))
    write_list(ALL_FILES, options.folder, files)
    log_folder(folder).mkdir(parents=True, exist_ok=True)
    # The folder as it was given, for the lists of the other steps.
    write_whole(source_file(folder), options.folder.encode(errors="surrogateescape"))
    shards_per_task = max(1, options.images_per_task // plan.shard_size)
    num_tasks = -(-plan.num_shards // shards_per_task)
    for array in arrays(options.cpu_partition, options.gpu_partition):
        array.script.parent.mkdir(exist_ok=True)
        write_whole(array.script, script_text(array, folder, num_tasks, weights).encode())
    print(f"found {plan.images} files\nnext: sbatch face/sbatch_face.sh")
    return 0


def arrays(cpu_partition: str, gpu_partition: str) -> tuple[Array, Array]:
    """Faces on CPUs and people on GPUs, with what the published scripts ask for."""
    return (
        Array("face", (f"--partition={cpu_partition}", *options_of(CPU_TASK)), "cpu"),
        Array("person", (f"--partition={gpu_partition}", *options_of(GPU_TASK)), None),
    )


def options_of(resources: SlurmResources) -> Iterator[str]:
    """Options of sbatch for what a task asks for."""
    if resources.gpus:
        yield f"--gres=gpu:{resources.gpus}"
    yield f"--cpus-per-task={resources.cpus}"
    yield f"--mem={resources.memory_gb}G"
    yield f"--time={format_time(resources.time_limit_min)}"


def script_text(array: Array, folder: RunFolder, num_tasks: int, weights: Sequence[str]) -> str:
    """The batch script of an array: each task does its part of the shards, by its number."""
    log = shlex.quote(f"{log_folder(folder)}/{array.stage}-%A_%a.log")
    header = [
        f"--job-name=PASSify-{array.stage}",
        f"--array=0-{num_tasks - 1}%{PARALLEL_TASKS}",
        *array.header,
        f"--output={log}",
        "--open-mode=append",
        "--requeue",
    ]
    command = [sys.executable, "-m", "pass_dataset.passify", "work", str(folder.path)]
    command += ["--stage", array.stage, "--tasks", str(num_tasks), *weights]
    command += [] if array.device is None else ["--device", array.device]
    directives = "\n".join(f"#SBATCH {option}" for option in header)
    return (
        f'#!/bin/bash\n{directives}\n\nexec {shlex.join(command)} --task "$SLURM_ARRAY_TASK_ID"\n'
    )


def log_folder(folder: RunFolder) -> Path:
    return folder.path / "slurm" / "logs"


def source_file(folder: RunFolder) -> Path:
    return folder.path / "slurm" / "source.txt"


# --- steps 1 and 2 --------------------------------------------------------------------------------


def list_no_faces() -> int:
    """Lists the sound images in which no face was found."""
    import pyarrow.parquet as pq

    folder, plan = opened_run()
    done = folder.done()
    require_all(folder, plan, done | folder.done("face"), "face")
    thresholds = folder.settings().thresholds

    def without_face() -> Iterable[str]:
        for shard in range(plan.num_shards):
            path = folder.results_path(shard) if shard in done else folder.partial_path(shard)
            table = pq.read_table(path, columns=["path", *VERDICT_COLUMNS])
            reasons = judge(table, thresholds, FACE_ONLY)
            yield from table["path"].filter(reasons.is_null()).to_pylist()

    left = write_list(NO_FACES, given_source(folder), without_face())
    print(
        f"left with {left} images that do not contain faces\nnext: sbatch person/sbatch_person.sh"
    )
    return 0


def list_kept() -> int:
    """Lists the images that are left, as `passify keep` does."""
    folder, plan = opened_run()
    require_all(folder, plan, folder.done(), "person")
    results = Results(folder)
    kept = listed_paths(results, results.settings.thresholds)
    left = write_list(KEPT, given_source(folder), kept)
    write_lists(results)
    print(
        f"left with {left} images that do not contain faces nor persons\n"
        f"final file of images left can be found in: {KEPT}\n"
        f"why each other image was dropped: passify summary {RUN}; passify dropped {RUN}\n{NOTE}"
    )
    return 0


def opened_run() -> tuple[RunFolder, Plan]:
    """The run of the folder that we are in."""
    folder = RunFolder(RUN)
    plan = Plan.load(folder)
    if plan is None:
        raise RunError(
            f"{folder.path}: no images are listed here. Go to the folder where step 0 was done, "
            "or do it: python passify.py 0 DIR"
        )
    return folder, plan


def given_source(folder: RunFolder) -> str:
    return source_file(folder).read_bytes().decode(errors="surrogateescape")


def require_all(folder: RunFolder, plan: Plan, through: set[int], stage: str) -> None:
    """Refuses to go on before all tasks of a stage have ended well; says which have not."""
    missing = set(range(plan.num_shards)) - through
    if not missing:
        return
    script = Path(stage) / f"sbatch_{stage}.sh"
    (line,) = [line for line in script.read_text().splitlines() if "--array=0-" in line]
    num_tasks = int(line.partition("=0-")[2].partition("%")[0]) + 1
    parts = split_shards(range(plan.num_shards), num_tasks)
    tasks = [str(number) for number, part in enumerate(parts) if missing & set(part)]
    lines = [
        f"{len(missing)} of {plan.num_shards} shards are not through {stage} detection. If squeue "
        f"has none of these tasks any more, submit them again:\n"
        f"  sbatch --array={','.join(tasks)} {script}",
        f"Logs: {log_folder(folder)}",
    ]
    failures = folder.failures()
    lines += [f"shard {shard}: {failures[shard]}" for shard in sorted(missing & failures.keys())]
    raise RunError("\n".join(lines))


def write_list(name: str, source: str, paths: Iterable[str]) -> int:
    """Writes a list of files, as `DIR/path`; returns how many they are."""
    count = 0
    with writing_whole(Path(name)) as file:
        for path in paths:
            file.write(f"{source.rstrip('/')}/{path}\n".encode(errors="surrogateescape"))
            count += 1
    return count


if __name__ == "__main__":
    sys.exit(main())
