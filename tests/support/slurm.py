"""A SLURM cluster of one node, started for tests: real daemons, with folder and ports of their own.

Nothing of the system's own SLURM is touched, and nothing survives: the daemons are children of the
test process and die with it, however it ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MAX_ARRAY_SIZE", "Cluster", "missing", "start_cluster"]

#: Small, so that tests meet the limit that real clusters have at 1001 or more.
MAX_ARRAY_SIZE = 21

_DAEMONS = ("munged", "slurmctld", "slurmd")
_COMMANDS = ("sbatch", "squeue", "scancel", "scontrol", "srun")

# proctrack/linuxproc and task/none need neither cgroups nor systemd, which containers lack.
# OverMemoryKill is how SLURM ends a task over its memory without cgroups.
# The node passes for larger than it is (config_overrides): what is asked for as published must fit.
# The partition `urgent` takes the node from the other two, whose jobs are then requeued.
_CONF = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={slurmctld_port}
SlurmdPort={slurmd_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=1000
GresTypes=gpu
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=30
MaxArraySize={max_array_size}
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=64000 Gres=gpu:1 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=1-0 PriorityTier=1
PartitionName=gpu Nodes={host} MaxTime=1-0 PriorityTier=1
PartitionName=urgent Nodes={host} MaxTime=1-0 PriorityTier=2
"""


class ClusterError(Exception):
    """The cluster did not start; the message has the end of the daemons' logs."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster.

    Attributes:
      folder: its configuration, state and logs.
      environment: what a process needs to talk to it, besides its own environment.
    """

    folder: Path
    environment: Mapping[str, str]

    def ask(self, *command: str) -> str:
        """What a SLURM command prints."""
        done = subprocess.run(
            command,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode:
            raise ClusterError(f"{command}: {done.stderr.strip()}")
        return done.stdout

    def cancel_all(self, timeout_s: float = 300) -> None:
        """Cancels every job and waits until none is left."""
        with contextlib.suppress(ClusterError):  # a job that ended meanwhile
            self.ask("scancel", "--user", str(os.getuid()))
        deadline = time.monotonic() + timeout_s
        while self.ask("squeue", "--noheader"):
            if time.monotonic() > deadline:
                raise ClusterError(f"jobs are still there:\n{self.ask('squeue')}")
            time.sleep(0.1)

    def logs(self) -> str:
        """The end of each daemon's log."""
        parts = []
        for path in sorted(self.folder.glob("*.log")):
            end = path.read_text(errors="replace").splitlines()[-15:]
            parts.append(f"--- {path.name}\n" + "\n".join(end))
        return "\n".join(parts)


def missing() -> str | None:
    """Why no cluster can be started here, and what would help; None if one can."""
    absent = [name for name in _DAEMONS + _COMMANDS if _which(name) is None]
    if absent:
        return f"needs {', '.join(absent)}: apt-get install slurm-wlm munge"
    if os.getuid() != 0:
        return "a SLURM node runs jobs as their owners, which needs root"
    return None


@contextlib.contextmanager
def start_cluster() -> Iterator[Cluster]:
    """Starts a cluster with the partitions `cpu`, `gpu` and `urgent`; stops it at the end."""
    # Not in pytest's folders: a socket's path has at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        _configure(folder)
        cluster = Cluster(folder, {"SLURM_CONF": str(folder / "slurm.conf")})
        daemons.append(_start_munge(cluster))
        _wait(cluster, daemons, lambda: (folder / "munge.socket").exists())
        daemons.append(_start(cluster, "slurmctld", "-D", "-i"))
        daemons.append(_start(cluster, "slurmd", "-D"))
        _wait(cluster, daemons, lambda: "idle" in cluster.ask("sinfo", "--noheader", "-o", "%T"))
        try:
            yield cluster
        finally:
            cluster.cancel_all()
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in reversed(daemons):
            try:
                daemon.wait(timeout=10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _configure(folder: Path) -> None:
    (folder / "state").mkdir()
    (folder / "spool").mkdir()
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(1024))
    slurmctld_port, slurmd_port = _free_ports(2)
    (folder / "slurm.conf").write_text(
        _CONF.format(
            folder=folder,
            host=socket.gethostname().partition(".")[0],
            user=pwd.getpwuid(os.getuid()).pw_name,
            slurmctld_port=slurmctld_port,
            slurmd_port=slurmd_port,
            max_array_size=MAX_ARRAY_SIZE,
        )
    )
    (folder / "cgroup.conf").write_text(f"CgroupPlugin={_cgroup_plugin()}\n")
    # A device file that is always there stands for the GPU: SLURM only counts it.
    (folder / "gres.conf").write_text("Name=gpu File=/dev/null\n")


def _cgroup_plugin() -> str:
    """What keeps slurmd from looking for cgroups, which a container may not have or not let write.

    Since 23.11 they can be switched off. Before, version 1 is touched only when it is needed.
    """
    done = subprocess.run(
        [_which("slurmd") or "slurmd", "-V"], capture_output=True, text=True, check=True
    )
    year, month = done.stdout.split()[-1].split(".")[:2]
    return "disabled" if (int(year), int(month)) >= (23, 11) else "cgroup/v1"


def _start_munge(cluster: Cluster) -> subprocess.Popen[bytes]:
    folder = cluster.folder
    return _start(
        cluster,
        "munged",
        "--foreground",
        # It does not like the temporary folder, which anyone may write to.
        "--force",
        f"--socket={folder}/munge.socket",
        f"--key-file={folder}/munge.key",
        f"--pid-file={folder}/munged.pid",
        f"--seed-file={folder}/munged.seed",
        f"--log-file={folder}/munged.own.log",
    )


def _start(cluster: Cluster, name: str, *arguments: str) -> subprocess.Popen[bytes]:
    with (cluster.folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [_which(name) or name, *arguments],
            env={**os.environ, **cluster.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=_die_with_parent,
        )


_LIBC = ctypes.CDLL(None)


def _die_with_parent() -> None:
    # What a terminal sends to the tests is not meant for the daemons.
    os.setpgid(0, 0)
    pr_set_pdeathsig = 1  # linux/prctl.h
    _LIBC.prctl(pr_set_pdeathsig, signal.SIGKILL)


def _wait(
    cluster: Cluster,
    daemons: Sequence[subprocess.Popen[bytes]],
    ready: Callable[[], bool],
    timeout_s: float = 300,
) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if any(daemon.poll() is not None for daemon in daemons):
            break
        with contextlib.suppress(ClusterError):
            if ready():
                return
        time.sleep(0.1)
    raise ClusterError(f"SLURM did not start within {timeout_s} s\n{cluster.logs()}")


def _which(name: str) -> str | None:
    # Debian has daemons in /usr/sbin, which not every PATH has.
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
