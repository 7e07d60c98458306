"""What a run is, told before anything is shown of it: network, images, training, when and how."""

from __future__ import annotations

import streamlit as st

from core.network.architectures import ARCHITECTURES
from core.registry.config import RunConfig
from core.registry.run import Run
from ui import lab, units
from ui.train.fields import in_words


def headline(run: Run) -> None:
    """What trained on what and how, then when it was launched and what it ran with."""
    st.caption(
        f"{lab.plain(' · '.join(what(run.config)))}  \n{lab.plain(' · '.join(circumstances(run)))}"
    )


def what(config: RunConfig) -> list[str]:
    """The network, what of it trains, the images, and how they are gone through."""
    network, data = config.network, config.data
    images = f"{units.count(data.train_images)} images of " if data.train_images else ""
    epochs = f"{config.all_epochs} epoch{'s' * (config.all_epochs != 1)}"
    optimizer = in_words("optimizer")(config.optimizer)
    return [
        f"{ARCHITECTURES[network.architecture].label}{_MODES[network.mode]}",
        images + in_words("data.name")(data.name),
        f"{epochs} in batches of {config.batch_size}",
        f"{optimizer} at {config.learning_rate:g}",
    ]


_MODES = {
    "scratch": " from random weights",
    "transfer": ", frozen but for its head",
    "features": ", its output learned from",
    "finetune": ", its first layers frozen",
}


def circumstances(run: Run) -> list[str]:
    """When it was launched, from which recipe, and what it ran with, as far as that is known."""
    created = run.request.created.strftime("%d %B %Y, %H:%M").lstrip("0")
    told = [f"Launched {created}, from recipe {run.config.recipe}"]
    if run.state.precision:
        told.append(run.state.precision)
    if run.state.peak_memory:
        told.append(f"{units.size(run.state.peak_memory)} of memory at most")
    return told
