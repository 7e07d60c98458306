"""How many images of each class there are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.imported.dataset import Part
from ui.data.shown import Shown

Counts = Mapping[Part, NDArray[np.int64]]
"""Of each part with labels, how many images each class has, (classes,)."""


def by_class(shown: Shown) -> Counts:
    """How many images each class has, in the parts that have labels."""
    classes = len(shown.class_names)
    counted = {}
    for part in shown.parts:
        labels = shown.labels(part)
        if len(labelled := labels[labels >= 0]):
            counted[part] = np.bincount(labelled, minlength=classes)
    return counted
