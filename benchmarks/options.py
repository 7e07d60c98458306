"""What a person chose for this run of the benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TRAIN_IMAGES, TEST_IMAGES = 60_000, 10_000
FEWEST_TRAIN, FEWEST_TEST = 90, 20
"""So few images are a batch and a bit, the least that takes the way that all images take."""


@dataclass(frozen=True)
class Options:
    """How much is measured, and a folder for what is made meanwhile.

    fraction: share of the images in every training. baseline_fraction: share of the images that
    the baselines of one epoch take at most, baseline_epochs: epochs that those of several take at
    most, None for each benchmark's own.
    """

    scratch: Path
    repeats: int = 3
    fraction: float = 1.0
    baseline_fraction: float | None = None
    baseline_epochs: int | None = None

    @property
    def whole(self) -> bool:
        """Whether all images are used, so that accuracies and ratios say something."""
        return self.fraction == 1


def image_counts(
    share: float, train: int = TRAIN_IMAGES, test: int = TEST_IMAGES
) -> tuple[int, int]:
    """Training and test images of a share of so many, all of MNIST if not said otherwise."""
    return max(FEWEST_TRAIN, round(share * train)), max(FEWEST_TEST, round(share * test))
