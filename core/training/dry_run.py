"""A few timed batches of a training, alone: `python -m core.training.dry_run WORKSPACE`.

It reads a configuration's JSON from standard input and answers with one line of JSON: what it
found, or the error. It builds what a training would, by the same code, but for a cache that keeps
nothing. Nothing is downloaded: images and weights that are not on this machine are made up.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import repeat
from pathlib import Path
from statistics import median
from typing import Any

import keras
import numpy as np
import psutil
from numpy.typing import DTypeLike

from core.data.datasets import Splits
from core.data.pictures import ahead
from core.errors import TransferLabError, WeightsUnavailable
from core.network import models, networks, precision
from core.network.networks import Network
from core.preferences import load_preferences
from core.processes import lower_priority, peak_memory
from core.registry import preflight
from core.registry.config import Phase, RunConfig, parse_config
from core.registry.runs import Runs
from core.training import devices, evaluating, inputs, memory_needs, passes
from core.training.costs import DryRun, FeatureCosts, NotKept, PhaseCosts, this_machine
from core.training.evaluating import Evaluation
from core.training.feature_cache import FeatureCache, Features
from core.training.features import FrozenLayers, cut_name, stored_as
from core.training.inputs import LiveInputs, SplitInputs
from core.training.passes import Passes
from core.training.progress import Event
from core.training.steps import TrainingStep
from core.training.trial_images import material, random_numbers
from core.workspace import Workspace, find_workspace

SECONDS = 2.0
"""How long a kind of work is timed once it has begun; at least two pieces of it are."""
MOST_PIECES = 200


class TimingCache(FeatureCache):
    """Finds and keeps nothing: it times a few batches of features and makes the others up."""

    def __init__(self, folder: Path, limit: int) -> None:
        super().__init__(folder, limit)
        self.timed: list[FeatureCosts] = []
        self._per_image: dict[bool, float] = {}

    def find(self, key: Mapping[str, Any]) -> None:
        """Nothing, whatever there is."""

    def store(
        self,
        key: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        dtype: DTypeLike,
        batches: Iterable[Features],
    ) -> Features:
        """Time some of the batches; returns random features, the same ones for every image."""
        varied, beginning = key["augmentation"] is not None, 0.0
        if varied not in self._per_image:
            beginning, self._per_image[varied] = timed(len(batch[0]) for batch in batches)
        seconds = beginning + shapes[0][0] * self._per_image[varied]
        self.timed.append(FeatureCosts(key=dict(key), seconds=seconds))
        return tuple(np.broadcast_to(random_numbers(shape[1:], dtype), shape) for shape in shapes)


def measure(config: RunConfig, workspace: Workspace) -> DryRun:
    """Find out what a training costs on this machine.

    Raises what it would fail with before its first step, but for want of a network connection.
    """
    loading = time.process_time()  # nearly all of it went into importing TensorFlow
    started = time.perf_counter()
    config = preflight.settle(config, Runs(workspace))
    number_format = precision.resolve(
        config.precision, precision.cpu_flags(), devices.gpu_capabilities()
    )
    images = material(config, workspace)
    splits, waits_for = images.splits, list(images.waits_for)
    with devices.strategy().scope():
        try:
            network = models.start(config, number_format, Runs(workspace))
        except WeightsUnavailable:
            network = _with_random_weights(config, number_format)
            waits_for.append(_keras_home() / "models")
        building = time.perf_counter() - started
        limit = load_preferences(workspace).cache_limit
        phases = tuple(
            try_phase(config, phase, splits, network, number_format, limit)
            for phase in config.phases
        )
    return DryRun(
        created=datetime.now().astimezone(),
        machine=this_machine(),
        precision=number_format,
        train_images=len(splits.train),
        validation_images=0 if splits.validation is splits.test else len(splits.validation),
        test_images=len(splits.test),
        preparation=loading + building + images.decoding,
        mapped=images.mapped,
        waits_for=tuple(map(str, waits_for)),
        phases=phases,
    )


def try_phase(
    config: RunConfig,
    phase: Phase,
    splits: Splits,
    network: Network,
    number_format: str,
    limit: int,
) -> PhaseCosts:
    """Time the frozen layers, some training steps that teach nothing, and some evaluation."""
    parts = network.parts(phase.frozen_count, stored_as(number_format))
    cache = TimingCache(Path(), limit)
    frozen = None
    if parts.frozen is not None:
        cut = cut_name(config.network, phase.frozen_count)
        frozen = FrozenLayers(parts.frozen, config.network, cut, number_format, cache)
    fed = inputs.prepare(config, splits, frozen, 0, _ignore, _never)
    step = TrainingStep(config, parts.trained, passes.class_weights(config, splits))
    held = psutil.Process().memory_info().rss
    first_step, per_step = timed(_steps(config, phase, splits, fed, step))
    batch_memory = max(0, peak_memory() - held)
    at_once = evaluating.evaluated_at_once(config, phase)
    first_evaluation, per_image = timed(_evaluations(fed, parts.trained, at_once, frozen))
    return PhaseCosts(
        step=per_step,
        evaluation=per_image,
        first=first_step + first_evaluation,
        features=tuple(cache.timed),
        cache_bytes=_cacheable(config, splits, frozen),
        not_kept=_not_kept(config, splits, frozen),
        memory=peak_memory(),
        batch_memory=batch_memory,
    )


def timed(work: Iterable[int]) -> tuple[float, float]:
    """Seconds that work takes to begin with, and what each of its units takes thereafter.

    work: does one piece at each step and tells how many units that was. It is left off after
    some seconds.
    """
    laps: list[tuple[int, float]] = []
    last = begun = time.perf_counter()
    for units in work:
        now = time.perf_counter()
        laps.append((units, (now - last) / units))
        last = now
        if len(laps) == 1:
            begun = now
        elif len(laps) > 2 and now - begun > SECONDS:
            break
    units, first = laps[0]
    usual = median(seconds for _, seconds in laps[1:] or laps)
    return max(0.0, first - usual) * units, usual


def _with_random_weights(config: RunConfig, number_format: str) -> Network:
    classes = len(config.class_names)
    return networks.build(config.network, classes, number_format, config.seed, pretrained=False)


def _steps(
    config: RunConfig, phase: Phase, splits: Splits, fed: SplitInputs, step: TrainingStep
) -> Iterator[int]:
    """Training steps with a learning rate of 0, fed as in training."""
    batches = Passes(config.seed, 1, len(fed.train), phase.batch_size).take(0, MOST_PIECES)
    rows_of = ahead(lambda batch: fed.train.rows(batch[1], batch[0]), batches)
    for (_, chosen), rows in zip(batches, rows_of, strict=False):
        step(rows, splits.train.labels[chosen], 0.0)
        yield 1


def _evaluations(
    fed: SplitInputs, model: keras.Model, at_once: int, frozen: FrozenLayers | None
) -> Iterator[int]:
    """Evaluated batches of test images; short ones where frozen layers run for each image."""
    if frozen is not None and isinstance(fed.test, LiveInputs):
        at_once = min(at_once, frozen.batch_size)
    evaluate = Evaluation(model, at_once)
    chosen = np.arange(min(at_once, len(fed.test)))
    for _ in repeat(None, MOST_PIECES):
        yield len(evaluate(fed.test, _ignore, chosen))


def _cacheable(config: RunConfig, splits: Splits, frozen: FrozenLayers | None) -> int:
    """Bytes that the output of the frozen layers takes in the cache, or would take."""
    if frozen is None:
        return 0
    varied = config.augmentation.active
    of_train = frozen.size(len(splits.train)) * (config.augmentation.passes if varied else 1)
    held_out = 0 if splits.validation is splits.test else len(splits.validation)
    return of_train + frozen.size(held_out) + frozen.size(len(splits.test))


def _not_kept(config: RunConfig, splits: Splits, frozen: FrozenLayers | None) -> NotKept | None:
    if frozen is None:
        return None
    if not config.cache_features:
        return "switched off"
    if not frozen.fits(_cacheable(config, splits, frozen)):
        return "limit"
    endless = config.augmentation.active and config.augmentation.passes == 0
    return "endless variations" if endless else None


def _ignore(event: Event) -> None:
    return None


def _never() -> bool:
    return False


def _answer(text: str, workspace: Workspace) -> str:
    """One line of JSON about the configuration in the text."""
    try:
        return _measure(parse_config(text), workspace).model_dump_json()
    except TransferLabError as error:
        return json.dumps({"error": type(error).__name__, "sentence": str(error)})


def _measure(config: RunConfig, workspace: Workspace) -> DryRun:
    try:
        return measure(config, workspace)
    except Exception as error:  # TensorFlow's own exceptions have no closer ancestor
        if isinstance(error, MemoryError) or "ResourceExhausted" in type(error).__name__:
            raise memory_needs.out_of_memory(config) from None
        raise


def _keras_home() -> Path:
    """Where Keras keeps what it downloads."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def _stay_offline() -> None:
    """Send whatever would be downloaded to a proxy that is not there."""
    os.environ |= dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    os.environ["no_proxy"] = ""


def _volunteer() -> None:
    """Be the first process that Linux ends when memory runs out."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


if __name__ == "__main__":
    # The answer goes out on a copy of standard output; what libraries print to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    lower_priority()
    _stay_offline()
    _volunteer()
    with answers:
        answers.write(_answer(sys.stdin.read(), find_workspace(sys.argv[1])) + "\n")
