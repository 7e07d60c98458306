"""What came of an import: what was found, left out and why, doubled, uneven."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import streamlit as st

from core.imported.report import ImportReport, Skipped, Span
from ui import lab, units
from ui.data import doubles
from ui.data.counts import by_class
from ui.data.overview import tell_balance
from ui.data.shown import PART_NAMES, Shown
from ui.frame import icons
from ui.plots.figures import Figure, figures

MOST_REASONS = 8
_ALIKE = "Images that are the same as one before them, pixel for pixel or file for file."
_ALMOST_ALIKE = "Images that look like one before them, but differ in some pixels."


def show(shown: Shown) -> None:
    """The report of an imported dataset, as it was when it was imported."""
    dataset = shown.imported
    if dataset is None:
        st.info("This dataset is built in: nothing was imported.", icon=icons.NOTE)
        return
    report = dataset.report
    _figures(report)
    _tell_parts(report)
    _tell_leakage(report.leaked, shown.images["test"])
    if report.skipped:
        _skipped(shown.name, report.skipped)
    _classes(shown)
    doubles.show(shown, dataset, report)


def _figures(report: ImportReport) -> None:
    figures(
        Figure("Found", units.count(report.found), "Files or rows that were looked at."),
        Figure("Imported", units.count(report.imported), None, _took(report)),
        Figure("Left out", units.count(len(report.skipped)), "Each stands below, with the reason."),
        Figure("Alike", units.count(report.exact_doubles.images), _ALIKE),
        Figure("Almost alike", units.count(report.near_doubles.images), _ALMOST_ALIKE),
    )
    st.caption(f"{_size(report)} {_colors(report)}")


def _took(report: ImportReport) -> str:
    return f"in {units.duration(report.seconds)}" if report.seconds else ""


def _size(report: ImportReport) -> str:
    widths, heights = report.widths, report.heights
    if widths.smallest == widths.largest and heights.smallest == heights.largest:
        return f"All are {widths.usual} × {heights.usual} pixels."
    return f"{_span(widths)} pixels wide and {_span(heights)} high."


def _span(span: Span) -> str:
    if span.smallest == span.largest:
        return units.count(span.usual)
    low, high = units.count(span.smallest), units.count(span.largest)
    return f"{low} to {high} (usually {units.count(span.usual)})"


def _colors(report: ImportReport) -> str:
    if report.grey in (0, report.imported):
        return "All are grey." if report.grey else "All have colours."
    coloured = units.count(report.imported - report.grey)
    return f"{coloured} have colours, {units.count(report.grey)} are grey."


def _tell_parts(report: ImportReport) -> None:
    """Which part came from where, where a person may have expected something else."""
    if report.held_out:
        st.info(
            f"What was imported had no test part: {units.percent(report.held_out, digits=0)} of "
            "each class was held out as one. Networks never learn from it.",
            icon=":material/call_split:",
        )
    if report.unlabelled:
        st.info(
            f"{units.count(report.unlabelled)} images have no label. They can be looked at, but no "
            "network learns from them or is tested on them. To have networks read them, hand the "
            "same files in on Predict, under Many pictures.",
            icon=":material/label_off:",
        )


def _tell_leakage(leaked: int, tested: int) -> None:
    """How many test images a network has seen before, and what that means."""
    if not leaked:
        return
    share = units.percent(leaked / tested, digits=1)
    st.warning(
        f"**{units.count(leaked)} of {units.count(tested)} test images ({share}) show "
        "what training images show too.** This is leakage: a network that has learned them by "
        "heart gets them right without having understood anything, so its test accuracy will look "
        "better than it is. "
        "They stand first among the duplicates below; take one of each out and import anew.",
        icon=":material/water_drop:",
    )


def _skipped(name: str, skipped: tuple[Skipped, ...]) -> None:
    """What was left out: how often for each reason, then file by file."""
    st.subheader("Left out", anchor=False)
    reasons = Counter(item.reason for item in skipped).most_common()
    lines = [
        f"- {units.count(count)} × {lab.plain(reason)}" for reason, count in reasons[:MOST_REASONS]
    ]
    if len(reasons) > MOST_REASONS:
        lines.append(f"- and {units.count(len(reasons) - MOST_REASONS)} other reasons")
    st.markdown("\n".join(lines))
    table = pd.DataFrame(
        {"File": [item.name for item in skipped], "Why": [item.reason for item in skipped]}
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.text_input(
            "Search",
            key="report_search",
            placeholder="Part of a name or reason",
            icon=icons.SEARCH,
            label_visibility="collapsed",
            width=320,
        )
        st.download_button(
            "All as CSV",
            table.to_csv(index=False).encode(),
            f"{name}-left-out.csv",
            "text/csv",
            icon=icons.DOWNLOAD,
            on_click="ignore",
        )
    if wanted:
        whole = table["File"] + "\n" + table["Why"]
        table = table[whole.str.contains(wanted, case=False, regex=False)]
        st.caption(f"{units.count(len(table))} of {units.count(len(skipped))}")
    st.dataframe(
        table,
        hide_index=True,
        height="auto",
        column_config={"File": st.column_config.TextColumn(width="medium")},
    )


def _classes(shown: Shown) -> None:
    """How many images of each class each part has, and how even that is."""
    counted = by_class(shown)
    if not counted:
        return
    st.subheader("Images of each class", anchor=False)
    tell_balance(shown, counted)
    columns = {PART_NAMES[part]: counts for part, counts in counted.items()}
    st.dataframe(
        pd.DataFrame({"Class": shown.class_names} | columns),
        hide_index=True,
        height="auto",
        column_config={name: st.column_config.NumberColumn(format="localized") for name in columns},
    )
