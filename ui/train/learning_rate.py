"""How the learning rate will change from the first step of a run to its last."""

from __future__ import annotations

import streamlit as st

from core.registry.config import RunConfig
from core.training import schedules
from ui import theme
from ui.plots.charts import Chart, Mark, Scale, Series, line_chart
from ui.runs import findings
from ui.train.architecture import image_counts
from ui.train.fields import in_words

STEPS_WHERE_UNKNOWN = 100
"""Steps of an epoch of images that were not counted; only the schedule `time` goes by them."""


def show(config: RunConfig) -> None:
    """Draw the learning rate over all epochs of a configuration."""
    epochs, rates = zip(*schedules.drawn(config, steps_per_epoch(config)), strict=True)
    line_chart(
        Chart(
            [Series("learning rate", epochs, rates, theme.RUN_COLORS[0])],
            title=findings.of_rates(rates),
            hint="How far each training step will move the weights.",
            x=Scale("epoch"),
            y=Scale("learning rate", ".3~g", (0, 1.05 * max(rates))),
            height=220,
            legend=False,
            marks=[Mark(config.epochs, label="phase 2")] if len(config.phases) > 1 else [],
        ),
        key="learning_rate",
        view=config.model_dump_json(),
    )
    for remark in remarks(config):
        st.caption(remark)


def steps_per_epoch(config: RunConfig) -> list[int]:
    """Training steps of an epoch, in each phase."""
    if config.steps_per_epoch:
        return [config.steps_per_epoch] * len(config.phases)
    images = image_counts(config)
    if images is None:
        return [STEPS_WHERE_UNKNOWN] * len(config.phases)
    watched = config.data.validation
    held_back = round(watched * images[0]) if isinstance(watched, float) else 0
    return [-(-(images[0] - held_back) // phase.batch_size) for phase in config.phases]


def remarks(config: RunConfig) -> list[str]:
    """What the curve cannot say."""
    remarks = []
    if config.schedule == "plateau":
        monitor = in_words("decay.monitor")(config.decay.monitor)
        remarks.append(
            f"This is the most it can be: it falls whenever the {monitor} has not improved for "
            f"{config.decay.patience} epochs."
        )
    if len(config.phases) > 1:
        remarks.append("The second phase begins at the dotted line.")
    return remarks
