"""Having features computed in a process of its own, and knowing how far it is.

Whoever asks leaves a request in the folder of the run's epoch and starts the process; one at a time
is at work on an epoch, takes the requests one by one and leaves when there are none. It can be
killed at any moment: what is kept is complete or absent.
"""

from pathlib import Path
from typing import Literal

from core import background
from core.errors import WorkFailed
from core.feature_space.space import FeatureSpace

Task = Literal["pca", "tsne", "neighbours"]
"""What may be asked for: a map of the test images, or all that neighbours need."""
TASKS: tuple[Task, ...] = ("pca", "tsne", "neighbours")
KILLED = (
    "The process that computed it ended without a word: something killed it, most often for want "
    "of memory. Start it again; what it had finished is kept."
)


class Work(background.Work):
    """How far the process of an epoch is. task: the one at work, or that failed; None before."""

    task: Task | None = None


class Background(background.WorkFolder[Work]):
    """The process that computes the features of one network, seen from outside."""

    def __init__(self, space: FeatureSpace) -> None:
        super().__init__(space.folder, Work, KILLED)
        self.space = space

    def ask(self, task: Task) -> None:
        """Have something computed, after what was asked for before.

        Raises WorkFailed where no process can be started.
        """
        space = self.space
        try:
            space.folder.mkdir(parents=True, exist_ok=True)
            self._request(task).touch()
            if not self.at_work():
                # Threads of t-SNE that wait for each other must not keep a busy machine busier.
                self.start(
                    "core.feature_space.work",
                    str(space.workspace.root),
                    space.run.id,
                    str(space.epoch),
                    environment={"OMP_WAIT_POLICY": "passive"},
                )
        except OSError as error:
            raise WorkFailed(
                f"nothing can be computed in {self.space.folder}: {error.strerror}; make room or "
                "permit writing there, then ask for it again"
            ) from None

    def asked(self, task: Task) -> bool:
        """Whether something waits to be computed."""
        return self._request(task).exists()

    def cancel(self) -> None:
        """End the process and forget what was asked for; what it had finished is kept."""
        for task in TASKS:
            self._request(task).unlink(missing_ok=True)
        self.end()

    def take(self) -> Task | None:
        """The next request, which is forgotten; for the process itself."""
        for task in TASKS:
            if self.asked(task):
                self._request(task).unlink(missing_ok=True)
                return task
        return None

    def _request(self, task: Task) -> Path:
        return self.space.folder / f"asked-{task}"
