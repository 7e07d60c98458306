"""The dataset that the page shows, whether it is built in or was imported."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.imported.dataset import ImportedDataset, Part
from core.preprocessing import Pixels


@dataclass(frozen=True, eq=False)
class Shown:
    """A dataset whose images are at hand.

    name: as in `data.name`. imported: the dataset in the workspace, None of a built-in one.
    """

    name: str
    label: str
    class_names: tuple[str, ...]
    digits: bool
    imported: ImportedDataset | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that hold images."""
        raise NotImplementedError

    def labels(self, part: Part) -> NDArray[np.int64]:
        """(count,), an index into the class names; -1 for an image without a label."""
        raise NotImplementedError

    def picture(self, part: Part, index: int) -> Pixels:
        """One image in its own size, (height, width) or (height, width, 3)."""
        raise NotImplementedError

    def small(self, part: Part, indices: NDArray[np.int64], side: int) -> NDArray[np.uint8]:
        """Images (n, height, width[, 3]), all of one size with sides up to `side`, for a grid."""
        raise NotImplementedError

    def called(self, part: Part, index: int) -> str:
        """What one image was called where it came from."""
        raise NotImplementedError
