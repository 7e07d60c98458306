"""Ids of runs: the time of their making, so that they sort by it."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

_ID = "%Y%m%d-%H%M%S-%f"


def next_id(now: datetime, taken: Collection[str]) -> str:
    """An id that sorts after all others, also where the clock was set back since.

    >>> next_id(datetime(2026, 5, 3), {"20260504-000000-000009"})
    '20260504-000000-000010'
    """
    made_before = map(_time_of, sorted(taken, reverse=True))
    latest = next(filter(None, made_before), None)
    made = now.replace(tzinfo=None)
    if latest is not None and made <= latest:
        made = latest + timedelta(microseconds=1)
    return made.strftime(_ID)


def in_order(ids: Iterable[str]) -> list[str]:
    """Ids as runs are listed: the newest first, then those that tell no time, such as samples'.

    >>> in_order({"20260503-120000-000000", "sample-b", "20260504-120000-000000", "sample-a"})
    ['20260504-120000-000000', '20260503-120000-000000', 'sample-a', 'sample-b']
    """
    named = {run_id for run_id in ids if not run_id[:1].isdigit()}
    return [*sorted(set(ids) - named, reverse=True), *sorted(named)]


def _time_of(run_id: str) -> datetime | None:
    try:
        return datetime.strptime(run_id, _ID)
    except ValueError:
        return None  # somebody else's folder
