"""One run of a workspace, as it stood when it was read."""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Self

from core.processes import boot_of, this_boot
from core.registry.config import RunConfig
from core.registry.run_files import (
    WAITING_OR_WORKING,
    About,
    Failure,
    Request,
    RunFolder,
    State,
    Status,
    read_about,
    read_request,
    read_state,
    write_model,
)
from core.registry.settings import change

SAMPLE = "sample-"
"""What ids of runs begin with that came with the project."""


@dataclass(frozen=True, eq=False)
class Run:
    """One run as it stood when it was read."""

    folder: RunFolder
    request: Request
    state: State
    about: About
    status: Status

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a run. Raises DamagedFile, naming the file, where one cannot be read."""
        folder = RunFolder(path)
        request, state = read_request(folder), read_state(folder)
        return cls(folder, request, state, read_about(folder), _true_status(folder, state))

    def as_it_is_now(self) -> Self:
        """The run with its status as it is now, where that hangs on more than its files."""
        status = _true_status(self.folder, self.state)
        return self if status == self.status else replace(self, status=status)

    @property
    def id(self) -> str:
        """The run's id, which is also its folder's name."""
        return self.request.id

    @property
    def is_sample(self) -> bool:
        """Whether it came with the project, and was not trained in this workspace."""
        return self.id.startswith(SAMPLE)

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.about.name or self.request.name

    @cached_property
    def config(self) -> RunConfig:
        """Its configuration, with the epochs that were asked for later."""
        return extended(self.request.config, self.state.extra_epochs)

    @property
    def has_results(self) -> bool:
        """Whether at least one epoch was completed and evaluated."""
        return self.state.best_epoch > 0 and self.status not in WAITING_OR_WORKING

    @property
    def can_be_resumed(self) -> bool:
        """Whether it ended before its last epoch."""
        return self.status in ("stopped", "failed", "interrupted")

    @property
    def failure(self) -> Failure | None:
        """Why it did not come to its end, if something kept it from it."""
        if self.status == "interrupted" and self.state.error is None:
            return _interruption(self)
        return self.state.error

    def write_state(self, **changes: Any) -> Self:
        """Write a changed state; returns the run as it is now."""
        state = self.state.model_copy(update=changes)
        write_model(self.folder.state, state)
        return type(self)(self.folder, self.request, state, self.about, state.status)


@lru_cache(maxsize=4096)
def extended(config: RunConfig, epochs: int) -> RunConfig:
    """A configuration with so many epochs more, in its last phase.

    Raises InvalidConfig where that is more than a configuration may have.
    """
    if not epochs:
        return config
    key = "second_phase.epochs" if config.second_phase.epochs else "epochs"
    last = config.second_phase.epochs or config.epochs
    return change(config, {key: last + epochs})


def _interruption(run: Run) -> Failure:
    process = run.state.process
    if process is not None and boot_of(process) != this_boot():
        return Failure(
            kind="restarted",
            sentence="The machine was restarted while this run trained.",
            advice=GO_ON,
        )
    return Failure(
        kind="killed",
        sentence="The process of this run ended without a word: something killed it.",
        advice=GO_ON,
    )


GO_ON = "Resume it: it goes on from its last checkpoint as if nothing had happened."


@dataclass(frozen=True)
class DamagedRun:
    """A folder among the runs that cannot be read, and why."""

    id: str
    path: Path
    reason: str


def _true_status(folder: RunFolder, state: State) -> Status:
    """What is so, where the state on disk was overtaken by events nobody could write down."""
    if state.status not in WAITING_OR_WORKING:
        return state.status
    stop_requested = folder.stop_request.exists()
    if state.status == "queued":
        return "stopped" if stop_requested else "queued"
    if state.process is None or not state.process.is_alive():
        return "interrupted"
    return "stopping" if stop_requested else state.status
