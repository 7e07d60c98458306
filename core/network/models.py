"""The `model` folder of a run: the weights that were trained, and which backbone they stand on."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import DamagedFile, InvalidConfig, InvalidRequest, NotComparable
from core.files import write_atomically, write_json
from core.network import weight_files, weights
from core.network.networks import Network, build
from core.registry.config import RunConfig
from core.registry.run import Run
from core.registry.run_files import RunFolder, read_json
from core.registry.runs import Runs


def start(config: RunConfig, precision: str, runs: Runs) -> Network:
    """Build the network of a configuration with the weights it starts from.

    Raises what `networks.build` raises; where the weights are another run's, what `load_run` does.
    """
    network = build(config.network, len(config.class_names), precision, config.seed)
    if config.network.source_run is not None:
        source = load_run(runs.find(config.network.source_run))
        weights.assign(network.backbone_layers, weights.arrays_of(source.backbone_layers))
    return network


def save_reference(folder: RunFolder, network: Network) -> None:
    """Write down which backbone the stored weights stand on, by hash."""
    folder.model.mkdir(exist_ok=True)
    if network.config.weights_can_be_had_again:
        sha256 = weights.fingerprint(network.backbone_layers.values())
        write_json(folder.backbone, {"weights": network.config.weights, "sha256": sha256})


def save_trained(
    folder: RunFolder, network: Network, config: RunConfig, phase: int, epoch: int
) -> None:
    """Write the weights that no reference to a backbone gives back, whole or not at all.

    phase: from 1, the one that `epoch` belongs to; what it froze is not among them.
    """
    frozen = config.phases[phase - 1].frozen_count
    arrays = weights.arrays_of(network.stored_layers(frozen))
    # Not compressed: the digits of trained weights are noise, which no compression shortens.
    write_atomically(
        folder.weights(epoch), lambda file: np.savez(file, allow_pickle=False, **arrays)
    )


def export_keras(run: Run, path: Path) -> Path:
    """Write a run's best network, backbone included, as one `.keras` file; returns its path.

    It takes plain images (batch, side, side, channels), 0 to 255, gives probabilities in float32,
    and holds nothing but Keras's own layers. Raises what `load_run` does, InvalidRequest where the
    file cannot be written.
    """
    if path.suffix != ".keras":
        raise InvalidRequest(f"--output must end in .keras, got {path}")
    whole = load_run(run, precision="float32").whole()
    beside = path.with_name(f".{path.stem}.{os.getpid()}.keras")
    try:
        whole.save(beside)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InvalidRequest(
            f"{path} cannot be written: {error.strerror or error}; choose another place"
        ) from None
    return path


def load_run(run: Run, epoch: int | None = None, precision: str = "") -> Network:
    """Build the network of a run with the weights that were trained.

    epoch: one whose weights were kept, by default the best. precision: that of the training, or
    another. Raises NotComparable where there are no such weights, DamagedFile where they cannot be
    read or the backbone is no longer the one they were trained on.
    """
    chosen = run.state.best_epoch if epoch is None else epoch
    path = run.folder.weights(chosen)
    if not path.exists():
        raise _no_weights(run, epoch)
    network = _rebuilt(run, precision)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            weights.assign(_stored_layers(network, set(arrays.files)), arrays)
    except weight_files.UNREADABLE as error:
        raise DamagedFile(
            f"{path.name} of the run {run.name!r} cannot be read ({_first_line(error)}); "
            "train it again to get it back"
        ) from None
    return network


def resumed(run: Run, arrays: Mapping[str, NDArray[Any]]) -> Network:
    """Build the network of a run with the weights of a checkpoint, named as `load_run` reads them.

    Raises DamagedFile where they do not fit, or the backbone is no longer the same.
    """
    network = _rebuilt(run)
    try:
        weights.assign(_stored_layers(network, set(arrays)), arrays)
    except weight_files.UNREADABLE as error:
        raise DamagedFile(
            f"the checkpoint of the run {run.name!r} does not fit its network "
            f"({_first_line(error)}); launch the run anew with the same settings"
        ) from None
    return network


def _no_weights(run: Run, epoch: int | None) -> NotComparable:
    if epoch is None:
        return NotComparable(
            f"the run {run.name!r} ({run.status}) has no trained weights; choose a run that "
            "finished at least one epoch"
        )
    kept = ", ".join(map(str, run.folder.kept_epochs())) or "none"
    return NotComparable(
        f"epoch must be one whose weights the run {run.name!r} kept ({kept}), got {epoch}"
    )


def _rebuilt(run: Run, precision: str = "") -> Network:
    """The network of a run, whose trained layers still are to get their weights."""
    config = run.config
    try:
        network = build(
            config.network,
            len(config.class_names),
            precision or run.state.precision,
            config.seed,
        )
    except InvalidConfig as error:  # it was right when the run was made
        raise DamagedFile(
            f"the run {run.name!r} lacks the backbone it was trained on: {error}; put the former "
            "file back or train it again"
        ) from None
    if config.network.weights_can_be_had_again:
        _check_backbone(run, network)
    return network


def _check_backbone(run: Run, network: Network) -> None:
    reference: Any = read_json(run.folder.backbone)
    if not isinstance(reference, Mapping) or reference.get("sha256") is None:
        raise DamagedFile(
            f"{run.folder.backbone.name} of the run {run.name!r} does not say which backbone it "
            "was trained on; train it again to get it back"
        )
    if weights.fingerprint(network.backbone_layers.values()) != reference["sha256"]:
        raise DamagedFile(
            f"the run {run.name!r} was trained on other backbone weights than "
            f"{run.config.network.weights} holds now; put the former file back or train it again"
        )


def _stored_layers(network: Network, stored: Collection[str]) -> weights.Layers:
    """The layers that a file of weights has something for; the last phase decided which."""
    stored_layers = {name.rpartition("/")[0] for name in stored}
    known = network.layers()
    again = network.config.weights_can_be_had_again
    must = set(known) - (set(network.backbone_layers) if again else set())
    if not must <= stored_layers <= set(known):
        raise ValueError("it holds layers of another network")
    return {name: layer for name, layer in known.items() if name in stored_layers}


def _first_line(error: Exception) -> str:
    return (str(error).strip("'\"").splitlines() or [type(error).__name__])[0]
