"""How far off an estimate was, by what the run then took."""

import statistics
from dataclasses import dataclass
from typing import Any

from core.registry.config import RunConfig
from core.registry.run import Run
from core.training.costs import Estimate
from core.training.metrics import read_events


@dataclass(frozen=True)
class Difference:
    """A figure as it was estimated and as it was measured."""

    estimated: float
    measured: float

    @property
    def off(self) -> float:
        """0.1 where it was a tenth more than estimated, -0.1 where it was a tenth less."""
        return self.measured / self.estimated - 1


@dataclass(frozen=True)
class Deviation:
    """How far an estimate was off.

    seconds: median seconds of an epoch, for each phase that had one. memory: most bytes held,
    what is mapped of files included.
    """

    seconds: tuple[Difference, ...]
    memory: Difference


def deviation(estimate: Estimate, run: Run) -> Deviation:
    """Compare what a run was expected to take with what its complete epochs and memory took."""
    events, _ = read_events(run.folder.metrics)
    epochs = [event for event in events if event["event"] == "epoch" and event["complete"]]
    seconds = []
    for number, phase in enumerate(estimate.phases, start=1):
        taken = [epoch["seconds"] for epoch in epochs if _phase_of(epoch, run.config) == number]
        if taken:
            expected = [phase.seconds + phase.first] + [phase.seconds] * (len(taken) - 1)
            seconds.append(Difference(statistics.median(expected), statistics.median(taken)))
    expected_memory = min(estimate.memory + estimate.held, estimate.machine.memory)
    return Deviation(tuple(seconds), Difference(expected_memory, run.state.peak_memory))


def _phase_of(epoch: dict[str, Any], config: RunConfig) -> int:
    """The phase of an epoch, as it was written down, or else as many epochs as were asked for."""
    return int(epoch.get("phase", 1 if epoch["epoch"] <= config.epochs else 2))
