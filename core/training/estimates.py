"""What a training will take of time, memory and disk, before it begins, and how far off that was.

The figures come from a dry run, `python -m core.training.dry_run`: a few timed batches in a
process of its own. What it found is kept in the workspace, and holds for all configurations that
differ only in what costs nothing, such as the number of epochs or the learning rate.
"""

import hashlib
import json
import math
import statistics
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import psutil
from filelock import FileLock
from pydantic import ValidationError

from core import errors
from core.data.rows import FORGET_BYTES
from core.errors import InvalidConfig, WorkFailed
from core.files import write_json
from core.network.architectures import ARCHITECTURES
from core.preferences import load_preferences
from core.registry.config import Phase, RunConfig
from core.registry.run import Run
from core.training.feature_cache import FeatureCache
from core.training.metrics import read_events
from core.validation import Frozen
from core.workspace import PROJECT, Workspace

NotKept = Literal["limit", "switched off", "endless variations"]
"""Why the output of frozen layers is not kept: it is more than the cache may hold, somebody wants
it so, or training images vary without end (that of the other images is kept even then)."""

PATIENCE = 600.0
"""Seconds that a dry run may take; a small network needs 10, a large one on a slow machine 100."""

_COSTS_NOTHING: Any = {
    **dict.fromkeys(("recipe", "epochs", "steps_per_epoch", "validation_steps"), True),
    **dict.fromkeys(("learning_rate", "schedule", "warmup_epochs", "decay"), True),
    **dict.fromkeys(("early_stopping", "best_by", "keep_weights", "test_every"), True),
    "second_phase": {"epochs", "learning_rate"},
}
"""Settings that change neither what a step nor what an image costs."""


class Machine(Frozen):
    """Where something was measured. memory: bytes of it."""

    cores: int
    memory: int


class FeatureCosts(Frozen):
    """The output of frozen layers over one split: its key in the cache, seconds to compute it."""

    key: dict[str, Any]
    seconds: float


class PhaseCosts(Frozen):
    """What a dry run found of one phase of training.

    step: seconds of a training step. evaluation: seconds per image. first: seconds that the first
    epoch takes longer, for compiling. cache_bytes: what keeping the output of the frozen layers
    takes, or would take where `not_kept` says why it is not kept. memory: most bytes held so far;
    batch_memory: bytes of those that a training step took.
    """

    step: float
    evaluation: float
    first: float
    features: tuple[FeatureCosts, ...]
    cache_bytes: int
    not_kept: NotKept | None
    memory: int
    batch_memory: int


class DryRun(Frozen):
    """What one dry run found.

    preparation: seconds until the network stands, pictures decoded included. mapped: bytes of
    pictures that stay on disk and are read from there. waits_for: files and folders that were
    lacking something; what was found no longer holds once one of them has changed.
    """

    created: datetime
    machine: Machine
    precision: str
    train_images: int
    validation_images: int
    test_images: int
    preparation: float
    mapped: int
    waits_for: tuple[str, ...]
    phases: tuple[PhaseCosts, ...]


class PhaseEstimate(Frozen):
    """What one phase will take.

    seconds: of an epoch of `steps` training steps, after which `evaluated` images are looked at.
    first: how much longer the first epoch takes. features_seconds: to run the frozen layers over
    all images once, 0 where that is done already or never. cache_bytes: what keeping their output
    takes, or would take where `not_kept` says why it is not kept. memory: most bytes held until
    the phase ends; batch_memory: bytes of those that a training step takes.
    """

    epochs: int
    batch_size: int
    steps: int
    evaluated: int
    seconds: float
    first: float
    features_seconds: float
    cache_bytes: int
    not_kept: NotKept | None
    memory: int
    batch_memory: int

    @property
    def all_seconds(self) -> float:
        """Seconds of all its epochs and of what comes before them."""
        return self.features_seconds + self.first + self.epochs * self.seconds

    @property
    def kept_bytes(self) -> int:
        """Bytes that its features do take in the cache."""
        return 0 if self.not_kept in ("limit", "switched off") else self.cache_bytes


class Estimate(Frozen):
    """What a run will take on one machine.

    preparation: seconds before the first phase. mapped: bytes of files that are read by mapping
    them into memory.
    """

    created: datetime
    machine: Machine
    precision: str
    train_images: int
    validation_images: int
    test_images: int
    preparation: float
    mapped: int
    phases: tuple[PhaseEstimate, ...]

    @property
    def seconds(self) -> float:
        """Seconds of the whole run, all epochs included; early stopping may spare some."""
        return self.preparation + sum(phase.all_seconds for phase in self.phases)

    @property
    def memory(self) -> int:
        """Most bytes of memory that the run cannot do without."""
        return max(phase.memory for phase in self.phases)

    @property
    def held(self) -> int:
        """Bytes of mapped files that are in memory at once, at most."""
        return min(self.mapped, FORGET_BYTES)

    @property
    def cache_bytes(self) -> int:
        """Bytes that the run leaves in the cache."""
        return sum(phase.kept_bytes for phase in self.phases)


@dataclass(frozen=True)
class Difference:
    """A figure as it was estimated and as it was measured."""

    estimated: float
    measured: float

    @property
    def off(self) -> float:
        """0.1 where it was a tenth more than estimated, -0.1 where it was a tenth less."""
        return self.measured / self.estimated - 1


@dataclass(frozen=True)
class Deviation:
    """How far an estimate was off.

    seconds: median seconds of an epoch, for each phase that had one. memory: most bytes held,
    what is mapped of files included.
    """

    seconds: tuple[Difference, ...]
    memory: Difference


def this_machine() -> Machine:
    """The machine this process runs on."""
    return Machine(cores=psutil.cpu_count() or 1, memory=psutil.virtual_memory().total)


def estimate(config: RunConfig, workspace: Workspace, *, timeout: float = PATIENCE) -> Estimate:
    """Try a configuration out for some seconds; nothing is downloaded, and no run begins.

    Raises InvalidConfig where training could only fail, WorkFailed where the dry run ended
    without an answer or took longer than `timeout` seconds.
    """
    reason = blocked(config)
    if reason is not None:
        raise InvalidConfig(reason)
    workspace.estimates.mkdir(parents=True, exist_ok=True)
    with FileLock(workspace.estimates / "dry-run.lock"):  # two at once would slow each other
        found = _dry_run(config, workspace, timeout)
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


def blocked(config: RunConfig, estimate: Estimate | None = None) -> str | None:
    """Why this machine has too little memory for a run, with the way out; None where it has enough.

    Without an estimate, the least that weights, gradients and one batch can take is what counts.
    """
    machine = estimate.machine if estimate else this_machine()
    for place, phase in enumerate(config.phases):
        if estimate:
            needed, of_batch = estimate.phases[place].memory, estimate.phases[place].batch_memory
        else:
            needed, of_batch = _least_memory(config, place)
        if needed > machine.memory:
            return _too_large(config, phase, needed, of_batch, machine.memory)
    return None


def deviation(estimate: Estimate, run: Run) -> Deviation:
    """Compare what a run was expected to take with what its complete epochs and memory took."""
    events, _ = read_events(run.folder.metrics)
    epochs = [event for event in events if event["event"] == "epoch" and event["complete"]]
    seconds = []
    for number, phase in enumerate(estimate.phases, start=1):
        taken = [epoch["seconds"] for epoch in epochs if _phase_of(epoch, run.config) == number]
        if taken:
            expected = [phase.seconds + phase.first] + [phase.seconds] * (len(taken) - 1)
            seconds.append(Difference(statistics.median(expected), statistics.median(taken)))
    expected_memory = min(estimate.memory + estimate.held, estimate.machine.memory)
    return Deviation(tuple(seconds), Difference(expected_memory, run.state.peak_memory))


def out_of_memory(config: RunConfig) -> WorkFailed:
    """The error for a dry run that took more memory than there is."""
    phase, memory = _largest(config), psutil.virtual_memory()
    return WorkFailed(
        f"the dry run took more memory than there is: {memory.available / 2**30:.1f} of "
        f"{memory.total / 2**30:.1f} GiB are free now, for a {_batch_size(phase)} of "
        f"{phase.batch_size} at network.side {config.network.side}; close other programs, or try "
        f"{smaller(config)}"
    )


def smaller(config: RunConfig) -> str:
    """Settings that take less memory than those of a configuration, in words."""
    phase, side = _largest(config), config.network.side
    smallest = ARCHITECTURES[config.network.architecture].smallest_side
    half = f"a {_batch_size(phase)} of {phase.batch_size // 2}" if phase.batch_size > 1 else ""
    shrunk = f"a network.side of {round(side * 0.7)}" if round(side * 0.7) >= smallest else ""
    return " or ".join(way for way in (half, shrunk) if way) or "a smaller network"


def _largest(config: RunConfig) -> Phase:
    return max(config.phases, key=lambda phase: phase.batch_size * _per_image(config, phase))


def _dry_run(config: RunConfig, workspace: Workspace, timeout: float) -> DryRun:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "core.training.dry_run", str(workspace.root)],
            cwd=PROJECT,
            input=config.model_dump_json().encode(),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise WorkFailed(
            f"the dry run was not done after {timeout:g} seconds; a smaller batch_size or "
            "network.side makes it quicker, and a run can be launched without it"
        ) from None
    if done.stdout:
        answer = json.loads(done.stdout)
        if "error" in answer:
            raise getattr(errors, answer["error"])(answer["sentence"])
        return DryRun.model_validate_json(done.stdout)
    if done.returncode in _KILLED:
        raise out_of_memory(config)
    said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    raise WorkFailed(
        f"the dry run ended with status {done.returncode}: {said or 'it said nothing'}"
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


def _phase_of(epoch: dict[str, Any], config: RunConfig) -> int:
    """The phase of an epoch, as it was written down, or else as many epochs as were asked for."""
    return int(epoch.get("phase", 1 if epoch["epoch"] <= config.epochs else 2))


def _least_memory(config: RunConfig, place: int) -> tuple[int, int]:
    """Bytes of weights, gradients and a batch's activations, and of the last alone."""
    phase = config.phases[place]
    counted = config.blueprint.phases[place]
    of_batch = phase.batch_size * _per_image(config, phase)
    return (counted.total + counted.trainable) * 4 + of_batch, of_batch


def _per_image(config: RunConfig, phase: Phase) -> int:
    """Bytes of what the trained layers put out for an image, at least."""
    _, trained = config.blueprint.activations(phase.number - 1)
    return trained * (4 if config.precision == "float32" else 2)


def _too_large(config: RunConfig, phase: Phase, needed: int, of_batch: int, there: int) -> str:
    """The sentence for a phase that needs more memory than there is."""
    room = there - (needed - of_batch)
    most = math.floor(phase.batch_size * room / of_batch) if of_batch else 0
    limit = f"for the {there / 2**30:.1f} GiB of memory of this machine"
    taken = f"with which training takes {needed / 2**30:.1f} GiB"
    size, side = phase.batch_size, config.network.side
    if most >= (2 if config.network.normalizes_by_batch else 1):
        return (
            f"{_batch_size(phase)} must be at most {most} {limit}, got {size}, {taken}; take "
            f"{most}, or a smaller network.side"
        )
    return (
        f"network.side must be less than {side} {limit}, got {side}, {taken}; take a smaller side, "
        "or freeze more layers"
    )


def _batch_size(phase: Phase) -> str:
    """The setting that says how large a phase's batches are."""
    return "batch_size" if phase.number == 1 else "second_phase.batch_size"
