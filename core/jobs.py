"""Jobs in threads of the server, which tell how far they are and can be cancelled."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic
from typing import Generic, Protocol, TypeVar

from core.errors import TransferLabError

Result = TypeVar("Result")
_LOG = logging.getLogger(__name__)

PATIENCE = 75.0
"""Seconds after which who has not asked for a job again is gone. Browsers let a tab that nobody
looks at speak once a minute."""


class Cancelled(Exception):
    """The job is not wanted any more."""


class Tell(Protocol):
    """Tells how much is done, 0 to 1, and what is being done.

    Whoever is told may raise Cancelled, which ends the work.
    """

    def __call__(self, share: float, phase: str = "") -> None: ...


def silently(share: float, phase: str = "") -> None:
    """Tell nobody."""


class Steps:
    """Tells how far work is whose steps ask others, and lets these learn that it is to end.

    within: what others tell of a step; before the first is done, it says what is being done.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell, self._share = tell, 0.0

    def __call__(self, share: float, phase: str = "") -> None:
        """Tell that so much of the whole is done."""
        self._share = share
        self._tell(share, phase)

    def within(self, share: float, phase: str = "") -> None:
        """Tell it again from within a step."""
        self._tell(self._share, "" if self._share else phase)


class Job(Generic[Result]):
    """Something that is being computed; its thread begins at once.

    compute: given a function to tell how far it is, by which it also learns that it is to end.
    share: what is done of a phase, 0 while that is not known. result: what it returned, None
    before that and where it failed or was cancelled. failure: the expected failure that ended it.
    broken: whether an unexpected one did.
    """

    def __init__(self, compute: Callable[[Tell], Result]) -> None:
        self.share, self.phase = 0.0, ""
        self.result: Result | None = None
        self.failure: TransferLabError | None = None
        self.broken = False
        self.cancelled = False
        self._began, self._seconds = monotonic(), 0.0
        self._phase_began = self._began
        self._compute = compute
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def active(self) -> bool:
        """Whether it is still going on and wanted."""
        return self._thread.is_alive() and not self.cancelled

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return self._seconds or monotonic() - self._began

    @property
    def left(self) -> float | None:
        """Seconds that its phase will still take, None while that cannot be told."""
        taken, share = monotonic() - self._phase_began, self.share
        return taken / share - taken if share >= 0.05 else None

    def cancel(self) -> None:
        """Have it end as soon as it tells of its progress."""
        self.cancelled = True

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, but no longer than that."""
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            self.result = self._compute(self._tell)
        except Cancelled:
            self.cancelled = True
        except TransferLabError as error:
            self.failure = error
        except Exception:
            _LOG.exception("A job in the background broke off")
            self.broken = True
        finally:
            self._seconds = monotonic() - self._began

    def _tell(self, share: float, phase: str = "") -> None:
        if self.cancelled:
            raise Cancelled
        if phase and phase != self.phase:
            self.phase, self._phase_began = phase, monotonic()
        self.share = share


class SharedJobs(Generic[Result]):
    """Jobs that several may want, by what they compute: each is done once for all who want it.

    One goes on while anybody wants it, and what it came to is kept until `most` others were asked
    for since. patience: seconds after which who has not asked again is taken for gone.
    """

    def __init__(self, most: int, patience: float = PATIENCE) -> None:
        self._most, self._patience = most, patience
        self._access = threading.Lock()
        self._jobs: OrderedDict[Hashable, _Shared[Result]] = OrderedDict()

    def want(self, key: Hashable, who: str, compute: Callable[[Tell], Result]) -> Job[Result]:
        """The job of that key, begun where there is none; who wants it is noted.

        To be called again as long as it is wanted.
        """
        with self._access:
            shared = self._jobs.get(key)
            if shared is None or shared.job.cancelled:
                shared = self._jobs[key] = _Shared(compute, who, self._patience)
            shared.wanted[who] = monotonic()
            self._jobs.move_to_end(key)
            self._drop()
            return shared.job

    def leave(self, key: Hashable, who: str) -> None:
        """Note that somebody does not want a job any more; one that nobody wants ends."""
        with self._access:
            shared = self._jobs.get(key)
            if shared is None:
                return
            shared.wanted.pop(who, None)
            if shared.job.active and not shared.is_wanted():
                shared.job.cancel()
                del self._jobs[key]

    def forget(self, key: Hashable, job: Job[Result]) -> None:
        """Have a job that has ended done anew when it is wanted next."""
        with self._access:
            shared = self._jobs.get(key)
            if shared is not None and shared.job is job:
                del self._jobs[key]

    def _drop(self) -> None:
        """Forget what was asked for least recently and has ended, where there is too much."""
        ended = [key for key, shared in self._jobs.items() if not shared.job.active]
        for key in ended[: max(len(self._jobs) - self._most, 0)]:
            del self._jobs[key]


class _Shared(Generic[Result]):
    """A job, and when each who wants it asked for it last."""

    def __init__(self, compute: Callable[[Tell], Result], who: str, patience: float) -> None:
        self._patience, self._compute = patience, compute
        self.wanted = {who: monotonic()}
        self.job = Job(self._while_wanted)

    def is_wanted(self) -> bool:
        """Whether anybody asked for it lately."""
        latest = max(list(self.wanted.values()), default=0.0)
        return monotonic() - latest < self._patience

    def _while_wanted(self, tell: Tell) -> Result:
        def tell_who_wants(share: float, phase: str = "") -> None:
            if not self.is_wanted():
                raise Cancelled
            tell(share, phase)

        return self._compute(tell_who_wants)
