"""What a dry run finds of the costs of a training, and what a run is therefore expected to take."""

from datetime import datetime
from typing import Any, Literal

import psutil

from core.data.rows import FORGET_BYTES
from core.validation import Frozen

NotKept = Literal["limit", "switched off", "endless variations"]
"""Why the output of frozen layers is not kept: it is more than the cache may hold, somebody wants
it so, or training images vary without end (that of the other images is kept even then)."""


class Machine(Frozen):
    """Where something was measured. memory: bytes of it."""

    cores: int
    memory: int


class FeatureCosts(Frozen):
    """The output of frozen layers over one split: its key in the cache, seconds to compute it."""

    key: dict[str, Any]
    seconds: float


class PhaseCosts(Frozen):
    """What a dry run found of one phase of training.

    step: seconds of a training step. evaluation: seconds per image. first: seconds that the first
    epoch takes longer, for compiling. cache_bytes: what keeping the output of the frozen layers
    takes, or would take where `not_kept` says why it is not kept. memory: most bytes held so far;
    batch_memory: bytes of those that a training step took.
    """

    step: float
    evaluation: float
    first: float
    features: tuple[FeatureCosts, ...]
    cache_bytes: int
    not_kept: NotKept | None
    memory: int
    batch_memory: int


class DryRun(Frozen):
    """What one dry run found.

    preparation: seconds until the network stands, pictures decoded included. mapped: bytes of
    pictures that stay on disk and are read from there. waits_for: files and folders that were
    lacking something; what was found no longer holds once one of them has changed.
    """

    created: datetime
    machine: Machine
    precision: str
    train_images: int
    validation_images: int
    test_images: int
    preparation: float
    mapped: int
    waits_for: tuple[str, ...]
    phases: tuple[PhaseCosts, ...]


class PhaseEstimate(Frozen):
    """What one phase will take.

    seconds: of an epoch of `steps` training steps, after which `evaluated` images are looked at.
    first: how much longer the first epoch takes. features_seconds: to run the frozen layers over
    all images once, 0 where that is done already or never. cache_bytes: what keeping their output
    takes, or would take where `not_kept` says why it is not kept. memory: most bytes held until
    the phase ends; batch_memory: bytes of those that a training step takes.
    """

    epochs: int
    batch_size: int
    steps: int
    evaluated: int
    seconds: float
    first: float
    features_seconds: float
    cache_bytes: int
    not_kept: NotKept | None
    memory: int
    batch_memory: int

    @property
    def all_seconds(self) -> float:
        """Seconds of all its epochs and of what comes before them."""
        return self.features_seconds + self.first + self.epochs * self.seconds

    @property
    def kept_bytes(self) -> int:
        """Bytes that its features do take in the cache."""
        return 0 if self.not_kept in ("limit", "switched off") else self.cache_bytes


class Estimate(Frozen):
    """What a run will take on one machine.

    preparation: seconds before the first phase. mapped: bytes of files that are read by mapping
    them into memory.
    """

    created: datetime
    machine: Machine
    precision: str
    train_images: int
    validation_images: int
    test_images: int
    preparation: float
    mapped: int
    phases: tuple[PhaseEstimate, ...]

    @property
    def seconds(self) -> float:
        """Seconds of the whole run, all epochs included; early stopping may spare some."""
        return self.preparation + sum(phase.all_seconds for phase in self.phases)

    @property
    def memory(self) -> int:
        """Most bytes of memory that the run cannot do without."""
        return max(phase.memory for phase in self.phases)

    @property
    def held(self) -> int:
        """Bytes of mapped files that are in memory at once, at most."""
        return min(self.mapped, FORGET_BYTES)

    @property
    def cache_bytes(self) -> int:
        """Bytes that the run leaves in the cache."""
        return sum(phase.kept_bytes for phase in self.phases)


def this_machine() -> Machine:
    """The machine this process runs on."""
    return Machine(cores=psutil.cpu_count() or 1, memory=psutil.virtual_memory().total)
