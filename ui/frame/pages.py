"""The pages there are, in the order of the sidebar."""

from __future__ import annotations

from typing import NamedTuple

from ui.frame import icons


class Page(NamedTuple):
    """A page of the sidebar: its script, its name and its Material icon."""

    script: str
    name: str
    icon: str


PAGES = (
    Page("app.py", "Overview", icons.OVERVIEW),
    Page("pages/1_Data.py", "Data", icons.DATA),
    Page("pages/2_Train.py", "Train", icons.TRAIN),
    Page("pages/3_Runs.py", "Runs", icons.RUNS),
    Page("pages/4_Compare.py", "Compare", icons.COMPARE),
    Page("pages/5_Predict.py", "Predict", icons.PREDICT),
)


def script_of(name: str) -> str:
    """The script of the page with that name."""
    return next(page.script for page in PAGES if page.name == name)
