"""What clicks on a page take, of all repeats together."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from benchmarks.record import Sample, p95


@dataclass(frozen=True)
class Clicks:
    """Seconds of each kind of click: the median over the repeats of their 95th percentiles."""

    seconds: dict[str, float]

    @property
    def slowest(self) -> str:
        """The kind that takes longest, "none" without any."""
        return max(self.seconds, key=self.seconds.__getitem__, default="none")

    @property
    def listed(self) -> str:
        """Every kind with its milliseconds."""
        return ", ".join(f"{kind} {1000 * value:.0f} ms" for kind, value in self.seconds.items())


def clicks_of(samples: list[Sample]) -> Clicks:
    """Those of samples that hold `clicks`: by kind, seconds of each."""
    taken: dict[str, list[float]] = {}
    for sample in samples:
        for kind, seconds in sample["clicks"].items():
            taken.setdefault(kind, []).append(p95(seconds))
    return Clicks({kind: statistics.median(values) for kind, values in taken.items()})
