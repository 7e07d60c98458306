"""Runs: the trainings of a workspace, and what may be done with them."""

import contextlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core.errors import DamagedFile, InvalidRequest, UnknownRun, WorkFailed
from core.registry import refusals
from core.registry.config import RunConfig
from core.registry.ids import next_id
from core.registry.places import apart, end_of_queue, in_queue_order, place_of
from core.registry.reading import read_run, read_runs, run_ids
from core.registry.run import DamagedRun, Run, extended
from core.registry.run_files import (
    WAITING_OR_WORKING,
    WORKING,
    About,
    Request,
    RunFolder,
    State,
    Status,
    write_model,
)
from core.registry.saying import check_name, check_note, check_tags, free_name
from core.workspace import Workspace

COLORS = 10
"""Colours in the palette of runs."""
PATIENCE = 10.0
"""Seconds to wait for somebody else who creates a run, or says something of the same one."""
LEAVING = 5.0
"""Seconds that a worker may take to be gone once it has written its last state."""
_NEW, _DELETED = ".new-", ".deleted-"
"""What folders are called that are not runs yet, or no more."""


class Runs:
    """The runs of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def create(self, config: RunConfig, name: str | None = None, note: str = "") -> Run:
        """Make the folder of a new run, queued.

        The configuration is taken as it is: `preflight.settle` makes one that can be trained.
        Raises InvalidRequest where the name is taken, WorkFailed where the run cannot be written.
        """
        about = About(note=check_note(note))
        try:
            with self._naming():
                return self._create(config, name, about)
        except OSError as error:
            raise WorkFailed(
                f"the run cannot be written to {self.workspace.root}: {refusals.reason(error)}; "
                "make room or permit it, or choose another workspace"
            ) from None

    def _create(self, config: RunConfig, name: str | None, about: About) -> Run:
        known = self.all()
        names = {run.name for run in known}
        now = datetime.now().astimezone()
        request = Request(
            id=next_id(now, run_ids(self.workspace.runs)),
            name=free_name(config.recipe, names) if name is None else check_name(name, names),
            color=_rarest_color(known),
            created=now,
            config=config,
        )
        state = State(queued=end_of_queue(known))
        return Run(self._make_folder(request, state, about), request, state, about, "queued")

    def _make_folder(self, request: Request, state: State, about: About) -> RunFolder:
        # Made under a hidden name, so that no reader meets a run without its files.
        unfinished = RunFolder(self.workspace.runs / f"{_NEW}{request.id}")
        unfinished.path.mkdir(parents=True)
        write_model(unfinished.request, request)
        write_model(unfinished.state, state)
        if about != About():
            write_model(unfinished.about, about)
        return RunFolder(unfinished.path.rename(self.workspace.runs / request.id))

    def take_in(self, request: Request, unpack: Callable[[Path], object]) -> bool:
        """Make a run of files from elsewhere, whole or not at all; False where it is there already.

        unpack: writes all files but the request into a folder that is there. The run gets another
        name where its own is taken, and the colour that the fewest have.
        Raises WorkFailed where it cannot be written.
        """
        try:
            with self._naming():
                if request.id in run_ids(self.workspace.runs):
                    return False
                known = self.all()
                name = free_name(request.name, {run.name for run in known})
                fitting = {"name": name, "color": _rarest_color(known)}
                self._unpack(request.model_copy(update=fitting), unpack)
                return True
        except OSError as error:
            raise WorkFailed(
                f"the run {request.name!r} cannot be written to {self.workspace.root}: "
                f"{refusals.reason(error)}; make room or permit it, then try again"
            ) from None

    def _unpack(self, request: Request, unpack: Callable[[Path], object]) -> None:
        unfinished = RunFolder(self.workspace.runs / f"{_NEW}{request.id}")
        shutil.rmtree(unfinished.path, ignore_errors=True)  # of somebody who was killed at it
        unfinished.path.mkdir(parents=True)
        try:
            unpack(unfinished.path)
            write_model(unfinished.request, request)
            unfinished.path.rename(self.workspace.runs / request.id)
        except BaseException:
            shutil.rmtree(unfinished.path, ignore_errors=True)
            raise

    def read(self) -> tuple[list[Run], list[DamagedRun]]:
        """Every run, newest first, and the folders that cannot be read as one, with the reason."""
        found = read_runs(self.workspace.runs)
        return (
            [run for run in found if isinstance(run, Run)],
            [run for run in found if isinstance(run, DamagedRun)],
        )

    def all(self) -> list[Run]:
        """Every run that can be read, newest first."""
        return self.read()[0]

    def damaged(self) -> list[DamagedRun]:
        """Folders that cannot be read as a run, with the reason."""
        return self.read()[1]

    def find(self, reference: str) -> Run:
        """The run of an id, a name or a unique prefix of an id. Raises UnknownRun, DamagedFile."""
        found = self.find_any(reference)
        if isinstance(found, DamagedRun):
            raise DamagedFile(f"the run {found.id} is damaged: {found.reason}")
        return found

    def find_any(self, reference: str) -> Run | DamagedRun:
        """Like `find`, for who can also do with a damaged run."""
        if reference in run_ids(self.workspace.runs):
            return read_run(self.workspace.runs, reference)
        known = read_runs(self.workspace.runs)
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
        try:
            return Run.read(run.folder.path)
        except DamagedFile:
            if run.folder.path.is_dir():
                raise
            raise refusals.deleted(run) from None

    def queue(self) -> list[Run]:
        """Runs that wait to be trained, the next one first."""
        return in_queue_order(self.all())

    def move(self, run: Run, place: int) -> None:
        """Let a waiting run be the `place`-th to be trained, counted from 0.

        Raises InvalidRequest where it does not wait any more.
        """
        self._check_status(run, ("queued",), "moved in the queue")
        waiting = self.queue()
        others = [other for other in waiting if other.id != run.id]
        moved = [other for other in waiting if other.id == run.id]
        order = [*others[:place], *moved, *others[place:]]
        for other, wanted in zip(order, apart(map(place_of, waiting)), strict=True):
            if place_of(other) != wanted:
                with contextlib.suppress(UnknownRun):  # deleted just now
                    self._say(other, place=wanted)

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
        with refusals.writing(run):
            run.folder.stop_request.touch()

    def resume(self, run: Run, more_epochs: int = 0) -> Run:
        """Queue a run again, to go on from where it was, for more epochs than before if asked.

        Raises InvalidRequest where it waits or trains already, or has nothing left to do;
        UnknownRun if it was deleted meanwhile.
        """
        with self._at_rest(run, "resumed") as run:
            if more_epochs < 0:
                raise InvalidRequest(f"more epochs must be at least 0, got {more_epochs}")
            if run.status == "finished" and not more_epochs:
                raise InvalidRequest(
                    f"the run {run.name!r} is finished; say how many more epochs it shall train"
                )
            if run.status == "finished" and not run.folder.has_checkpoint:
                lost = "did not come with it" if run.is_sample else "was removed"
                raise InvalidRequest(
                    f"the checkpoint of the run {run.name!r} {lost}, so it cannot be trained "
                    "longer; launch a new run with its settings and more epochs"
                )
            extra = run.state.extra_epochs + more_epochs
            extended(run.request.config, extra)
            self._say(run, place=None)
            with refusals.writing(run):
                run.folder.stop_request.unlink(missing_ok=True)
                return run.write_state(
                    status="queued",
                    queued=end_of_queue(self.all()),
                    extra_epochs=extra,
                    error=None,
                    process=None,
                    usage=None,
                    phase="",
                    done=0,
                    total=0,
                )

    def rename(self, run: Run, name: str) -> None:
        """Call a run otherwise. Raises InvalidRequest where another is called so."""
        with refusals.writing(run), self._naming():
            others = {other.name for other in self.all() if other.id != run.id}
            self._say(run, name=check_name(name, others))

    def tag(self, run: Run, tags: Iterable[str]) -> None:
        """Give a run these tags and no others."""
        self._say(run, tags=check_tags(tags))

    def annotate(self, run: Run, note: str) -> None:
        """Keep a note with a run."""
        self._say(run, note=check_note(note))

    def remove_checkpoint(self, run: Run) -> int:
        """Remove what training a finished run longer would need; returns the bytes it took.

        Raises InvalidRequest where the run did not finish: it could not be resumed any more.
        """
        with self._at_rest(run, "stripped of its checkpoint") as run, refusals.writing(run):
            if run.status != "finished":
                raise InvalidRequest(
                    f"the run {run.name!r} is {run.status}; only a finished run can do without "
                    "its checkpoint"
                )
            _, size = run.folder.sizes().get(run.folder.checkpoint.name, (0, 0))
            shutil.rmtree(run.folder.checkpoint, ignore_errors=True)
            return size

    def delete(self, run: Run | DamagedRun) -> None:
        """Remove a run's folder. Raises InvalidRequest while a process is at work on it."""
        if isinstance(run, DamagedRun):
            self._delete_damaged(run)
            return
        with self._at_rest(run, "deleted", WORKING) as run, refusals.writing(run):
            self._remove(run.id, run.folder.path)

    def _delete_damaged(self, run: DamagedRun) -> None:
        try:
            with self.lock(run.id):
                self._remove(run.id, run.path)
        except FileNotFoundError:
            raise UnknownRun(f"the run {run.id} was deleted meanwhile; choose another") from None
        except Timeout:
            raise InvalidRequest(
                f"a process is at work on the damaged run {run.id}; wait for its end"
            ) from None

    def _remove(self, run_id: str, path: Path) -> None:
        # Renamed first: a half-deleted folder must never look like a run.
        doomed = path.rename(path.with_name(f"{_DELETED}{run_id}"))
        shutil.rmtree(doomed, ignore_errors=True)
        shutil.rmtree(self.workspace.feature_spaces / run_id, ignore_errors=True)
        for lock in (self.lock(run_id), self._saying(run_id)):
            Path(lock.lock_file).unlink(missing_ok=True)

    def clear_leftovers(self) -> None:
        """Remove what processes left behind that died while they created or deleted a run."""
        with self._naming():
            # Nobody else creates a run now, so what is unfinished stays unfinished.
            for folder in self.workspace.runs.glob(f"{_NEW}*"):
                shutil.rmtree(folder, ignore_errors=True)
        for folder in self.workspace.runs.glob(f"{_DELETED}*"):
            shutil.rmtree(folder, ignore_errors=True)
        locks = list(self.workspace.locks.glob("*-*.lock"))
        # After the locks: a run that is created just now keeps its own.
        known = run_ids(self.workspace.runs)
        for lock in locks:
            if lock.name.removesuffix(".lock").removesuffix(".about") not in known:
                lock.unlink(missing_ok=True)

    def lock(self, run_id: str) -> FileLock:
        """Held by whoever is at work on a run: a worker, or somebody who deletes or resumes it."""
        return FileLock(self.workspace.locks / f"{run_id}.lock", timeout=0)

    def _saying(self, run_id: str) -> FileLock:
        return FileLock(self.workspace.locks / f"{run_id}.about.lock", timeout=PATIENCE)

    def _naming(self) -> FileLock:
        """Held by whoever gives a run its name, which no other run may have."""
        return FileLock(self.workspace.locks / "naming.lock", timeout=PATIENCE)

    def _say(self, run: Run, **changes: Any) -> None:
        run = self.again(run)
        with refusals.writing(run), self._saying(run.id):
            about = self.again(run).about
            if (said := about.model_copy(update=changes)) != about:
                write_model(run.folder.about, said)

    @contextlib.contextmanager
    def _at_rest(
        self, run: Run, done: str, unless: Sequence[Status] = WAITING_OR_WORKING
    ) -> Iterator[Run]:
        """The run as it is now, on which nobody begins to work meanwhile."""
        if (now := self.again(run)).status in unless:
            raise refusals.busy(now, done)
        try:
            with self.lock(run.id).acquire(timeout=LEAVING):
                if (now := self.again(run)).status in unless:
                    raise refusals.busy(now, done)
                yield now
        except Timeout:
            raise refusals.busy(self.again(run), done) from None

    def _check_status(self, run: Run, allowed: Sequence[Status], done: str) -> None:
        now = self.again(run)
        if now.status not in allowed:
            raise InvalidRequest(
                f"the run {now.name!r} is {now.status}; only a run that is "
                f"{' or '.join(allowed)} can be {done}"
            )


def _rarest_color(runs: Iterable[Run]) -> int:
    used = Counter(run.request.color for run in runs)
    return min(range(COLORS), key=lambda color: (used[color], color))
