"""What can be known of a run before it is queued, without TensorFlow."""

import psutil

from core.data import datasets
from core.data.data_config import DataConfig
from core.errors import DamagedFile, InvalidConfig, UnknownRun
from core.handwriting.frozen_handwriting import freeze, is_frozen
from core.handwriting.handwriting import Handwriting
from core.network import weight_files
from core.network.network_config import RUN, NetworkConfig
from core.registry.config import RunConfig
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change
from core.validation import shown
from core.workspace import Workspace

BYTES = 4
"""Of one number in float32, in which weights are kept whatever the precision."""
SLOTS = {"sgd": 0, "rmsprop": 1, "adam": 2, "adamw": 2, "adagrad": 1}
"""How many numbers each optimizer remembers for each one that it trains, SGD without momentum."""

_SHARED_WITH_SOURCE = ("architecture", "alpha", "depth_multiplier", "channels", "blocks")


def settle(config: RunConfig, runs: Runs) -> RunConfig:
    """A copy with what this machine tells filled in: whole paths, classes, the id of a run.

    Raises InvalidConfig, with the way out, where training could only fail.
    """
    data = datasets.settle(config.data, runs.workspace).model_dump(mode="json")
    settings = {f"data.{key}": value for key, value in data.items()} | {
        "network.weights": _weights(config.network, runs),
        "data.handwriting_samples": _handwriting(config.data, runs.workspace),
    }
    settled = change(config, settings)
    _check_memory(settled)
    return settled


def _handwriting(data: DataConfig, workspace: Workspace) -> str:
    """The fingerprint of the samples to learn from, of which a copy is kept."""
    if not data.handwriting:
        return ""
    if data.handwriting_samples:
        if not is_frozen(workspace, data.handwriting_samples):
            raise InvalidConfig(
                "data.handwriting_samples must name samples that a run was launched with here, "
                f"got {shown(data.handwriting_samples)}; empty takes those there are now"
            )
        return data.handwriting_samples
    samples = Handwriting(workspace).read()
    if not len(samples):
        raise InvalidConfig(
            "data.handwriting must be false while there is no handwriting, got true; draw digits "
            "on Predict and keep them"
        )
    try:
        freeze(workspace, samples.fingerprint, samples.digits, samples.labels)
    except OSError as error:
        raise InvalidConfig(
            "data.handwriting needs room for a copy of the samples, which could not be written: "
            f"{error.strerror or error}; free some, or set it to false"
        ) from None
    return samples.fingerprint


def _weights(network: NetworkConfig, runs: Runs) -> str:
    if network.source_run is not None:
        return f"{RUN}{_source(network, network.source_run, runs).id}"
    path = weight_files.named_by(network)
    if path is None:
        return network.weights
    weight_files.check(path, network)
    return str(path)


def _source(network: NetworkConfig, reference: str, runs: Runs) -> Run:
    try:
        run = runs.find(reference)
    except (UnknownRun, DamagedFile) as error:
        raise InvalidConfig(
            f"network.weights must name a run after {RUN}, got {shown(reference)}: {error}"
        ) from None
    if not run.folder.weights(run.state.best_epoch).is_file():
        raise InvalidConfig(
            "network.weights must name a run with trained weights, got "
            f"{run.name!r} ({run.status}); choose one that finished at least one epoch"
        )
    ours, theirs = (each.model_dump(mode="json") for each in (network, run.config.network))
    for key in _SHARED_WITH_SOURCE:
        if ours[key] != theirs[key]:
            raise InvalidConfig(
                f"network.{key} must be {shown(theirs[key])}, as in the run {run.name!r} that "
                f"network.weights names, got {shown(ours[key])}; change it or choose another run"
            )
    return run


def _check_memory(config: RunConfig) -> None:
    phases = config.blueprint.phases
    slots = SLOTS[config.optimizer] + (config.optimizer == "sgd" and config.momentum > 0)
    trained = max(phase.trainable for phase in phases) * (1 + slots)
    needed, there = (phases[0].total + trained) * BYTES, psutil.virtual_memory().total
    if needed > there:
        raise InvalidConfig(
            f"the weights, their gradients and what {config.optimizer} remembers must fit into "
            f"the {there / 2**30:.1f} GiB of memory, got {needed / 2**30:,.1f} GiB with "
            f"network.side {config.network.side} and network.head.dense "
            f"{list(config.network.head.dense)}; choose smaller dense layers, a smaller side or "
            "pooling average"
        )
