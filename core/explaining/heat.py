"""How strongly each field of a picture speaks for a class."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Heat:
    """How strongly each field of a picture speaks for a class.

    fields: (rows, columns) float32 from 0 to 1, which is the strongest; all 0 where none speaks
    for it.
    """

    fields: Map

    @property
    def empty(self) -> bool:
        """Whether no field speaks for the class."""
        return not self.fields.any()

    def over(self, height: int, width: int) -> Map:
        """The map as large as a picture, (height, width)."""
        return spread(self.fields, height, width)


def heat_of(activations: NDArray[Any], gradients: NDArray[Any]) -> Heat:
    """Grad-CAM from what a layer gave, (rows, columns, channels), and the gradients of it.

    Each channel counts as much as its gradients are on average; what speaks against the class is
    left out (Selvaraju et al., 2017, equations 1 and 2). Raises ValueError where a number is not
    finite.
    """
    importance = gradients.astype(np.float32).mean(axis=(0, 1))
    fields: Map = np.maximum(activations.astype(np.float32) @ importance, 0)
    if not np.isfinite(fields).all():
        raise ValueError("activations and gradients must be finite")
    strongest = fields.max()
    return Heat(fields / strongest if strongest > 0 else fields)


def spread(fields: Map, height: int, width: int) -> Map:
    """Values of equally large fields of a picture, in between them for the pixels in between.

    fields: (rows, columns). Returns (height, width).
    """
    large = cv2.resize(fields, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, dtype=np.float32)
