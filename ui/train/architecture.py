"""The network of a configuration, seen before it is trained: totals, a diagram, all layers."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.glossary import meaning_of
from core.network import precision
from core.network.blueprint import Blueprint, Row, blueprint
from core.registry.config import Phase, RunConfig
from ui import lab, units
from ui.plots.diagram import diagram, size
from ui.plots.figures import Figure, figures

UNKNOWN_CLASSES = 2
"""Classes that a network is drawn for while its folder of images is not known."""
TABLE_HEIGHT = 540


def show(config: RunConfig, cache_limit: int) -> None:
    """Show the network of a configuration, in a phase that the person chooses.

    cache_limit: bytes that the output of frozen layers may take.
    """
    network = layers_of(config)
    phase = choose_phase(config)
    show_totals(network, phase)
    if not config.class_names:
        st.caption(f"Drawn for {UNKNOWN_CLASSES} classes until the folder of images is named.")
    if keeps(config) and network.cached_numbers(phase):
        show_cache(config, network, phase, cache_limit)
    kept = [
        keeps(config) and (kept_bytes(config, network, each) or 0) <= cache_limit
        for each in range(len(network.phases))
    ]
    diagram(network, phase, kept=kept[phase], key="diagram")
    show_layers(network, kept)


def layers_of(config: RunConfig) -> Blueprint:
    """The layers of a configuration's network; of a folder not yet named, for two classes."""
    if config.class_names:
        return config.blueprint
    frozen_counts = tuple(phase.frozen_count for phase in config.phases)
    return blueprint(config.network, UNKNOWN_CLASSES, frozen_counts)


def show_totals(network: Blueprint, phase: int) -> None:
    """How many numbers the network has, and how many of them train."""
    counted = network.phases[phase]
    shown = [
        Figure("Parameters", units.count(counted.total), _PARAMETERS),
        Figure("Trained", units.count(counted.trainable), _TRAINED),
    ]
    if counted.frozen:
        shown.append(Figure("Frozen", units.count(counted.frozen), _FROZEN))
    figures(*shown)


_PARAMETERS = meaning_of("parameter")
_TRAINED = "Parameters that training changes."
_FROZEN = f"Parameters of frozen layers. {meaning_of('frozen')}"


def show_cache(config: RunConfig, network: Blueprint, phase: int, limit: int) -> None:
    """What keeping the output of the frozen layers takes on disk."""
    of_image = units.size(network.cached_numbers(phase) * bytes_of_number(config))
    whole = kept_bytes(config, network, phase)
    if whole is None:
        words = f"**{of_image}** per image on disk."
    elif whole <= limit:
        words = f"**{units.size(whole)}** on disk, {of_image} per image."
    else:
        words = (
            f"**{units.size(whole)}**, and the cache may hold {units.size(limit)}: they run in "
            "every epoch. A smaller side, fewer images or a larger limit, at the end of Runs, "
            "would make it fit."
        )
    st.caption(f"Output of the frozen layers: {words}", help=_KEPT)


_KEPT = (
    "What the frozen layers put out, computed once per image; the next run with the same frozen "
    "layers and images finds it there."
)


def keeps(config: RunConfig) -> bool:
    """Whether the output of frozen layers for the training images is kept."""
    return config.cache_features and (
        not config.augmentation.active or config.augmentation.passes > 0
    )


def bytes_of_number(config: RunConfig) -> int:
    """Bytes that each number of the output of frozen layers takes where it is kept."""
    resolved = precision.resolve(config.precision, precision.cpu_flags())
    return 4 if resolved == "float32" else 2


def kept_bytes(config: RunConfig, network: Blueprint, phase: int) -> int | None:
    """Bytes that the output of the frozen layers takes, None where images are not counted."""
    images = image_counts(config)
    if images is None:
        return None
    train, test = images
    count = train * (config.augmentation.passes or 1) + test + _own_to_validate_with(config)
    return network.cached_numbers(phase) * bytes_of_number(config) * count


def image_counts(config: RunConfig) -> tuple[int, int] | None:
    """Images for training, those held back among them, and for testing, as far as known."""
    data, facts = config.data, config.data.facts
    train, test = facts.train_images, facts.test_images
    if (dataset := lab.imported(data.name)) is not None:
        train, test = dataset.about.images["train"], dataset.about.images["test"]
    if train is None or test is None:
        return None
    return min(train, data.train_images or train), min(test, data.test_images or test)


def _own_to_validate_with(config: RunConfig) -> int:
    """Images that a dataset brings to validate with, where they are used."""
    if config.data.validation != "own" or (dataset := lab.imported(config.data.name)) is None:
        return 0
    return dataset.about.images["validation"]


def choose_phase(config: RunConfig) -> int:
    """The phase to draw, counted from 0; there is nothing to choose where there is only one."""
    if len(config.phases) == 1:
        return 0
    words = [f"Phase {phase.number}: {_epochs(phase, config)}" for phase in config.phases]
    chosen = st.segmented_control(
        "Phase of training", words, default=words[0], required=True, key="phase"
    )
    return words.index(chosen) if chosen in words else 0


def _epochs(phase: Phase, config: RunConfig) -> str:
    first = 1 if phase.number == 1 else config.epochs + 1
    last = first + phase.epochs - 1
    return f"epoch {first}" if first == last else f"epochs {first} to {last}"


def show_layers(network: Blueprint, kept: Sequence[bool]) -> None:
    """All layers in a table; `kept` is that of `layer_table`."""
    table = layer_table(network, kept)
    st.markdown(f"**All {len(table)} layers**")
    fates = {title: st.column_config.TextColumn(help=_FATE) for title in table.columns[4:]}
    st.dataframe(
        table,
        hide_index=True,
        height=min(TABLE_HEIGHT, 36 * (len(table) + 1)),
        column_config={
            "Layer": st.column_config.TextColumn(width=130),
            "Kind": st.column_config.TextColumn(width=130),
            "Output": st.column_config.TextColumn(width=88),
            "Parameters": st.column_config.NumberColumn(format="localized", width=85),
            **fates,
        },
    )


_FATE = "Whether its weights change, and whether it is computed once per image and then kept."


def layer_table(network: Blueprint, kept: Sequence[bool]) -> pd.DataFrame:
    """One row per layer, with what becomes of it in each phase.

    kept tells, for each phase, whether the output of frozen layers is kept.
    """
    rows, phases = network.rows, range(len(kept))
    titles = ["Training"] if len(kept) == 1 else [f"Phase {phase + 1}" for phase in phases]
    fates = {titles[phase]: [_fate(row, phase, kept[phase]) for row in rows] for phase in phases}
    return pd.DataFrame(
        {
            "Layer": [row.name for row in rows],
            "Kind": [row.kind for row in rows],
            "Output": [size(row.shape) for row in rows],
            "Parameters": [row.parameters for row in rows],
            **fates,
        }
    )


def _fate(row: Row, phase: int, kept: bool) -> str:
    weights = "" if not row.parameters else "frozen" if row.frozen[phase] else "trains"
    once = "once" if row.once[phase] and kept else ""
    return ", ".join(filter(None, [weights, once])) or units.MISSING
