"""Weights files: what one holds and whether it is for a network, told without building it."""

import os
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InvalidConfig
from core.network import graphs
from core.network.architectures import ARCHITECTURES, MOBILENET_ALPHAS
from core.network.network_config import NetworkConfig

ENDINGS = (".npz", ".weights.h5", ".h5")
"""`.npz` is keyed LAYER/VARIABLE, `.weights.h5` as Keras 3 saves weights, `.h5` as Keras 2 did."""

Held = Mapping[str, int]
"""How many numbers each layer of a file holds, by the name it has there; none without numbers."""

_IMAGENET_TOPS = {"vgg16": (7 * 7 * 512, 4096, 4096, 1000)}

UNREADABLE = (
    *(OSError, EOFError, zipfile.BadZipFile, zlib.error, tokenize.TokenError, RuntimeError),
    *(AttributeError, KeyError, TypeError, ValueError),  # an array where a group should be
)
"""What numpy, h5py and Keras raise between them where a file is damaged or of another network."""


def named_by(network: NetworkConfig) -> Path | None:
    """The weights file that a configuration names, as an absolute path, if it names one."""
    if network.weights in ("bundled", "keras", "random") or network.source_run is not None:
        return None
    return Path(os.path.abspath(os.path.expanduser(network.weights)))


def check(path: Path, network: NetworkConfig) -> None:
    """Make sure that a file holds the weights of a backbone without top, as far as counting tells.

    Raises InvalidConfig, with the way out, where there is no such file, it cannot be read or it
    is of another network.
    """
    if not os.path.isfile(path):  # False also for what can be no path at all
        sources = ", ".join(ARCHITECTURES[network.architecture].sources)
        raise InvalidConfig(
            f"network.weights must be one of {sources}, got {path}, which is no file"
        )
    if not path.name.endswith(ENDINGS):
        raise refused(path, network, "its name must end in .npz, .weights.h5 or .h5")
    try:
        held = _in_npz(path) if path.suffix == ".npz" else _in_h5(path)
    except UNREADABLE as error:
        raise refused(path, network, str(error)) from None
    needed = _layers(network.graph)
    if sorted(held.values()) != sorted(needed.values()):
        raise refused(path, network, _what_it_is(held, network))
    if path.suffix == ".npz" and held.keys() != needed.keys():
        missing = next(name for name in needed if name not in held)
        raise refused(path, network, f"it has no layer {missing}; name its arrays LAYER/VARIABLE")


def refused(path: Path, network: NetworkConfig, reason: str) -> InvalidConfig:
    """The error that says why a file is not taken."""
    reason = (reason.strip("'\"").splitlines() or ["it is damaged"])[0]
    name = _words(network.architecture, network.alpha)
    return InvalidConfig(
        f"network.weights must be a file of {name} without top, got {path}: {reason}"
    )


def _in_npz(path: Path) -> Held:
    if not zipfile.is_zipfile(path):
        raise ValueError("it is no npz archive, or only the beginning of one; get it again")
    held: dict[str, int] = {}
    with np.load(path, allow_pickle=False) as arrays:
        for key in arrays.files:
            layer = key.rpartition("/")[0]
            held[layer] = held.get(layer, 0) + arrays[key].size
    return held


def _in_h5(path: Path) -> Held:
    import h5py  # takes longer to import than all of core

    if not h5py.is_hdf5(path):
        raise ValueError("it is no HDF5 file, whatever its name says; get it again")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        cut_short = "truncated" in str(error)
        reason = "it is only the beginning of a file" if cut_short else f"it is damaged ({error})"
        raise ValueError(f"{reason}; get it again") from None
    with file:
        by_keras_3 = "layers" in file
        if by_keras_3 != path.name.endswith(".weights.h5"):
            ending = ".weights.h5" if by_keras_3 else ".h5 without .weights before it"
            raise ValueError(f"it is laid out as a file that ends in {ending}; rename it")
        layers = file["layers"] if by_keras_3 else file.get("model_weights", file)
        held = {name: _numbers(layers[name]) for name in layers}
    return {name: count for name, count in held.items() if count}


def _numbers(item: Any) -> int:
    """How many numbers an array of HDF5 has, or all the weights in a group together."""
    if isinstance(item, Mapping):
        return sum(_numbers(item[name]) for name in item if name != "seed_generator")
    return int(item.size or 0)


def _layers(graph: graphs.Graph) -> Held:
    return {layer.name: layer.parameters for layer in graph.layers if layer.parameters}


def _what_it_is(held: Held, network: NetworkConfig) -> str:
    """In words: how much a file holds, of which network that is, and what to do."""
    counts = sorted(held.values())
    total = f"it holds {sum(counts):,} numbers"
    own = _words(network.architecture, network.alpha)
    for name, graph in _known_backbones(network).items():
        backbone = list(_layers(graph).values())
        if counts == sorted(backbone):
            way_out = f"choose another file or architecture {name}"
            return f"{total}, those of {name} without top; {way_out}"
        if counts == sorted([*backbone, *_top(name, graph)]):
            way_out = f"choose a file of {own} without it, which Keras calls notop"
            return f"{total}, those of {name} with its top; {way_out}"
    needed = _layers(network.graph)
    return (
        f"{total} in {len(held)} layers, and {sum(needed.values()):,} in {len(needed)} are needed; "
        "choose another file"
    )


def _known_backbones(network: NetworkConfig) -> dict[str, graphs.Graph]:
    """Backbones that a file may be of, by name; the number of parameters knows no side."""
    return {
        **{
            f"cnn with channels {channels}": graphs.backbone(
                "cnn", 256, channels, blocks=network.blocks
            )
            for channels in (1, 3)
        },
        **{name: graphs.backbone(name, 224, 3) for name in ("vgg16", "inceptionv3", "resnet50")},
        **{
            _words("mobilenet", alpha): graphs.backbone("mobilenet", 224, 3, alpha=alpha)
            for alpha in MOBILENET_ALPHAS
        },
    }


def _words(architecture: str, alpha: float) -> str:
    return architecture if alpha == 1 else f"{architecture} with alpha {alpha:g}"


def _top(name: str, graph: graphs.Graph) -> list[int]:
    """Numbers in each layer of the ImageNet classifier that Keras puts on a backbone."""
    widths = _IMAGENET_TOPS.get(name, (graph.layers[-1].shape[-1], 1000))
    return [(inputs + 1) * outputs for inputs, outputs in pairwise(widths)]
