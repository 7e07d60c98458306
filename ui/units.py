"""Numbers with their units, written alike on every page."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

MISSING = "–"


def percent(share: float | None, digits: int = 2) -> str:
    """A share as a percentage; a missing one is a dash.

    >>> percent(0.9895)
    '98.95 %'
    """
    if share is None or math.isnan(share):
        return MISSING
    return f"{100 * share:.{digits}f} %"


def count(number: int) -> str:
    """A whole number with its thousands set apart.

    >>> count(887530)
    '887,530'
    """
    return f"{number:,}"


def size(count: float | None) -> str:
    """A number of bytes in the unit that suits it; a missing one is a dash.

    >>> [size(count) for count in (512, 71_680_000, 13_271_040_000)]
    ['512 bytes', '68.4 MiB', '12.4 GiB']
    """
    if count is None:
        return MISSING
    for unit, one in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= one:
            return (
                f"{count / one:.1f} {unit}" if count < 100 * one else f"{count / one:,.0f} {unit}"
            )
    return f"{count:.0f} bytes"


def figure(number: float | None) -> str:
    """A figure without a unit, such as a loss; a missing one is a dash.

    >>> figure(0.03127)
    '0.0313'
    """
    return MISSING if number is None or math.isnan(number) else f"{number:.4f}"


def points(difference: float) -> str:
    """A difference of two shares in percentage points, with its sign.

    >>> points(0.0331), points(-0.002)
    ('+3.31 pp', '−0.20 pp')
    """
    return f"{100 * difference:+.2f} pp".replace("-", "−")


def interval(bounds: tuple[float, float], written: Callable[[float], str]) -> str:
    """A 95 % interval, both ends as `written`, the unit once.

    >>> interval((0.9873, 0.9913), percent)
    '95 %: 98.73 to 99.13 %'
    """
    low, high = bounds
    return f"95 %: {written(low).rpartition(' ')[0]} to {written(high)}"


def superscripts(text: str) -> str:
    """Text with its powers of ten raised.

    >>> superscripts("less than 1 in 10^59")
    'less than 1 in 10⁵⁹'
    """
    return re.sub(r"\^(\d+)", lambda power: power[1].translate(_RAISED), text)


_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def p_value(p: float) -> str:
    """A probability that may be very small.

    >>> [p_value(p) for p in (0.21, 0.0004, 3e-61, 0.0)]
    ['0.21', '0.0004', '3e-61', '< 1e-300']
    """
    return "< 1e-300" if p == 0 else f"{p:.1g}" if p < 0.001 else f"{p:.2g}"


def duration(seconds: float | None) -> str:
    """A time span in the two units that matter; a missing one is a dash.

    >>> [duration(s) for s in (0.84, 42.3, 65, 3725)]
    ['0.8 s', '42 s', '1 min 05 s', '1 h 02 min']
    """
    if seconds is None or math.isnan(seconds):
        return MISSING
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left:02d} min" if hours else f"{minutes} min {rest:02d} s"
