"""Progress bars on standard error."""

from typing import Any

from tqdm import tqdm


class _Bar(tqdm):  # type: ignore[type-arg]
    """Without tqdm's thread, beside which no process may be copied."""

    monitor_interval = 0


class Bars:
    """One progress bar, begun anew for each phase or epoch."""

    def __init__(self) -> None:
        self._title = ""
        self._bar: Any = None

    def __enter__(self) -> "Bars":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def move(self, title: str, done: int, total: int, unit: str, **said: float) -> None:
        """So much is done of what has that title; a total of 0 is not known.

        said: figures to show behind the bar.
        """
        if title != self._title:
            self._close()
            self._title = title
            of_bytes = unit == "B"
            self._bar = _Bar(
                total=total or None,
                desc=title,
                unit=unit if of_bytes else f" {unit}",
                unit_scale=of_bytes,
            )
        if said:
            self._bar.set_postfix(said, refresh=False)
        self._bar.update(done - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
