"""Several networks on one test split: who is better than whom, by more than chance explains."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.analysis.comparison import SIGNIFICANT, Side
from core.analysis.images import Judgement
from core.analysis.statistics import wilson_interval
from core.errors import NotComparable, TransferLabError
from core.registry.run import Run


@dataclass(frozen=True, eq=False)
class Contestant:
    """What a ranking needs of a network, which is little: which images it got right.

    right: (count,). loss: mean cross-entropy in nats.
    """

    run: Run
    epoch: int
    name: str
    fingerprint: str
    right: NDArray[np.bool_]
    loss: float

    @classmethod
    def read(cls, run: Run, epoch: int | None = None) -> "Contestant":
        """A run after an epoch, by default its best. Raises what `Side.read` raises."""
        side = Side.read(run, epoch)
        made = side.predictions
        loss = float(Judgement(made).loss.mean(dtype=np.float64))
        return cls(run, side.epoch, side.name, made.fingerprint, made.correct, loss)

    @property
    def count_right(self) -> int:
        """Images taken for what they are."""
        return int(np.count_nonzero(self.right))

    @property
    def accuracy(self) -> float:
        """Share of the images taken for what they are."""
        return self.count_right / len(self.right)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the accuracy (Wilson)."""
        return wilson_interval(self.count_right, len(self.right))

    @property
    def order(self) -> tuple[float, float]:
        """The smaller, the better; a loss that is no number is worse than any."""
        return -self.count_right, math.inf if math.isnan(self.loss) else self.loss


@dataclass(frozen=True)
class LeftOut:
    """A run that cannot take part, and why."""

    run: Run
    reason: str


@dataclass(frozen=True, eq=False)
class Ranking:
    """Networks on one test split, best first, and each pair of them compared.

    The arrays are (networks, networks), in the order of the ranking: `only` counts the images that
    the network of the row got right and that of the column did not; `p` is exact McNemar's, and
    `corrected` the same made larger as Holm does because so many pairs are looked at. Both are 1 on
    the diagonal.
    """

    networks: tuple[Contestant, ...]
    only: NDArray[np.int64]
    p: NDArray[np.float64]
    corrected: NDArray[np.float64]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def total(self) -> int:
        """Images in the test split."""
        return len(self.networks[0].right)

    @property
    def pairs(self) -> int:
        """How many pairs were tested."""
        return len(self.networks) * (len(self.networks) - 1) // 2

    @cached_property
    def ranks(self) -> list[int]:
        """The rank of each, from 1; who gets equally many images right shares one."""
        counts = [network.count_right for network in self.networks]
        return [1 + sum(other > count for other in counts) for count in counts]

    @property
    def difference(self) -> NDArray[np.float64]:
        """Accuracy of the row's network minus that of the column's."""
        ahead: NDArray[np.float64] = (self.only - self.only.T) / self.total
        return ahead

    @property
    def better(self) -> NDArray[np.bool_]:
        """Whether the row's network is better than the column's by more than chance explains."""
        ahead: NDArray[np.bool_] = (self.corrected < SIGNIFICANT) & (self.only > self.only.T)
        return ahead

    @property
    def leaders(self) -> tuple[Contestant, ...]:
        """The networks than which the first is not better by more than chance explains."""
        behind = self.better[0]
        return tuple(n for n, worse in zip(self.networks, behind, strict=True) if not worse)


def rank(contestants: Sequence[Contestant], left_out: Iterable[LeftOut] = ()) -> Ranking:
    """Rank networks and compare each pair of them.

    Those that were tested on other images than most are left out. Raises NotComparable where fewer
    than two are left.
    """
    fitting, others = _on_one_split(contestants)
    missing = (*left_out, *others)
    if len(fitting) < 2:
        reasons = "; ".join(each.reason for each in missing)
        raise NotComparable(
            "a ranking needs at least two networks that were tested on the same images, "
            f"got {len(fitting)}" + (f": {reasons}" if reasons else "")
        )
    ordered = tuple(sorted(fitting, key=lambda network: network.order))
    only = _only_right(np.stack([network.right for network in ordered]))
    p = mcnemar_ps(only, only.T)
    corrected = np.ones_like(p)
    above = np.triu_indices(len(ordered), k=1)
    corrected[above] = corrected.T[above] = holm(p[above])
    return Ranking(ordered, only, p, corrected, missing)


def rank_runs(
    runs: Iterable[Run],
    read: Callable[[Run], Contestant] = Contestant.read,
    progress: Callable[[float], object] = lambda share: None,
) -> Ranking:
    """Rank runs by their best epochs; one that cannot be read is left out, with the reason.

    progress is told the share of the runs that is read. Raises NotComparable where fewer than two
    are left.
    """
    contestants, left_out = [], []
    named = list({run.id: run for run in runs}.values())
    for number, run in enumerate(named, start=1):
        try:
            contestants.append(read(run))
        except TransferLabError as error:
            left_out.append(LeftOut(run, str(error)))
        progress(number / len(named))
    return rank(contestants, left_out)


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """P-values corrected for how many there are, step down (Holm, 1979).

    Whoever calls all below 0.05 different is wrong about any of them in at most 5 of 100 cases.

    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, np.float64)
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected


def mcnemar_ps(only_a: NDArray[np.int64], only_b: NDArray[np.int64]) -> NDArray[np.float64]:
    """`statistics.mcnemar_p` of many pairs at once, in the shape of the counts."""
    # Imported here: what opens no ranking need not wait for it.
    from scipy.special import bdtr

    fewer = np.minimum(only_a, only_b)
    both = np.maximum(only_a + only_b, 1)
    p: NDArray[np.float64] = np.minimum(1.0, 2 * bdtr(fewer, both, 0.5))
    return p


def as_json(ranking: Ranking) -> dict[str, Any]:
    """The ranking as the command line prints it."""
    above = np.triu_indices(len(ranking.networks), k=1)
    return {
        "images": ranking.total,
        "ranking": [_ranked(ranking, place) for place in range(len(ranking.networks))],
        "pairs": [
            _pair(ranking, int(row), int(column)) for row, column in zip(*above, strict=True)
        ],
        "left_out": [{"run": each.run.id, "reason": each.reason} for each in ranking.left_out],
        "verdict": verdict(ranking),
    }


def verdict(ranking: Ranking) -> str:
    """The outcome in one sentence."""
    first, *others = ranking.leaders
    among = f"{len(ranking.networks)} networks on {ranking.total:,} images"
    if not others:
        return f"{first.name} is the best of {among}, by more than chance explains."
    if len(ranking.leaders) == len(ranking.networks):
        return (
            f"No winner among {among}: {first.name} gets most right, but may well be ahead of "
            "every other by chance."
        )
    names = others[0].name if len(others) == 1 else f"{len(others)} others"
    return (
        f"{first.name} gets most right of {among}, but may well be ahead of {names} by chance; the "
        "rest are worse by more than chance explains."
    )


def _ranked(ranking: Ranking, place: int) -> dict[str, Any]:
    network = ranking.networks[place]
    return {
        "rank": ranking.ranks[place],
        "run": network.run.id,
        "name": network.name,
        "epoch": network.epoch,
        "accuracy": network.accuracy,
        "interval": list(network.interval),
        "loss": None if math.isnan(network.loss) else network.loss,
        "better_than": int(ranking.better[place].sum()),
        "worse_than": int(ranking.better[:, place].sum()),
    }


def _pair(ranking: Ranking, row: int, column: int) -> dict[str, Any]:
    return {
        "a": ranking.networks[row].run.id,
        "b": ranking.networks[column].run.id,
        "only_a_right": int(ranking.only[row, column]),
        "only_b_right": int(ranking.only[column, row]),
        "difference": float(ranking.difference[row, column]),
        "mcnemar_p": float(ranking.p[row, column]),
        "holm_p": float(ranking.corrected[row, column]),
    }


def _on_one_split(
    contestants: Sequence[Contestant],
) -> tuple[list[Contestant], list[LeftOut]]:
    """Those on the split that most share, and the others with what differs."""
    shared = Counter(network.fingerprint for network in contestants)
    if not shared:
        return [], []
    ((most, _),) = shared.most_common(1)
    fitting = [network for network in contestants if network.fingerprint == most]
    others = [
        LeftOut(network.run, _tested_elsewhere(network, fitting[0]))
        for network in contestants
        if network.fingerprint != most
    ]
    return fitting, others


def _tested_elsewhere(network: Contestant, other: Contestant) -> str:
    start = f"{network.name!r} was tested on other images than {other.name!r}"
    own, others = network.run.config.data.name, other.run.config.data.name
    if own != others:
        return f"{start}: {own}, not {others}"
    if len(network.right) != len(other.right):
        return f"{start}: {len(network.right):,} of them, not {len(other.right):,}"
    return f"{start}, though equally many: their pixels or labels differ"


def _only_right(right: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each pair the images that only the first got right; right: (networks, images)."""
    # float32 counts exactly up to 16 million, and BLAS multiplies it many times faster than int64.
    numbers = right.astype(np.float32)
    only: NDArray[np.int64] = np.rint(numbers @ (1 - numbers).T).astype(np.int64)
    return only
