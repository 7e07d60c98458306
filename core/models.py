"""The `model` folder of a run: the weights that were trained, and which backbone they stand on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from core import weights
from core.errors import DamagedFile, NotComparable
from core.files import write_json
from core.networks import Network, build
from core.runs import Run, RunFolder, Weights, read_json


def save_reference(folder: RunFolder, network: Network, source: str) -> None:
    """Write down which frozen network the stored weights stand on, by hash."""
    folder.model.mkdir(exist_ok=True)
    if network.frozen is not None:
        sha256 = weights.fingerprint(network.frozen)
        write_json(folder.backbone, {"weights": source, "sha256": sha256})


def save_trained(folder: RunFolder, network: Network, which: Weights) -> None:
    """Write the trained part's weights, whole or not at all."""
    beside = folder.model / f".{which}.weights.h5"
    network.trained.save_weights(beside)
    beside.replace(folder.weights(which))


def load_run(run: Run, which: Weights = "best") -> Network:
    """Build the network of a run with the weights that were trained.

    Raises NotComparable where there are none yet, DamagedFile where they cannot be read or the
    backbone is no longer the one they were trained on.
    """
    path = run.folder.weights(which)
    if not path.exists():
        raise NotComparable(
            f"the run {run.name!r} ({run.status}) has no trained weights; choose a run that "
            "finished at least one epoch"
        )
    network = build(
        run.config.network,
        len(run.config.class_names),
        run.state.precision,
        run.config.seed,
    )
    _check_backbone(run, network)
    _restore(network.trained, path, run.name)
    return network


def _check_backbone(run: Run, network: Network) -> None:
    if network.frozen is None:
        return
    reference: Any = read_json(run.folder.backbone)
    if not isinstance(reference, Mapping) or reference.get("sha256") is None:
        raise DamagedFile(
            f"{run.folder.backbone.name} of the run {run.name!r} does not say which backbone it "
            "was trained on; train it again to get it back"
        )
    if weights.fingerprint(network.frozen) != reference["sha256"]:
        raise DamagedFile(
            f"the run {run.name!r} was trained on other backbone weights than "
            f"{run.config.network.weights} holds now; put the former file back or train it again"
        )


def _restore(model: keras.Model, path: Path, name: str) -> None:
    try:
        model.load_weights(path)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise DamagedFile(
            f"{path.name} of the run {name!r} cannot be read ({str(error).splitlines()[0]}); "
            "train it again to get it back"
        ) from None
