"""The images of a dataset, page by page, and beside them the one that was clicked."""

from __future__ import annotations

import numpy as np

from ui.data import link
from ui.data.shown import Shown
from ui.gallery import Part, gallery

PER_PAGE = 120


def show(shown: Shown) -> None:
    """The grid."""
    part = shown.parts[0]
    labels = shown.labels(part)
    indices = np.arange(min(PER_PAGE, len(labels)))
    captions = [[Part(shown.class_name(int(labels[index])))] for index in indices]
    clicked = gallery(shown.small(part, indices, 112), captions, key="data_gallery")
    if clicked is not None:
        link.keep({"image": int(indices[clicked])})
