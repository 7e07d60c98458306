"""What both networks were fed of one image, and what they make of its values before they begin."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.data.data_config import DataConfig
from core.data.preprocessing import for_network
from core.network.architectures import ARCHITECTURES
from core.network.network_config import NetworkConfig
from ui import lab
from ui.asked_network import failures_of_one
from ui.compare.asked import Asked, both, heading
from ui.compare.view import View
from ui.pictures.picture import picture

SIDE = 240
"""Pixels that an image is shown in."""

WITHIN = {
    "unit": "Within, every value is divided by 255: black is 0, white is 1.",
    "tf": "Within, values are brought to between −1 (black) and 1 (white), as when the backbone "
    "learned from ImageNet.",
    "caffe": "Within, colours are put in the order blue, green, red and ImageNet's mean colour is "
    "taken off: values from −124 to 151, as when the backbone learned from ImageNet.",
}
"""What each scaling of pixels does. It is part of the network, which is fed 0 to 255."""


def show(view: View, position: int) -> None:
    """The image as each network takes it, side by side."""
    for column, asked in zip(st.columns(2), both(view, position), strict=True):
        with column:
            config = asked.side.run.config.network
            colors = "grey" if config.channels == 1 else "3 channels"
            heading(asked, f"{config.side} × {config.side}, {colors}")
            with failures_of_one():
                _show(asked, asked.image, config)


def _show(asked: Asked, image: NDArray[np.uint8], config: NetworkConfig) -> None:
    (fed,) = for_network(image[None], config.side, config.channels)
    picture(
        fed[..., 0] if config.channels == 1 else fed,
        side=SIDE,
        alt=f"Test image {asked.index} as {asked.letter} is fed it",
    )
    st.caption(f"{_resizing(asked, image, config)} {WITHIN[_scaling(config)]}")


def _resizing(asked: Asked, image: NDArray[np.uint8], config: NetworkConfig) -> str:
    """How the dataset's image became what the network takes."""
    height, width = image.shape[:2]
    if _comes_in_files(asked.side.run.config.data):
        size = "Resized from its file"
    elif (height, width) == (config.side, config.side):
        size = "As it is in the dataset"
    else:
        larger = config.side > min(height, width)
        size = f"{'Enlarged' if larger else 'Shrunk'} from {width} × {height} pixels"
    if image.ndim == 2 and config.channels == 3:
        return f"{size}, its grey in all three channels."
    if image.ndim == 3 and config.channels == 1:
        return f"{size}, its colours turned to grey."
    return f"{size}."


def _comes_in_files(data: DataConfig) -> bool:
    """Whether images are read in the size of the network, from files of many sizes."""
    dataset = lab.imported(data.name)
    return data.name == "folder" or (dataset is not None and not dataset.about.alike)


def _scaling(config: NetworkConfig) -> str:
    known = ARCHITECTURES[config.architecture].imagenet_scaling
    return "unit" if config.scaling == "unit" or known is None else known
