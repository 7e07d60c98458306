"""The files of one run: where they are, and what stands in those that are JSON."""

import json
import math
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer, ValidationError

from core.errors import DamagedFile
from core.files import clear_unfinished, write_json
from core.processes import ProcessIdentity
from core.registry.config import RunConfig
from core.validation import Frozen, first_line

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

FailureKind = Literal[
    "request",  # what was asked for cannot be done as asked
    "memory",  # there was not enough of it
    "diverged",  # the loss is no longer a number
    "data",  # images or labels cannot be read
    "disk",  # a file could not be written
    "killed",  # the process was ended from outside
    "restarted",  # the machine was
    "worker",  # the process never began
    "work",  # anything else that was foreseen
    "unexpected",
]

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


class About(Frozen):
    """`about.json`: what people say of a run. Absent until somebody says something.

    name: another than it was launched under. place: where it stands in the queue, if somebody
    moved it there; compares with the `queued` of other runs' states.
    """

    name: str | None = None
    note: str = ""
    tags: tuple[str, ...] = ()
    place: float | None = None


class Failure(Frozen):
    """Why a run failed, in a sentence, and what to do about it."""

    kind: FailureKind
    sentence: str
    advice: str


class Parameters(Frozen):
    """Numbers in the network that was trained."""

    total: int
    trainable: int


class Gpu(Frozen):
    """One graphics processor: its share at work, bytes of its memory in use, bytes it has."""

    name: str
    load: float
    memory: int
    total_memory: int


class Usage(Frozen):
    """What the machine gave to a training when its state was last written.

    cores: how many the worker kept busy. memory: bytes that it held; free_memory: bytes that
    nobody held.
    """

    cores: float
    memory: int
    free_memory: int
    gpus: tuple[Gpu, ...] = ()


class State(Frozen):
    """`state.json`: how far a run has come. Written whole, by the one process at work on it.

    `epoch` is the one at work, `epochs_done` those that were evaluated. `done` of `total` counts
    within the phase, in `unit`s, `units_per_second` of them in a second where that is known.
    `metrics` are those of `best_epoch`; `curve` is the training
    loss from the beginning until now, thinned to some tens of values. `extra_epochs` were asked
    for after the request. images_per_second: training images, in the last seconds.
    Times are seconds since 1970 but `seconds`, which is how long workers took in all.
    """

    status: Status = "queued"
    queued: float = 0.0
    extra_epochs: int = 0
    resumed: int = 0
    phase: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""
    units_per_second: float = 0.0
    epoch: int = 0
    epochs_done: int = 0
    process: ProcessIdentity | None = None
    heartbeat: float = 0.0
    seconds: float = 0.0
    seconds_left: float | None = None
    images_per_second: float = 0.0
    precision: str = ""
    parameters: Parameters | None = None
    test_fingerprint: str = ""
    best_epoch: int = 0
    metrics: dict[str, Metric] = Field(default_factory=dict)
    curve: tuple[float, ...] = ()
    peak_memory: int = 0
    usage: Usage | None = None
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
    def about(self) -> Path:
        """What people say of it, replaced atomically."""
        return self.path / "about.json"

    @property
    def stop_request(self) -> Path:
        """Present once somebody asked the run to stop."""
        return self.path / "stop"

    @property
    def estimate(self) -> Path:
        """What the run was expected to take, if that was known when it was launched."""
        return self.path / "estimate.json"

    @property
    def environment(self) -> Path:
        """What it was trained on and with."""
        return self.path / "environment.json"

    @property
    def metrics(self) -> Path:
        """Events, one a line."""
        return self.path / "metrics.jsonl"

    @property
    def log(self) -> Path:
        """The worker's output."""
        return self.path / "log.txt"

    @property
    def reserve(self) -> Path:
        """Room on the disk to say in that there is no more, while a worker is at work."""
        return self.path / "reserve"

    @property
    def predictions(self) -> Path:
        """Probabilities of the test split after each epoch."""
        return self.path / "predictions"

    @property
    def handwriting(self) -> Path:
        """Probabilities of the samples of handwriting, after each epoch that was asked for."""
        return self.path / "handwriting"

    @property
    def checkpoint(self) -> Path:
        """What resuming needs."""
        return self.path / "checkpoint"

    @property
    def tensorboard(self) -> Path:
        """Event files that TensorBoard reads."""
        return self.path / "tensorboard"

    @property
    def model(self) -> Path:
        """What inference needs."""
        return self.path / "model"

    def weights(self, epoch: int) -> Path:
        """The weights of the layers that were trained, as they were after an epoch."""
        return self.model / f"epoch-{epoch}.npz"

    def kept_epochs(self) -> list[int]:
        """Epochs whose weights are there, in order."""
        names = (path.name for path in self.model.glob("epoch-*.npz"))
        return sorted(int(match[1]) for name in names if (match := _WEIGHTS.fullmatch(name)))

    def clear_unfinished(self) -> None:
        """Remove what a worker that was killed left half-written; none may be at work now."""
        self.reserve.unlink(missing_ok=True)
        clear_unfinished(self.path, self.state.name)
        for folder in (self.predictions, self.model, self.checkpoint):
            clear_unfinished(folder)

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is something to go on from."""
        return any(self.checkpoint.glob("step-*.npz"))

    def sizes(self) -> dict[str, tuple[int, int]]:
        """How many files each entry of the folder is, and their bytes; it may vanish meanwhile."""
        return {name: (len(of_it), sum(of_it)) for name, of_it in _sizes(self.path).items()}

    @property
    def backbone(self) -> Path:
        """Which frozen network the trained layers stand on, by hash."""
        return self.model / "backbone.json"


def _sizes(folder: Path) -> dict[str, list[int]]:
    """The bytes of each file, by the entry of the folder that it is or lies in."""
    found: dict[str, list[int]] = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            with suppress(OSError):  # replaced or removed just now
                found.setdefault(path.relative_to(folder).parts[0], []).append(path.stat().st_size)
    return found


_WEIGHTS = re.compile(r"epoch-(\d+)\.npz")


def read_request(folder: RunFolder) -> Request:
    """The request. Raises DamagedFile where it cannot be read or is another run's."""
    request = _read(folder.request, Request)
    if request.id != folder.path.name:
        raise DamagedFile(f"{folder.request.name} belongs to another run, {request.id}")
    return request


def read_state(folder: RunFolder) -> State:
    """The state. Raises DamagedFile where it cannot be read."""
    return _read(folder.state, State)


def read_about(folder: RunFolder) -> About:
    """What people said of the run, nothing where that cannot be read: no work hangs on it."""
    try:
        return _read(folder.about, About)
    except DamagedFile:
        return About()


def write_model(path: Path, content: BaseModel) -> None:
    """Replace a JSON file as a whole."""
    write_json(path, content.model_dump(mode="json"))


Version = tuple[int, int, int] | None
"""Tells one content of a file from the next; None where the file is missing."""


def versions(folder: str) -> tuple[Version, Version, Version]:
    """The versions of request, state and about in a run's folder.

    Its path is text: to take a thousand of them apart would take longer than to read the runs.
    """
    return (
        _version(f"{folder}/config.json"),
        _version(f"{folder}/state.json"),
        _version(f"{folder}/about.json"),
    )


def _version(path: str | Path) -> Version:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _read(path: Path, model: type[Model]) -> Model:
    """The content of a file, which is only read anew once it was replaced."""
    version = _version(path)
    if version is None:
        raise DamagedFile(f"{path.name} is missing")
    content: Model = _parse(path, version, model)
    return content


@lru_cache(maxsize=16_384)
def _parse(path: Path, version: Version, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise DamagedFile(f"{path.name} is missing") from None
    except (OSError, ValidationError, ValueError) as error:
        raise DamagedFile(f"{path.name} cannot be read: {first_line(error)}") from None


def read_json(path: Path) -> Any:
    """Content of a JSON file of a run. Raises DamagedFile, naming it, where it cannot be read."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DamagedFile(f"{path.name} cannot be read: {error}") from None
