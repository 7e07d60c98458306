"""The layers of a network as tables in which rows can be changed, added and removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import pandas as pd
import streamlit as st

from core.network.architectures import ConvolutionBlock
from core.network.network_config import Activation, HeadConfig
from core.registry import choices
from ui.train import fields
from ui.train.draft import Draft

Columns = Mapping[str, tuple[str, Any]]
"""The type of each column and how it is shown."""


def _ask_table(
    draft: Draft, setting: str, rows: Sequence[choices.Settings], columns: Columns
) -> Any:
    """A table whose rows can be changed, added and removed; the rows as they are now.

    Streamlit keeps what was changed and not the outcome, so what it is given stays as it was at
    first for as long as the table is on the page.
    """
    key = draft.table(setting)
    kept = f"_{key}"
    if key not in st.session_state or kept not in st.session_state:
        st.session_state[kept] = [dict(row) for row in rows]
    types = {name: kind for name, (kind, _) in columns.items()}
    edited = st.data_editor(
        pd.DataFrame(st.session_state[kept], columns=list(columns)).astype(types),
        key=key,
        num_rows="dynamic",
        hide_index=True,
        column_config={name: shown for name, (_, shown) in columns.items()},
    )
    return edited.dropna().to_dict("records")


def _whole(title: str, first: int, most: int, meaning: str | None) -> tuple[str, Any]:
    return "Int64", st.column_config.NumberColumn(
        title, default=first, min_value=1, max_value=most, step=1, required=True, help=meaning
    )


def _share(title: str, first: float, meaning: str | None) -> tuple[str, Any]:
    return "float64", st.column_config.NumberColumn(
        title, default=first, min_value=0.0, max_value=0.95, step=0.05, required=True, help=meaning
    )


def _one_of(title: str, options: Sequence[str], meaning: str | None) -> tuple[str, Any]:
    return "object", st.column_config.SelectboxColumn(
        title, options=options, default=options[0], required=True, help=meaning
    )


def ask_blocks(draft: Draft) -> None:
    """The CNN's blocks of convolutions, one a row."""
    meaning = {name: field.description for name, field in ConvolutionBlock.model_fields.items()}
    normalization = st.column_config.CheckboxColumn(
        "Batch normalization", default=False, required=True, help=meaning["batch_normalization"]
    )
    columns: Columns = {
        "filters": _whole("Filters", 64, 2048, meaning["filters"]),
        "kernel": _whole("Kernel", 3, 15, meaning["kernel"]),
        "convolutions": _whole("Convolutions", 2, 8, meaning["convolutions"]),
        "pooling": _one_of("Pooling", ("max", "average", "none"), meaning["pooling"]),
        "dropout": _share("Dropout", 0.25, meaning["dropout"]),
        "batch_normalization": ("bool", normalization),
    }
    setting = "network.blocks"
    title = fields.marked(draft, "Blocks of convolutions", setting)
    st.markdown(title, help=draft.field(setting).description)
    draft.values[setting] = _ask_table(draft, setting, draft.values[setting], columns)
    st.caption("Pooling, dropout and batch normalization stand to the right: scroll sideways.")


def ask_dense_layers(draft: Draft) -> None:
    """The dense layers of the head, one a row."""
    meaning = {name: field.description for name, field in HeadConfig.model_fields.items()}
    columns: Columns = {
        "units": _whole("Units", 256, 16384, "Numbers that the layer puts out."),
        "activation": _one_of("Activation", get_args(Activation), "What follows the layer's sums."),
        "dropout": _share("Dropout", 0.0, "Share of its outputs switched off while training."),
    }
    st.markdown(fields.marked(draft, "Dense layers", *choices.HEAD_LAYERS), help=meaning["dense"])
    setting = "network.head.dense"
    layers = _ask_table(draft, setting, choices.head_layers(draft.values), columns)
    draft.values.update(choices.head_settings(layers))
