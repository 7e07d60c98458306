"""Jobs in threads of the server, which tell how far they are and can be cancelled."""

import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

from core.errors import TransferLabError

Result = TypeVar("Result")
_LOG = logging.getLogger(__name__)


class _Cancelled(Exception):
    """The job is not wanted any more."""


class Job(Generic[Result]):
    """Something that is being computed; its thread begins at once.

    compute: given a function to tell the share that is done, 0 to 1, by which it also learns that
    it is to end. result: what it returned, None before that and where it failed or was cancelled.
    failure: the expected failure that ended it. broken: whether an unexpected one did.
    """

    def __init__(self, compute: Callable[[Callable[[float], None]], Result]) -> None:
        self.share = 0.0
        self.result: Result | None = None
        self.failure: TransferLabError | None = None
        self.broken = False
        self.cancelled = False
        self._began, self._seconds = monotonic(), 0.0
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

    def cancel(self) -> None:
        """Have it end as soon as it tells of its progress."""
        self.cancelled = True

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, but no longer than that."""
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            self.result = self._compute(self._tell)
        except _Cancelled:
            return
        except TransferLabError as error:
            self.failure = error
        except Exception:
            _LOG.exception("A job in the background broke off")
            self.broken = True
        finally:
            self._seconds = monotonic() - self._began

    def _tell(self, share: float) -> None:
        if self.cancelled:
            raise _Cancelled
        self.share = share
