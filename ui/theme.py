"""Colours and number formats, the same on every page."""

from __future__ import annotations

import html
import math
import re
import zlib
from collections.abc import Callable

RUN_COLORS = (
    "#2f7de1",
    "#e0700f",
    "#6d5ba9",
    "#0b7332",
    "#c6250f",
    "#cb78b6",
    "#089ced",
    "#885375",
    "#8d996e",
    "#947580",
)
"""One colour per run; also `chartCategoricalColors` in .streamlit/config.toml.

Chosen to stay apart under normal, red-blind, green-blind and blue-blind vision, and to stand out
by 3 to 1 (WCAG 2.2, 1.4.11) from the light and the dark background alike.
"""

OUTCOME_COLORS = {
    "both_right": "#8a94a6",
    "both_wrong": "#b0468f",
}
"""Colours of the outcomes that belong to neither run; the other two take the run's own."""

WATCHED_COLOR = "#8a94a6"
"""What is watched beside a run, such as its validation images."""

TRAINED_COLOR, FROZEN_COLOR = RUN_COLORS[1], RUN_COLORS[0]
"""Layers that training changes, warm, and those that it leaves as they are, cold."""

FILLED_COLOR = "#1f66c9"
"""What stands behind white text. The primary colour of the dark theme is too light for that, as it
must be readable as text itself."""

STYLE = f"""<style>
button[data-testid="stBaseButton-primary"]:not(:disabled), .stMultiSelect span[data-tag] {{
  background-color: {FILLED_COLOR}; border-color: {FILLED_COLOR};
}}
button[data-testid="stBaseButton-primary"]:not(:disabled):hover {{ filter: brightness(0.88); }}
</style>"""
"""Mends what Streamlit draws with a contrast of less than 4.5 to 1; part of every page."""

MISSING = "–"


def run_color(run: int | str) -> str:
    """Colour of a run, by its place among the runs shown (0 is A, 1 is B) or by its id.

    An id keeps its colour wherever it appears, but two ids may share one; a place is unique up to
    ten runs.
    """
    place = run if isinstance(run, int) else zlib.crc32(run.encode())
    return RUN_COLORS[place % len(RUN_COLORS)]


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


def points(difference: float) -> str:
    """A difference of two shares in percentage points, with its sign.

    >>> points(0.0331), points(-0.002)
    ('+3.31 pp', '−0.20 pp')
    """
    return f"{100 * difference:+.2f} pp".replace("-", "−")


def interval(bounds: tuple[float, float], figure: Callable[[float], str]) -> str:
    """A 95 % interval, both ends written by `figure`, the unit once.

    >>> interval((0.9873, 0.9913), percent)
    '95 %: 98.73 to 99.13 %'
    """
    low, high = bounds
    return f"95 %: {figure(low).rpartition(' ')[0]} to {figure(high)}"


def swatch(color: str, text: str) -> str:
    """A line of HTML: a square of a colour, then text."""
    square = f"display:inline-block;width:.7rem;height:.7rem;border-radius:2px;background:{color}"
    line = "font-size:.875rem;overflow-wrap:anywhere"
    return f'<span style="{line}"><i style="{square}"></i> {html.escape(text)}</span>'


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
