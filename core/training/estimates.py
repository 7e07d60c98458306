"""What a training will take of time, memory and disk, before it begins, and how far off that was.

The figures come from a dry run, `python -m core.training.dry_run`: a few timed batches in a
process of its own. What it found is kept in the workspace, and holds for all configurations that
differ only in what costs nothing, such as the number of epochs or the learning rate.
"""

import contextlib
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import Any

from filelock import AcquireReturnProxy, FileLock, Timeout
from pydantic import ValidationError

from core import errors
from core.errors import InvalidConfig, WorkFailed
from core.files import write_json
from core.jobs import Tell, silently
from core.preferences import load_preferences
from core.registry.config import Phase, RunConfig
from core.registry.run import Run
from core.training.costs import DryRun, Estimate, PhaseCosts, PhaseEstimate, this_machine
from core.training.feature_cache import FeatureCache
from core.training.memory_needs import blocked, out_of_memory
from core.workspace import PROJECT, Workspace

PATIENCE = 600.0
"""Seconds that a dry run may take; a small network needs 10, a large one on a slow machine 100."""

TELL_SECONDS = 0.2
"""How often it is told that a dry run goes on."""

_COSTS_NOTHING: Any = {
    **dict.fromkeys(("recipe", "epochs", "steps_per_epoch", "validation_steps"), True),
    **dict.fromkeys(("learning_rate", "schedule", "warmup_epochs", "decay"), True),
    **dict.fromkeys(("early_stopping", "best_by", "keep_weights", "test_every"), True),
    "second_phase": {"epochs", "learning_rate"},
}
"""Settings that change neither what a step nor what an image costs."""


def estimate(
    config: RunConfig,
    workspace: Workspace,
    *,
    timeout: float = PATIENCE,
    tell: Tell = silently,
) -> Estimate:
    """Try a configuration out for some seconds; nothing is downloaded, and no run begins.

    tell: told what is waited for; where it raises Cancelled, the dry run ends. Raises
    InvalidConfig where training could only fail, WorkFailed where the dry run ended without an
    answer or took longer than `timeout` seconds.
    """
    reason = blocked(config)
    if reason is not None:
        raise InvalidConfig(reason)
    workspace.estimates.mkdir(parents=True, exist_ok=True)
    with _alone(workspace, tell):
        found = _dry_run(config, workspace, timeout, tell)
    write_json(_file(config, workspace), found.model_dump(mode="json"))
    return _estimate(config, workspace, found)


def find(config: RunConfig, workspace: Workspace) -> Estimate | None:
    """The estimate that an earlier dry run on this machine allows, as things stand now."""
    try:
        found = DryRun.model_validate_json(_file(config, workspace).read_bytes())
    except (OSError, ValidationError, ValueError):
        return None
    since = found.created.timestamp()
    outdated = any(_changed(Path(path)) > since for path in found.waits_for)
    return None if outdated else _estimate(config, workspace, found)


def keep(estimate: Estimate, run: Run) -> None:
    """Write down with a run what it was expected to take."""
    write_json(run.folder.estimate, estimate.model_dump(mode="json"))


def kept(run: Run) -> Estimate | None:
    """What a run was expected to take, if anything was when it was launched."""
    try:
        return Estimate.model_validate_json(run.folder.estimate.read_bytes())
    except (OSError, ValidationError, ValueError):
        return None


def _alone(workspace: Workspace, tell: Tell) -> AcquireReturnProxy[FileLock]:
    """Wait for other dry runs to end, as two at once would slow each other; holds their lock."""
    lock = FileLock(workspace.estimates / "dry-run.lock")
    while True:
        try:
            return lock.acquire(timeout=TELL_SECONDS)
        except Timeout:
            tell(0.0, "waiting for another estimate")


def _dry_run(config: RunConfig, workspace: Workspace, timeout: float, tell: Tell) -> DryRun:
    process = subprocess.Popen(
        [sys.executable, "-m", "core.training.dry_run", str(workspace.root)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            said, complained = _see_through(process, config, timeout, tell)
        finally:
            process.kill()  # which does nothing where it has ended
    if said:
        answer = json.loads(said)
        if "error" in answer:
            raise getattr(errors, answer["error"])(answer["sentence"])
        return DryRun.model_validate_json(said)
    if process.returncode in _KILLED:
        raise out_of_memory(config)
    last = complained.decode(errors="replace").strip().rpartition("\n")[2]
    raise WorkFailed(
        f"the dry run ended with status {process.returncode}: {last or 'it said nothing'}"
    )


def _see_through(
    process: "subprocess.Popen[bytes]", config: RunConfig, timeout: float, tell: Tell
) -> tuple[bytes, bytes]:
    """What a dry run wrote to both its outputs until it ended."""
    deadline = monotonic() + timeout
    asked: bytes | None = config.model_dump_json().encode()
    while monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(asked, timeout=min(TELL_SECONDS, timeout))
        asked = None  # it is being sent
        tell(0.0, "training a few batches")
    raise WorkFailed(
        f"the dry run was not done after {timeout:g} seconds; a smaller batch_size or "
        "network.side makes it quicker, and a run can be launched without it"
    )


_KILLED = (-9, 137)
"""How Linux ends what takes the last of the memory."""


def _file(config: RunConfig, workspace: Workspace) -> Path:
    settings = config.model_dump(mode="json", exclude=_COSTS_NOTHING)
    if config.data.validation in ("test", "own") and not config.augmentation.active:
        del settings["seed"]  # else it decides which images there are
    content = {
        "settings": settings,
        "phases": len(config.phases),
        "machine": this_machine().model_dump(),
        "cache_limit": load_preferences(workspace).cache_limit,
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return workspace.estimates / f"{digest[:32]}.json"


def _changed(path: Path) -> float:
    """When a file or folder last changed, in seconds since 1970; 0 where there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _estimate(config: RunConfig, workspace: Workspace, found: DryRun) -> Estimate:
    cache = FeatureCache(workspace.features, load_preferences(workspace).cache_limit)
    phases = tuple(
        _estimate_phase(config, phase, found, costs, cache)
        for phase, costs in zip(config.phases, found.phases, strict=True)
    )
    reads_pictures = any(phase.features_seconds or not phase.kept_bytes for phase in phases)
    pictures = found.mapped if reads_pictures else 0
    return Estimate(
        **found.model_dump(exclude={"phases", "mapped", "waits_for", "machine"}),
        machine=found.machine,
        mapped=pictures + max(phase.kept_bytes for phase in phases),
        phases=phases,
    )


def _estimate_phase(
    config: RunConfig, phase: Phase, found: DryRun, costs: PhaseCosts, cache: FeatureCache
) -> PhaseEstimate:
    steps = config.steps_per_epoch or -(-found.train_images // phase.batch_size)
    validated = found.validation_images
    if config.validation_steps is not None:
        validated = min(validated, config.validation_steps * phase.batch_size)
    evaluated = round(found.test_images * _tested(config)) + validated
    lacking = [part.seconds for part in costs.features if cache.find(part.key) is None]
    return PhaseEstimate(
        epochs=phase.epochs,
        batch_size=phase.batch_size,
        steps=steps,
        evaluated=evaluated,
        seconds=steps * costs.step + evaluated * costs.evaluation,
        features_seconds=sum(lacking, 0.0),
        **costs.model_dump(exclude={"step", "evaluation", "features"}),
    )


def _tested(config: RunConfig) -> float:
    """The share of epochs after which the test images are looked at."""
    if config.data.validation == "test":
        return 1.0
    return 1 / config.test_every if config.test_every else 0.0
