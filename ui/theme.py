"""Colours, the same on every page."""

from __future__ import annotations

import html
import zlib

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


SURFACE, LINK = ("#ffffff", "#13171d"), ("#1f5fbf", "#8ab8ff")
"""Background and links in light and in dark, as in .streamlit/config.toml."""


def run_color(run: int | str) -> str:
    """Colour of a run, by its place among the runs shown (0 is A, 1 is B) or by its id.

    An id keeps its colour wherever it appears, but two ids may share one; a place is unique up to
    ten runs.
    """
    place = run if isinstance(run, int) else zlib.crc32(run.encode())
    return RUN_COLORS[place % len(RUN_COLORS)]


def swatch(color: str, text: str) -> str:
    """A line of HTML: a square of a colour, then text."""
    square = f"display:inline-block;width:.7rem;height:.7rem;border-radius:2px;background:{color}"
    line = "font-size:.875rem;overflow-wrap:anywhere"
    return f'<span style="{line}"><i style="{square}"></i> {html.escape(text)}</span>'
