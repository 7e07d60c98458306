"""What a training took of the machine: speed, processor, memory, GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.registry.history import History, Line
from core.registry.run import Run
from ui import theme
from ui.plots.beside import beside
from ui.plots.charts import Chart, Scale, Series, line_chart
from ui.runs.histories import history_of


def machine(run: Run) -> None:
    """What the training took of the machine, in charts that are drawn where they are unfolded."""
    folded = st.expander(
        "Speed and machine", icon=":material/memory:", key=f"machine_{run.id}", on_change="rerun"
    )
    if not folded.open:
        return
    with folded, history_of(run) as history:
        if not history.usage:
            st.caption("Nothing was measured yet: that happens every few seconds of training.")
            return
        charts = [chart for chart in _machine_charts(history) if len(chart.line[0])]
        for column, chart in zip(beside("machine", max(1, len(charts))), charts, strict=False):
            with column:
                _machine_chart(run, chart)


class MachineChart(NamedTuple):
    """One value over the seconds that training took; `finding` is said of its typical value."""

    name: str
    finding: str
    y_title: str
    line: Line
    number_format: str
    typical: Callable[[NDArray[np.float64]], float] = np.median


def _machine_charts(history: History) -> list[MachineChart]:
    def line(value: str, unit: float = 1.0) -> Line:
        places, values = history.usage_line(value)
        return places, values / unit

    shares = [name for name in history.usage[-1] if name.endswith("_load")]
    return [
        MachineChart(
            "Images per second",
            "About {:,.0f} images per second",
            "images per second",
            line("images_per_second"),
            ",.0f",
        ),
        MachineChart(
            "Processor cores", "About {:.1f} processor cores at work", "cores", line("cores"), ".1f"
        ),
        MachineChart(
            "Memory",
            "At most {:.2f} GiB of memory taken",
            "memory (GiB)",
            line("memory", 2**30),
            ".2f",
            np.max,
        ),
        MachineChart(
            "Free memory",
            "At least {:.2f} GiB of memory left",
            "free memory (GiB)",
            line("free_memory", 2**30),
            ".2f",
            np.min,
        ),
        *(
            MachineChart(
                f"{name.removesuffix('_load').upper()} at work",
                f"{name.removesuffix('_load').upper()} at work {{:.0%}} of the time",
                "share of time",
                line(name),
                ".0%",
            )
            for name in shares
        ),
    ]


def _machine_chart(run: Run, chart: MachineChart) -> None:
    line_chart(
        Chart(
            [Series(chart.name, *chart.line, color=theme.run_color(run.request.color))],
            title=chart.finding.format(chart.typical(chart.line[1])).replace("%", " %"),
            x=Scale("seconds of training"),
            y=Scale(chart.y_title, chart.number_format),
            height=190,
            legend=False,
        ),
        key=f"{chart.name}_{run.id}",
        view=run.id,
        group="machine",
    )
