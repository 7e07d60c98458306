"""Pretrained weights: bundled with the project, downloaded by Keras, or read from a file."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from core.assets import verified
from core.errors import WeightsUnavailable
from core.network import weight_files
from core.network.network_config import NetworkConfig

Layers = dict[str, keras.layers.Layer]
"""Layers with weights, by name."""

BUNDLED = {"vgg16": "vgg16_imagenet_notop.npz"}
DOWNLOADS: dict[str, Callable[..., keras.Model]] = {
    "vgg16": keras.applications.VGG16,
    "inceptionv3": keras.applications.InceptionV3,
    "mobilenet": keras.applications.MobileNet,
    "resnet50": keras.applications.ResNet50,
}


def load_weights(backbone: keras.Model, layers: Layers, config: NetworkConfig) -> None:
    """Give a backbone without top its pretrained weights.

    config.weights: `bundled`, `keras` (its ImageNet weights, downloaded once into Keras's cache),
    or the path of a weights file.
    Raises DamagedFile, WeightsUnavailable or InvalidConfig with what to do.
    """
    path = weight_files.named_by(config)
    if path is not None:
        _load_file(backbone, layers, config, path)
    elif config.weights == "bundled":
        _load_npz(layers, verified(BUNDLED[config.architecture]))
    else:
        backbone.set_weights(_downloaded(backbone, config).get_weights())


def fingerprint(layers: Iterable[keras.layers.Layer]) -> str:
    """SHA-256 of weights: the same numbers give the same hash, whatever their source.

    Layers are taken in order and names left out, since Keras numbers names within a process.
    """
    digest = hashlib.sha256()
    for layer in layers:
        for array in layer.get_weights():
            digest.update(repr((array.shape, array.dtype.str)).encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def arrays_of(layers: Layers) -> dict[str, NDArray[Any]]:
    """The weights of layers as arrays, keyed LAYER/VARIABLE."""
    return {
        f"{name}/{variable.name}": variable.value.numpy()
        for name, layer in layers.items()
        for variable in layer.weights
    }


def assign(layers: Layers, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Set the weights of layers from arrays keyed LAYER/VARIABLE.

    Raises KeyError for one that is missing, ValueError for one of another shape.
    """
    for name, layer in layers.items():
        for variable in layer.weights:
            variable.assign(np.asarray(arrays[f"{name}/{variable.name}"], np.float32))


def _load_file(backbone: keras.Model, layers: Layers, config: NetworkConfig, path: Path) -> None:
    weight_files.check(path, config)
    try:
        if path.suffix == ".npz":
            _load_npz(layers, path)
        else:
            backbone.load_weights(path)
    except weight_files.UNREADABLE as error:
        raise weight_files.refused(path, config, str(error)) from None


def _load_npz(layers: Layers, path: Path) -> None:
    with np.load(path, allow_pickle=False) as arrays:
        assign(layers, arrays)


def _downloaded(backbone: keras.Model, config: NetworkConfig) -> keras.Model:
    application = DOWNLOADS[config.architecture]
    width = {"alpha": config.alpha} if config.architecture == "mobilenet" else {}
    try:
        return application(
            include_top=False, weights="imagenet", input_shape=backbone.input_shape[1:], **width
        )
    except Exception as error:  # Keras raises a bare Exception where a download fails
        raise WeightsUnavailable(
            f"Keras could not download the ImageNet weights of {config.architecture}: {error}. "
            "Connect to the internet and try again, or set network.weights to a weights file"
            + (" or to bundled" if config.architecture in BUNDLED else "")
        ) from error
