"""What becomes of the learning rate where a run trains for more epochs than it was launched for."""

from dataclasses import dataclass

from core.registry.history import History
from core.registry.run import Run, extended
from core.training.schedules import phase_schedule


@dataclass(frozen=True)
class Extension:
    """How a run would go on: from `epoch` epochs to `all_epochs`.

    before: the learning rate of its last step so far. next: that of the first step it goes on
    with, last: of the very last one; for schedule plateau the most they can be.
    """

    epoch: float
    all_epochs: int
    before: float
    next: float
    last: float


def extension(run: Run, history: History, more_epochs: int, step: int) -> Extension | None:
    """How a run would go on from a step for more epochs; None where it never began.

    Raises InvalidConfig where that is more than a run may have.
    """
    config = extended(run.config, more_epochs)
    rates, steps = history.batches["learning_rate"], history.steps_per_epoch
    if not step or not len(rates):
        return None
    standing = history.standing(run.config)
    phase = config.phases[standing.phase.number - 1]
    schedule = phase_schedule(config, phase.learning_rate, phase.epochs, steps)
    most = standing.plateau.rate if standing.plateau else phase.learning_rate
    epoch = history.place_of(step)
    done = min(round((epoch - standing.start) * steps), schedule.steps - 1)
    return Extension(
        epoch=epoch,
        all_epochs=config.all_epochs,
        before=float(rates[-1]),
        next=min(schedule.rate(done), most),
        last=min(schedule.rate(schedule.steps - 1), most),
    )
