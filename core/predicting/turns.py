"""Sharing one thing among threads so that none waits for more than one turn of each other."""

import threading
from types import TracebackType


class Turns:
    """A lock that is had in the order in which it was asked for.

    Whoever has long work to do takes a turn for each part of it. Who asks then waits for at most
    one part of every other's work, however long that is, and nobody waits for ever.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asked, self._served = 0, 0

    @property
    def waiting(self) -> int:
        """How many wait for it."""
        with self._changed:
            return max(self._asked - self._served - 1, 0)

    def __enter__(self) -> None:
        with self._changed:
            number, self._asked = self._asked, self._asked + 1
            self._changed.wait_for(lambda: self._served == number)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._served += 1
            self._changed.notify_all()
