"""Runs: each is a folder that a person and any tool can read. Only this module knows its files."""

import itertools
import json
import math
import os
import shutil
import time
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer, ValidationError

from core.config import RunConfig
from core.errors import DamagedFile, InvalidRequest, UnknownRun, WorkFailed
from core.files import write_json
from core.processes import ProcessIdentity
from core.validation import Frozen
from core.workspace import Workspace

Status = Literal[
    "queued",
    "preparing",
    "running",
    "stopping",
    "finished",
    "stopped",
    "failed",
    "interrupted",
]
WORKING: tuple[Status, ...] = ("preparing", "running", "stopping")
"""A process is at work on the run."""
WAITING_OR_WORKING: tuple[Status, ...] = ("queued", *WORKING)

Weights = Literal["best", "last"]
"""Which of a run's weights: those of its best epoch or of its last."""

LONGEST_NAME = 80
COLORS = 10
"""Colours in the palette of runs."""

Model = TypeVar("Model", bound=BaseModel)

Metric = Annotated[
    float,
    Field(allow_inf_nan=True),
    BeforeValidator(lambda value: math.nan if value is None else value),
    PlainSerializer(lambda value: value if math.isfinite(value) else None, when_used="json"),
]
"""A number, NaN where training diverged. JSON has no NaN; it is null there."""


class Request(Frozen):
    """`config.json`: what was asked for. It never changes.

    `color` is the place in the palette that the run is drawn in wherever it appears.
    """

    id: str
    name: str
    color: int = 0
    created: datetime
    config: RunConfig


class Failure(Frozen):
    """Why a run failed, in a sentence, and what to do about it."""

    kind: str
    sentence: str
    advice: str


class Parameters(Frozen):
    """Numbers in the network that was trained."""

    total: int
    trainable: int


class State(Frozen):
    """`state.json`: how far a run has come. Written whole, by the one process at work on it.

    `epoch` is the one at work, `epochs_done` those that were evaluated. `done` of `total` counts
    within the phase, in `unit`s. `metrics` are those of `best_epoch`.
    Times are seconds since 1970 but `seconds`, which is how long the worker took.
    """

    status: Status = "queued"
    queued: float = 0.0
    phase: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""
    epoch: int = 0
    epochs_done: int = 0
    process: ProcessIdentity | None = None
    heartbeat: float = 0.0
    seconds: float = 0.0
    precision: str = ""
    parameters: Parameters | None = None
    test_fingerprint: str = ""
    best_epoch: int = 0
    metrics: dict[str, Metric] = Field(default_factory=dict)
    peak_memory: int = 0
    error: Failure | None = None


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run's files."""

    path: Path

    @property
    def request(self) -> Path:
        """The request, written once."""
        return self.path / "config.json"

    @property
    def state(self) -> Path:
        """How far it has come, replaced atomically."""
        return self.path / "state.json"

    @property
    def stop_request(self) -> Path:
        """Present once somebody asked the run to stop."""
        return self.path / "stop"

    @property
    def estimate(self) -> Path:
        """What the run was expected to take, if that was known when it was launched."""
        return self.path / "estimate.json"

    @property
    def metrics(self) -> Path:
        """Events, one a line."""
        return self.path / "metrics.jsonl"

    @property
    def log(self) -> Path:
        """The worker's output."""
        return self.path / "log.txt"

    @property
    def predictions(self) -> Path:
        """Probabilities of the test split after each epoch."""
        return self.path / "predictions"

    @property
    def model(self) -> Path:
        """What inference needs."""
        return self.path / "model"

    def weights(self, which: Weights) -> Path:
        """The weights of the layers that were trained."""
        return self.model / f"{which}.npz"

    @property
    def backbone(self) -> Path:
        """Which frozen network the trained layers stand on, by hash."""
        return self.model / "backbone.json"


@dataclass(frozen=True, eq=False)
class Run:
    """One run as it stood when it was read."""

    folder: RunFolder
    request: Request
    state: State
    status: Status

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a run. Raises DamagedFile, naming the file, where one cannot be read."""
        folder = RunFolder(path)
        request = _read_request(folder.request, _modified(folder.request))
        state = _read_model(folder.state, State)
        return cls(folder, request, state, _true_status(folder, state))

    @property
    def id(self) -> str:
        """The run's id, which is also its folder's name."""
        return self.request.id

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.request.name

    @property
    def config(self) -> RunConfig:
        """Its configuration."""
        return self.request.config

    @property
    def has_results(self) -> bool:
        """Whether at least one epoch was completed and evaluated."""
        return self.state.best_epoch > 0 and self.status not in WAITING_OR_WORKING

    def write_state(self, **changes: Any) -> Self:
        """Write a changed state; returns the run as it is now."""
        state = self.state.model_copy(update=changes)
        write_json(self.folder.state, state.model_dump(mode="json"))
        return type(self)(self.folder, self.request, state, state.status)


@dataclass(frozen=True)
class DamagedRun:
    """A folder among the runs that cannot be read, and why."""

    id: str
    path: Path
    reason: str


class Runs:
    """The runs of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def create(self, config: RunConfig, name: str | None = None) -> Run:
        """Make the folder of a new run, queued.

        The configuration is taken as it is: `preflight.settle` makes one that can be trained.
        Raises InvalidRequest where the name is taken, WorkFailed where the run cannot be written.
        """
        known = self.all()
        names = {run.name for run in known}
        now = datetime.now().astimezone()
        run_id = f"{now:%Y%m%d-%H%M%S-%f}"  # in the order of their making, to the microsecond
        request = Request(
            id=run_id,
            name=_free_name(config.recipe, names) if name is None else _check_name(name, names),
            color=_rarest_color(known),
            created=now,
            config=config,
        )
        state = State(queued=time.time())
        try:
            folder = self._make_folder(request, state)
        except OSError as error:
            raise WorkFailed(
                f"the run cannot be written to {self.workspace.root}: {error.strerror}; make room "
                "or permit it, or choose another workspace"
            ) from None
        return Run(folder, request, state, "queued")

    def _make_folder(self, request: Request, state: State) -> RunFolder:
        # Made under a hidden name, so that no reader meets a run without its files.
        unfinished = RunFolder(self.workspace.runs / f".new-{request.id}")
        unfinished.path.mkdir(parents=True)
        write_json(unfinished.request, request.model_dump(mode="json"))
        write_json(unfinished.state, state.model_dump(mode="json"))
        return RunFolder(unfinished.path.rename(self.workspace.runs / request.id))

    def all(self) -> list[Run]:
        """Every run that can be read, newest first."""
        return [run for run in self._read_all() if isinstance(run, Run)]

    def damaged(self) -> list[DamagedRun]:
        """Folders that cannot be read as a run, with the reason."""
        return [run for run in self._read_all() if isinstance(run, DamagedRun)]

    def find(self, reference: str) -> Run:
        """The run of an id, a name or a unique prefix of an id. Raises UnknownRun, DamagedFile."""
        found = self.find_any(reference)
        if isinstance(found, DamagedRun):
            raise DamagedFile(f"the run {found.id} is damaged: {found.reason}")
        return found

    def find_any(self, reference: str) -> Run | DamagedRun:
        """Like `find`, for who can also do with a damaged run."""
        if reference in self._ids():
            return self._read(self.workspace.runs / reference)
        known = self._read_all()
        for matches in (
            [run for run in known if isinstance(run, Run) and run.name == reference],
            [run for run in known if reference and run.id.startswith(reference)],
        ):
            if len(matches) > 1:
                raise UnknownRun(
                    f"{reference!r} could be any of {', '.join(run.id for run in matches)}; "
                    "give more of the id"
                )
            if matches:
                return matches[0]
        raise UnknownRun(f"there is no run {reference!r}; `runs` lists those there are")

    def again(self, run: Run) -> Run:
        """The same run as it is now. Raises UnknownRun if it was deleted meanwhile."""
        if not run.folder.state.exists():
            raise UnknownRun(f"the run {run.name!r} was deleted meanwhile; choose another")
        return Run.read(run.folder.path)

    def queue(self) -> list[Run]:
        """Runs that wait to be trained, the next one first."""
        waiting = [run for run in self.all() if run.status == "queued"]
        return sorted(waiting, key=lambda run: (run.state.queued, run.id))

    def request_stop(self, run: Run) -> None:
        """Ask a waiting or working run to stop; it does so within one batch.

        Raises InvalidRequest if the run is not at work, UnknownRun if it was deleted meanwhile.
        """
        run = self.again(run)
        if run.status not in WAITING_OR_WORKING:
            raise InvalidRequest(
                f"the run {run.name!r} is {run.status}; only a run that waits or trains can be "
                "stopped"
            )
        run.folder.stop_request.touch()

    def delete(self, run: Run | DamagedRun) -> None:
        """Remove a run's folder. Raises InvalidRequest while a process is at work on it."""
        path = run.folder.path if isinstance(run, Run) else run.path
        if isinstance(run, Run) and self.again(run).status in WORKING:
            raise InvalidRequest(f"the run {run.name!r} is training; stop it before deleting it")
        # Renamed first: a half-deleted folder must never look like a run.
        doomed = path.with_name(f".deleted-{path.name}")
        path.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)

    def _read_all(self) -> list[Run | DamagedRun]:
        folders = (self.workspace.runs / run_id for run_id in sorted(self._ids(), reverse=True))
        # One that was deleted since the folder was listed is no damaged run.
        return [run for folder in folders if _exists(run := self._read(folder))]

    def _ids(self) -> set[str]:
        try:
            entries = list(os.scandir(self.workspace.runs))
        except FileNotFoundError:
            return set()
        return {
            entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")
        }

    @staticmethod
    def _read(folder: Path) -> Run | DamagedRun:
        try:
            return Run.read(folder)
        except DamagedFile as error:
            return DamagedRun(folder.name, folder, str(error))


def link_weights(folder: RunFolder, source: Weights, target: Weights) -> None:
    """Make one kind of weights also the other, without taking room for them twice."""
    beside = folder.model / f".{target}.linked"
    beside.unlink(missing_ok=True)
    try:
        os.link(folder.weights(source), beside)
    except OSError:  # a file system without links
        shutil.copyfile(folder.weights(source), beside)
    beside.replace(folder.weights(target))


def _exists(run: Run | DamagedRun) -> bool:
    return isinstance(run, Run) or run.path.is_dir()


def _free_name(wanted: str, taken: Collection[str]) -> str:
    numbered = (f"{wanted} {number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([wanted], numbered) if name not in taken)


def _check_name(name: str, taken: Collection[str]) -> str:
    tidy = " ".join(name.split())
    if not 1 <= len(tidy) <= LONGEST_NAME or not tidy.isprintable():
        raise InvalidRequest(
            f"name must have 1 to {LONGEST_NAME} printable characters, got {name[:100]!r}"
        )
    if tidy in taken:
        raise InvalidRequest(f"there is a run named {tidy!r} already; choose another name")
    return tidy


def _rarest_color(runs: Iterable[Run]) -> int:
    used = Counter(run.request.color for run in runs)
    return min(range(COLORS), key=lambda color: (used[color], color))


def _true_status(folder: RunFolder, state: State) -> Status:
    """What is so, where the state on disk was overtaken by events nobody could write down."""
    stop_requested = folder.stop_request.exists()
    if state.status == "queued" and stop_requested:
        return "stopped"
    if state.status in WORKING:
        if state.process is None or not state.process.is_alive():
            return "interrupted"
        return "stopping" if stop_requested else state.status
    return state.status


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError as error:
        raise DamagedFile(f"{path.name} is missing") from error


@lru_cache(maxsize=4096)
def _read_request(path: Path, modified: int) -> Request:
    request = _read_model(path, Request)
    if request.id != path.parent.name:
        raise DamagedFile(f"{path.name} belongs to another run, {request.id}")
    return request


def _read_model(path: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise DamagedFile(f"{path.name} is missing") from None
    except (OSError, ValidationError, ValueError) as error:
        raise DamagedFile(f"{path.name} cannot be read: {_first_line(error)}") from None


def read_json(path: Path) -> Any:
    """Content of a JSON file of a run. Raises DamagedFile, naming it, where it cannot be read."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DamagedFile(f"{path.name} cannot be read: {error}") from None


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or 'content'}: {first['msg']}"
    return str(error).splitlines()[0]
