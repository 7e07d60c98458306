"""What the runs of a workspace tell: whether a general network beats one built for the task."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Literal

from core.registry.run import Run

Kind = Literal["built", "carried"]
"""Built for the task and trained from random weights, or carried over from other images."""


@dataclass(frozen=True, eq=False)
class Story:
    """The best network of each kind on one test split, as far as there are any.

    alike: whether both learned from equally many images for equally many epochs. best: a third
    network that gets more of the same test images right than either.
    """

    dataset: str = ""
    built: Run | None = None
    carried: Run | None = None
    alike: bool = False
    best: Run | None = None

    @property
    def pair(self) -> tuple[Run, Run] | None:
        """Both networks of the question, once there are both."""
        return None if self.built is None or self.carried is None else (self.built, self.carried)


def kind_of(run: Run) -> Kind | None:
    """The side of the question that a run's network is on; None for a backbone from scratch."""
    network = run.config.network
    if network.architecture == "cnn":
        return "built"
    return None if network.mode == "scratch" else "carried"


def tell(runs: Iterable[Run]) -> Story:
    """The story of the test split that networks of both kinds were tested on last.

    runs: the newest first. Where no split has both kinds, that of the newest result.
    """
    splits: dict[str, list[Run]] = {}
    for run in runs:
        if run.has_results:
            splits.setdefault(run.state.test_fingerprint, []).append(run)
    if not splits:
        return Story()
    both = (split for split in splits.values() if len(_by_kind(split)) == 2)
    return _of(next(both, next(iter(splits.values()))))


def accuracy(run: Run) -> float:
    """The share of its test images that a run got right, 0 where that is not known."""
    share = run.state.metrics.get("test_accuracy")
    return 0.0 if share is None or isnan(share) else share


def _of(split: Sequence[Run]) -> Story:
    name, first = split[0].config.data.name, max(split, key=accuracy)
    kinds = _by_kind(split)
    if len(kinds) < 2:
        built = max(kinds.get("built", ()), key=accuracy, default=None)
        carried = max(kinds.get("carried", ()), key=accuracy, default=None)
        return Story(name, built, carried, best=None if first in (built, carried) else first)
    pair, alike = _pair(kinds, first)
    beaten = accuracy(first) > max(map(accuracy, pair))
    return Story(name, *pair, alike, first if beaten else None)


def _pair(kinds: dict[Kind, list[Run]], first: Run) -> tuple[tuple[Run, Run], bool]:
    """The pair that answers the question, and whether its networks were trained alike.

    The best two that were trained alike, unless the best network of all is on the other side: an
    answer that the best network belies would be none.
    """
    built, carried = _by_training(kinds["built"]), _by_training(kinds["carried"])
    alike = [(built[how], carried[how]) for how in built if how in carried]
    fair = max(alike, key=lambda pair: sum(map(accuracy, pair)), default=None)
    if fair is not None and kind_of(first) in (None, kind_of(max(fair, key=accuracy))):
        return fair, True
    best = max(kinds["built"], key=accuracy), max(kinds["carried"], key=accuracy)
    return best, best == fair


def _by_training(runs: Iterable[Run]) -> dict[tuple[int, int | None, bool], Run]:
    """The best run of each way to train: epochs, images, and whether these were varied."""
    best: dict[tuple[int, int | None, bool], Run] = {}
    for run in runs:
        config = run.config
        how = run.state.epochs_done, config.data.train_images, config.augmentation.active
        if how not in best or accuracy(run) > accuracy(best[how]):
            best[how] = run
    return best


def _by_kind(runs: Iterable[Run]) -> dict[Kind, list[Run]]:
    kinds: dict[Kind, list[Run]] = {}
    for run in runs:
        if (kind := kind_of(run)) is not None:
            kinds.setdefault(kind, []).append(run)
    return kinds
