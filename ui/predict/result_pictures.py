"""A page of pictures with what each network takes them for, as a table or as a gallery."""

from __future__ import annotations

import base64
from itertools import takewhile
from typing import Any

import cv2
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.data.preprocessing import Pixels
from core.predicting.joint_readings import JointReadings, Positions
from core.predicting.readings import Named
from core.predicting.uploads import THUMBNAIL_SIDE, Refusal, thumbnail
from ui import lab, units
from ui.names import shortened
from ui.pictures.gallery import Part, gallery
from ui.predict.networks import Network

ROW_HEIGHT = 48
Joint = JointReadings[Network]


def table(joint: Joint, shown: Positions, *, key: str, height: int) -> int | None:
    """The pictures row by row; the place on the page of the one whose row was clicked."""
    asked = st.dataframe(
        _frame(joint, shown),
        hide_index=True,
        height=min(height, ROW_HEIGHT * len(shown) + 40),
        row_height=ROW_HEIGHT,
        on_select="rerun",
        selection_mode="single-cell",
        key=key,
        placeholder=units.MISSING,
        column_config=_columns(joint),
    )
    cells = asked["selection"]["cells"]
    return int(cells[0][0]) if cells else None


def _frame(joint: Joint, shown: Positions) -> pd.DataFrame:
    """One row for each picture."""
    names, labels = joint.one.class_names, joint.one.labels[shown]
    columns: dict[str, Any] = {
        "picture": [_data_url(joint, position) for position in shown.tolist()],
        "file": _short_names([joint.one.pictures[position].name for position in shown.tolist()]),
    }
    if len(joint.one.labelled):
        columns["true"] = [names[label] if label >= 0 else None for label in labels]
    for number in range(len(joint.of_each)):
        said = joint.said[number, shown]
        columns[f"said {number}"] = [
            f"{names[taken]} ✗" if label not in (-1, taken) else names[taken]
            for taken, label in zip(said, labels, strict=True)
        ]
        columns[f"sure {number}"] = joint.confidence[number, shown].astype(float)
    if len(joint.of_each) > 1:
        columns["agree"] = np.where(joint.disagree[shown], "no", "yes")
    return pd.DataFrame(columns)


def _short_names(names: list[str]) -> list[str]:
    """Names without the ZIP or folders that all of them lie in."""
    parts = [name.split("/") for name in names]
    folders = zip(*(whole[:-1] for whole in parts), strict=False)
    shared = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, folders))
    return ["/".join(whole[shared:]) for whole in parts]


def _columns(joint: Joint) -> dict[str, Any]:
    text = st.column_config.TextColumn
    columns: dict[str, Any] = {
        "picture": st.column_config.ImageColumn("Picture", width=60),
        "file": text("File", width=120),
        "true": text("True", width=55, help="The true class."),
        "agree": text("Agree", width=60, help="Whether all networks take it for the same class."),
    }
    for number, network in enumerate(joint.of_each):
        name = shortened(network.name, 24)
        columns[f"said {number}"] = text(
            name, width=80, help=f"What {lab.plain(network.name)} takes it for."
        )
        columns[f"sure {number}"] = st.column_config.ProgressColumn(
            "How sure",
            format="percent",
            min_value=0,
            max_value=1,
            width=95,
            help=f"The probability that {lab.plain(network.name)} gives this.",
        )
    return columns


def grid(
    joint: Joint, shown: Positions, *, key: str, height: int, selected: int | None
) -> int | None:
    """The pictures side by side; the place on the page of the one just clicked."""
    small = [_small(joint, position) for position in shown.tolist()]
    if len(joint.of_each) > 1:
        named = ", then ".join(lab.plain(network.name) for network in joint.of_each)
        st.caption(f"Under each picture: what it is taken for, and how surely, by {named}.")
    with st.container(height=height, border=False):
        return gallery(_of_one_size(small), _captions(joint, shown), key=key, selected=selected)


def _captions(joint: Joint, shown: Positions) -> list[list[Part]]:
    """Under each picture: the true class, then what each network takes it for and how surely."""
    names, labels = joint.one.class_names, joint.one.labels[shown].tolist()
    captions = [[Part(f"true {names[label]}", "muted")] if label >= 0 else [] for label in labels]
    for number in range(len(joint.of_each)):
        said, sure = joint.said[number, shown], joint.confidence[number, shown]
        for caption, label, taken, share in zip(captions, labels, said, sure, strict=True):
            text = f"{names[taken]} {units.percent(float(share), digits=0)}"
            if label < 0:
                caption.append(Part(text))
            else:
                caption.append(Part(text, "good" if label == taken else "bad"))
    return captions


def _data_url(joint: Joint, position: int) -> str:
    jpeg = _jpeg(joint, position)
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _jpeg(joint: Joint, position: int) -> bytes:
    named: Named = joint.one.pictures[position]
    return named.thumbnail or thumbnail(_small(joint, position))


def _small(joint: Joint, position: int) -> Pixels:
    """A picture no larger than a thumbnail."""
    named: Named = joint.one.pictures[position]
    if named.thumbnail:
        buffer = np.frombuffer(named.thumbnail, np.uint8)
        return np.asarray(cv2.imdecode(buffer, cv2.IMREAD_COLOR_RGB), np.uint8)
    again = joint.again(int(joint.places[position]))
    return np.zeros((28, 28), np.uint8) if isinstance(again, Refusal) else again.pixels


def _of_one_size(pictures: list[Pixels]) -> NDArray[np.uint8]:
    """Pictures in the middle of squares of one size; grey where all of them are."""
    if len({picture.shape for picture in pictures}) == 1:
        return np.stack(pictures)
    squares = np.zeros((len(pictures), THUMBNAIL_SIDE, THUMBNAIL_SIDE, 3), np.uint8)
    for square, picture in zip(squares, pictures, strict=True):
        height, width = picture.shape[:2]
        top, left = (THUMBNAIL_SIDE - height) // 2, (THUMBNAIL_SIDE - width) // 2
        colored = picture if picture.ndim == 3 else cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
        square[top : top + height, left : left + width] = colored
    return squares
