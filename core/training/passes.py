"""Which images each step is fed, and how much each class counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data.datasets import Splits
from core.data.pictures import Positions
from core.registry.config import RunConfig


@dataclass(frozen=True)
class Passes:
    """The batches of pass after pass over `count` images, the first pass numbered `first`.

    Each pass takes every image once, in an order that seed and pass alone decide.
    """

    seed: int
    first: int
    count: int
    batch_size: int

    @property
    def batches(self) -> int:
        """Batches of one pass; the last may be smaller."""
        return -(-self.count // self.batch_size)

    def take(self, done: int, steps: int) -> list[tuple[int, Positions]]:
        """The next `steps` batches after the first `done`: the pass and the images' positions."""
        taken: list[tuple[int, Positions]] = []
        while len(taken) < steps:
            complete, within = divmod(done + len(taken), self.batches)
            number = self.first + complete
            upcoming = self._pass(number)[within : within + steps - len(taken)]
            taken += [(number, positions) for positions in upcoming]
        return taken

    def _pass(self, number: int) -> list[Positions]:
        order = np.random.default_rng([self.seed, number]).permutation(self.count)
        starts = range(0, self.count, self.batch_size)
        return [order[start : start + self.batch_size] for start in starts]


def class_weights(config: RunConfig, splits: Splits) -> NDArray[np.float32] | None:
    """How much an image of each class counts, (classes,); None where all count alike.

    `balanced` is images / (classes * images of the class) (King and Zeng, 2001; scikit-learn's
    word for it). A class without images counts nothing.
    """
    if config.class_weights == "none":
        return None
    if config.class_weights == "balanced":
        classes = len(config.class_names)
        counts = np.bincount(splits.train.labels, minlength=classes)
        return np.where(counts, len(splits.train) / (classes * np.maximum(counts, 1)), 0).astype(
            np.float32
        )
    return np.array(config.class_weights, np.float32)
