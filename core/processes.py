"""Telling whether a process that was started earlier is still the one that runs now."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel, ConfigDict


class ProcessIdentity(BaseModel):
    """A process id and its start, which together are never used twice on one machine.

    `started` is `BOOT_ID:CLOCK_TICKS` on Linux, where neither a clock that is set nor a restart
    of the machine can make two processes look alike; elsewhere the creation time in seconds.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    started: str

    def is_alive(self) -> bool:
        """True while exactly this process runs (a zombie does not run)."""
        return _start_of(self.pid) == self.started


def this_process() -> ProcessIdentity:
    """The identity of the calling process."""
    return process_of(os.getpid())


def process_of(pid: int) -> ProcessIdentity:
    """The identity of the process that has an id now; one that never runs where none has it."""
    return ProcessIdentity(pid=pid, started=_start_of(pid) or "")


def this_boot() -> str:
    """Tells one start of the machine from the next; empty where that cannot be known."""
    return _boot_id()


def boot_of(process: ProcessIdentity) -> str:
    """The start of the machine in which a process began; empty where that cannot be known."""
    return process.started.rpartition(":")[0]


def _start_of(pid: int) -> str | None:
    if Path("/proc/self/stat").exists():
        return _start_on_linux(pid)
    try:
        process = psutil.Process(pid)
        running = process.status() != psutil.STATUS_ZOMBIE
        return f"{process.create_time():.2f}" if running else None
    except psutil.Error:
        return None


def _start_on_linux(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The command's name stands in parentheses and may itself hold spaces and parentheses.
    fields = stat.rpartition(")")[2].split()
    state, start_ticks = fields[0], fields[19]
    return None if state in "ZX" else f"{_boot_id()}:{start_ticks}"


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def detached() -> dict[str, Any]:
    """Arguments of `subprocess.Popen` for a child that outlives its parent and its terminal."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    return {"start_new_session": True}


def lower_priority() -> None:
    """Give way to other processes, so that the dashboard stays quick while a run trains."""
    if sys.platform == "win32":
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        os.nice(10)


def peak_memory() -> int:
    """Most bytes of memory that this process has held so far."""
    memory = psutil.Process().memory_info()
    if sys.platform == "win32":
        return int(memory.peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return max(int(memory.rss), peak if sys.platform == "darwin" else peak * 1024)


def killed_for_memory() -> int:
    """How many processes the system has killed for want of memory; 0 where it does not tell."""
    counts = []
    for path, word in _KILLS:
        try:
            lines = Path(path).read_text().splitlines()
        except OSError:
            continue
        counts += [int(line.split()[1]) for line in lines if line.split()[0] == word]
    return sum(counts)


_KILLS = (("/proc/vmstat", "oom_kill"), ("/sys/fs/cgroup/memory.events", "oom_kill"))
