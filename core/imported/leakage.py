"""Test images that show what training images show too."""

from dataclasses import dataclass
from itertools import chain

import numpy as np

from core.imported.dataset import PARTS, ImportedDataset
from core.imported.report import ImportReport


@dataclass(frozen=True)
class Leakage:
    """How many of the test images are found among the training images, exactly or nearly."""

    leaked: int
    tested: int


def leakage(dataset: ImportedDataset, report: ImportReport) -> Leakage:
    """How many test images of a dataset a network that learned from it has seen."""
    train, test = PARTS.index("train"), PARTS.index("test")
    leaked: set[int] = set()
    for group in chain(report.exact, report.near):
        positions = np.array(group.positions)
        parts = dataset.parts[positions]
        if train in parts:
            leaked.update(positions[parts == test].tolist())
    return Leakage(len(leaked), int(np.sum(dataset.parts == test)))
