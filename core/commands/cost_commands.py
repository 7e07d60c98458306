"""What trainings cost: `python -m core estimate`, and `cache` for what is kept to spare it."""

import re
from argparse import Namespace
from typing import Any

from core import caches
from core.commands.commands import Result
from core.errors import InvalidRequest
from core.preferences import change_preferences, load_preferences
from core.registry import preflight
from core.registry.recipes import find_recipe
from core.registry.runs import Runs
from core.registry.settings import change, parse_settings
from core.training import estimates, memory_needs
from core.workspace import Workspace


def estimate(workspace: Workspace, options: Namespace) -> Result:
    """How long a run would take and how much memory and disk, from a dry run of some seconds."""
    config = change(find_recipe(options.recipe).config, parse_settings(options.settings))
    config = preflight.settle(config, Runs(workspace))
    found = estimates.estimate(config, workspace)
    blocked = memory_needs.blocked(config, found)
    totals = {"recipe": config.recipe, "seconds": found.seconds, "blocked": blocked}
    if options.json:
        totals |= {"memory": found.memory, "cache_bytes": found.cache_bytes}
        return Result(totals | found.model_dump(mode="json"))
    totals |= {"memory": _gib(found.memory), "precision": found.precision}
    machine = {"cores": found.machine.cores, "memory": _gib(found.machine.memory)}
    phases = [
        {
            "phase": number,
            "epochs": phase.epochs,
            "steps": phase.steps,
            "seconds an epoch": phase.seconds,
            "seconds for features": phase.features_seconds,
            "cache": _gib(phase.cache_bytes),
            "not kept": phase.not_kept,
            "memory": _gib(phase.memory),
        }
        for number, phase in enumerate(found.phases, start=1)
    ]
    return Result(totals | {"machine": machine, "phases": phases})


def cache(workspace: Workspace, options: Namespace) -> Result:
    """What is kept of frozen layers' output and other things that can be computed anew.

    All of it is dropped if asked; the limit is that of frozen layers' output.
    """
    preferences = load_preferences(workspace)
    if options.limit is not None:
        preferences = change_preferences(workspace, cache_limit=_bytes(options.limit))
    every, size = caches.kept_by(workspace), int if options.json else _gib
    freed = [kept.clear() for kept in every.values()] if options.clear else []
    use = every["features"].use()
    content: dict[str, Any] = {"folder": str(workspace.features), "entries": use.entries}
    content |= {"size": size(use.size), "limit": size(preferences.cache_limit)}
    content["others"] = [
        {"kept": kept.title, "entries": kept.use().entries, "size": size(kept.use().size)}
        for name, kept in every.items()
        if name != "features"
    ]
    if options.clear:
        entries, freed_bytes = sum(use.entries for use in freed), sum(use.size for use in freed)
        content["freed"] = {"entries": entries, "size": size(freed_bytes)}
    return Result(content)


_UNITS = {
    **{"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12},
    **{"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40},
}


def _bytes(size: str) -> int:
    """The bytes of a size such as 30GiB, 500MB or 1000."""
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,15})?) ?([A-Za-z]*)", size.strip(), re.ASCII)
    if match is None or match[2].upper() not in _UNITS:
        raise InvalidRequest(
            f"--limit must be a size such as 30GiB, 500MB or a number of bytes, got {size!r}"
        )
    return round(float(match[1]) * _UNITS[match[2].upper()])


def _gib(size: int) -> str:
    return f"{size / 2**30:.3g} GiB"
