"""Whether a training finds enough memory, and which settings would take less."""

import math

import psutil

from core.errors import WorkFailed
from core.network.architectures import ARCHITECTURES
from core.registry.config import Phase, RunConfig
from core.training.costs import Estimate, this_machine


def blocked(config: RunConfig, estimate: Estimate | None = None) -> str | None:
    """Why this machine has too little memory for a run, with the way out; None where it has enough.

    Without an estimate, the least that weights, gradients and one batch can take is what counts.
    """
    machine = estimate.machine if estimate else this_machine()
    for place, phase in enumerate(config.phases):
        if estimate:
            needed, of_batch = estimate.phases[place].memory, estimate.phases[place].batch_memory
        else:
            needed, of_batch = _least_memory(config, place)
        if needed > machine.memory:
            return _too_large(config, phase, needed, of_batch, machine.memory)
    return None


def out_of_memory(config: RunConfig) -> WorkFailed:
    """The error for a dry run that took more memory than there is."""
    phase, memory = _largest(config), psutil.virtual_memory()
    return WorkFailed(
        f"the dry run took more memory than there is: {memory.available / 2**30:.1f} of "
        f"{memory.total / 2**30:.1f} GiB are free now, for a {_batch_size(phase)} of "
        f"{phase.batch_size} at network.side {config.network.side}; close other programs, or try "
        f"{smaller(config)}"
    )


def smaller(config: RunConfig) -> str:
    """Settings that take less memory than those of a configuration, in words."""
    phase, side = _largest(config), config.network.side
    smallest = ARCHITECTURES[config.network.architecture].smallest_side
    half = f"a {_batch_size(phase)} of {phase.batch_size // 2}" if phase.batch_size > 1 else ""
    shrunk = f"a network.side of {round(side * 0.7)}" if round(side * 0.7) >= smallest else ""
    return " or ".join(way for way in (half, shrunk) if way) or "a smaller network"


def _largest(config: RunConfig) -> Phase:
    return max(config.phases, key=lambda phase: phase.batch_size * _per_image(config, phase))


def _least_memory(config: RunConfig, place: int) -> tuple[int, int]:
    """Bytes of weights, gradients and a batch's activations, and of the last alone."""
    phase = config.phases[place]
    counted = config.blueprint.phases[place]
    of_batch = phase.batch_size * _per_image(config, phase)
    return (counted.total + counted.trainable) * 4 + of_batch, of_batch


def _per_image(config: RunConfig, phase: Phase) -> int:
    """Bytes of what the trained layers put out for an image, at least."""
    _, trained = config.blueprint.activations(phase.number - 1)
    return trained * (4 if config.precision == "float32" else 2)


def _too_large(config: RunConfig, phase: Phase, needed: int, of_batch: int, there: int) -> str:
    """The sentence for a phase that needs more memory than there is."""
    room = there - (needed - of_batch)
    most = math.floor(phase.batch_size * room / of_batch) if of_batch else 0
    limit = f"for the {there / 2**30:.1f} GiB of memory of this machine"
    taken = f"with which training takes {needed / 2**30:.1f} GiB"
    size, side = phase.batch_size, config.network.side
    if most >= (2 if config.network.normalizes_by_batch else 1):
        return (
            f"{_batch_size(phase)} must be at most {most} {limit}, got {size}, {taken}; take "
            f"{most}, or a smaller network.side"
        )
    return (
        f"network.side must be less than {side} {limit}, got {side}, {taken}; take a smaller side, "
        "or freeze more layers"
    )


def _batch_size(phase: Phase) -> str:
    """The setting that says how large a phase's batches are."""
    return "batch_size" if phase.number == 1 else "second_phase.batch_size"
