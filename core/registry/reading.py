"""Reading the runs of a workspace, each anew only where one of its files was replaced since."""

import os
from pathlib import Path

from core.errors import DamagedFile
from core.registry.ids import in_order
from core.registry.run import DamagedRun, Run
from core.registry.run_files import Version, versions

_Read = tuple[tuple[Version, Version, Version], Run]
"""A run as it stood in one version of its files: most runs never change again."""
_read_before: dict[str, dict[str, _Read]] = {}
"""What this process read, by the folder of runs and the id."""


def run_ids(runs: Path) -> set[str]:
    """The ids of the runs in a folder, which need not be there."""
    try:
        with os.scandir(runs) as entries:
            return {
                entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")
            }
    except FileNotFoundError:
        return set()


def read_runs(runs: Path) -> list[Run | DamagedRun]:
    """Every run in a folder, newest first."""
    ids, folder = in_order(run_ids(runs)), str(runs)
    before = _read_before.setdefault(folder, {})
    found = [_read(folder, run_id, before) for run_id in ids]
    if len(before) > len(ids):
        _read_before[folder] = {run_id: before[run_id] for run_id in ids if run_id in before}
    # One that was deleted since the folder was listed is no damaged run.
    return [run for run in found if isinstance(run, Run) or run.path.is_dir()]


def read_run(runs: Path, run_id: str) -> Run | DamagedRun:
    """The run of an id in a folder."""
    return _read(str(runs), run_id, _read_before.setdefault(str(runs), {}))


def _read(runs: str, run_id: str, before: dict[str, _Read]) -> Run | DamagedRun:
    # Paths are text: to take thousands apart would take longer than to look at the files.
    folder = f"{runs}/{run_id}"
    now = versions(folder)
    known = before.get(run_id)
    if known is not None and known[0] == now:
        return known[1].as_it_is_now()
    try:
        run = Run.read(Path(folder))
    except DamagedFile as error:
        return DamagedRun(run_id, Path(folder), str(error))
    before[run_id] = now, run
    return run
