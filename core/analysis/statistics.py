"""The statistics of comparing two classifiers on the same images."""

import math
from statistics import NormalDist

import numpy as np


def wilson_interval(correct: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of a proportion that stays inside [0, 1] (Wilson, 1927).

    >>> wilson_interval(9895, 10000)
    (0.98730..., 0.99131...)
    """
    if not 0 <= correct <= total or total == 0:
        raise ValueError(f"correct must lie between 0 and a total above 0, got {correct}, {total}")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = correct / total
    centre = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def mcnemar_p(only_a: int, only_b: int) -> float:
    """Two-sided exact p of McNemar's test (1947) of two classifiers on the same images.

    only_a, only_b: images that only the one or only the other got right. Under the hypothesis
    that both are equally good each such image falls to either side like a coin.

    >>> mcnemar_p(12, 3)
    0.0351...
    """
    discordant = only_a + only_b
    if discordant == 0:
        return 1.0
    # Imported here, for no page but Compare should wait for it; scipy.stats takes twice as long.
    from scipy.special import bdtr

    # A coin is as likely to fall on one side as on the other: both tails are alike.
    return min(1.0, 2 * float(bdtr(min(only_a, only_b), discordant, 0.5)))


def paired_difference_interval(
    only_a: int,
    only_b: int,
    total: int,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> tuple[float, float]:
    """Bootstrap percentile interval of accuracy A minus accuracy B on the same images.

    Resampling images with replacement draws how many fall in each of three groups (only A right,
    only B right, neither), which is a multinomial draw; the difference depends on nothing else
    (Efron, 1979).
    """
    shares = np.array([only_a, only_b, total - only_a - only_b]) / total
    draws = np.random.default_rng(seed).multinomial(total, shares, size=resamples)
    differences = (draws[:, 0] - draws[:, 1]) / total
    tail = (1 - confidence) / 2
    low, high = np.quantile(differences, [tail, 1 - tail])
    return float(low), float(high)
