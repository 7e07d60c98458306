"""What is told of an import, made of what was written and found."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.imported.batches import Written
from core.imported.dataset import PARTS
from core.imported.report import (
    LISTED_GROUPS,
    Doubled,
    Doubles,
    ImportReport,
    Skipped,
    Span,
)
from core.importing.duplicates import Duplicates, Positions

TRAIN, TEST = PARTS.index("train"), PARTS.index("test")


def report_of(
    written: Written,
    duplicates: Duplicates,
    class_names: Sequence[str],
    skipped: Sequence[Skipped],
    held_out: float,
) -> ImportReport:
    """Everything but the seconds that the import took."""
    labels, parts = written.labels, written.parts
    images: dict[str, tuple[int, ...]] = {
        part: _counts(labels[parts == number], len(class_names))
        for number, part in enumerate(PARTS)
    }
    exact, exact_doubles = _doubled(duplicates.exact, written)
    near, near_doubles = _doubled(duplicates.near, written)
    return ImportReport(
        found=len(labels) + len(skipped),
        imported=len(labels),
        images=images,
        unlabelled=int(np.sum(labels < 0)),
        held_out=held_out,
        skipped=tuple(skipped),
        widths=_span(written.sizes[:, 1]),
        heights=_span(written.sizes[:, 0]),
        grey=int(np.sum(written.sizes[:, 2] == 1)),
        imbalance=_imbalance(images["train"]),
        exact=exact,
        near=near,
        exact_doubles=exact_doubles,
        near_doubles=near_doubles,
        leaked=_leaked(parts, duplicates.together),
    )


def _counts(labels: NDArray[np.int32], classes: int) -> tuple[int, ...]:
    return tuple(np.bincount(labels[labels >= 0], minlength=classes).tolist())


def _span(values: NDArray[np.int32]) -> Span:
    usual = int(np.median(values))
    return Span(smallest=int(values.min()), usual=usual, largest=int(values.max()))


def _imbalance(counts: Sequence[int]) -> float:
    return max(counts) / min(counts) if counts and min(counts) else 0.0


def _doubled(groups: Sequence[Positions], written: Written) -> tuple[tuple[Doubled, ...], Doubles]:
    """The groups to be listed, and how many there are of each kind."""
    found = [
        Doubled(
            positions=tuple(group.tolist()),
            across=_differ(written.parts[group]),
            disagree=_differ(written.labels[group][written.labels[group] >= 0]),
        )
        for group in groups
    ]
    doubles = Doubles(
        groups=len(found),
        images=sum(len(group.positions) - 1 for group in found),
        across=sum(group.across for group in found),
        disagree=sum(group.disagree for group in found),
    )
    found.sort(key=lambda group: (not group.across, not group.disagree))
    return tuple(found[:LISTED_GROUPS]), doubles


def _differ(values: NDArray[Any]) -> bool:
    return bool(np.any(values != values[:1]))


def _leaked(parts: NDArray[np.uint8], together: Positions) -> int:
    """How many test images show what a training image shows."""
    return int(np.sum(np.isin(together[parts == TEST], together[parts == TRAIN])))
