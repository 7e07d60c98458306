"""Pretrained weights: bundled with the project, downloaded by Keras, or read from a file."""

import hashlib
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from core.assets import verified
from core.errors import InvalidConfig, WeightsUnavailable

BUNDLED = {"vgg16": "vgg16_imagenet_notop.npz"}
APPLICATIONS: dict[str, Callable[..., keras.Model]] = {"vgg16": keras.applications.VGG16}


def load_weights(backbone: keras.Model, architecture: str, source: str) -> None:
    """Give a backbone without top its pretrained weights.

    source: `bundled`, `keras` (its ImageNet weights, downloaded once into Keras's cache), or the
    path of an `.npz` keyed LAYER/kernel and LAYER/bias, or of a Keras `.weights.h5` or `.h5`.
    Raises DamagedFile, WeightsUnavailable or InvalidConfig with what to do.
    """
    if source == "bundled":
        _load_npz(backbone, verified(BUNDLED[architecture]))
    elif source == "keras":
        backbone.set_weights(_downloaded(backbone, architecture).get_weights())
    else:
        _load_file(backbone, Path(source).expanduser())


def fingerprint(model: keras.Model) -> str:
    """SHA-256 of a network's weights: the same numbers give the same hash, whatever their source.

    Layers are taken in order and names left out, since Keras numbers names within a process.
    """
    digest = hashlib.sha256()
    for array in model.get_weights():
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _load_file(backbone: keras.Model, path: Path) -> None:
    if not path.is_file():
        raise InvalidConfig(f"network.weights must be bundled, keras or a weights file, got {path}")
    load = _load_npz if path.suffix == ".npz" else _load_h5
    load(backbone, path)


def _load_npz(backbone: keras.Model, path: Path) -> None:
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no npz archive, or only the beginning of one")
        with np.load(path, allow_pickle=False) as arrays:
            for layer in backbone.layers:
                if layer.weights:
                    kernel, bias = arrays[f"{layer.name}/kernel"], arrays[f"{layer.name}/bias"]
                    layer.set_weights([kernel.astype(np.float32), bias.astype(np.float32)])
    except (*_UNREADABLE, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InvalidConfig(_does_not_fit(backbone, path, error)) from None


def _load_h5(backbone: keras.Model, path: Path) -> None:
    try:
        backbone.load_weights(path)
    except _UNREADABLE as error:
        raise InvalidConfig(_does_not_fit(backbone, path, error)) from None


_UNREADABLE = (OSError, KeyError, ValueError, RuntimeError)
"""What numpy, h5py and Keras raise between them where a file is damaged or of another network."""


def _does_not_fit(backbone: keras.Model, path: Path, error: Exception) -> str:
    reason = str(error).strip("'\"").splitlines()[0]
    return f"network.weights must be a file of {backbone.name} without top, got {path}: {reason}"


def _downloaded(backbone: keras.Model, architecture: str) -> keras.Model:
    application = APPLICATIONS[architecture]
    try:
        return application(
            include_top=False, weights="imagenet", input_shape=backbone.input_shape[1:]
        )
    except Exception as error:  # Keras raises a bare Exception where a download fails
        raise WeightsUnavailable(
            f"Keras could not download the ImageNet weights of {architecture}: {error}. Connect to "
            "the internet and try again, or set network.weights to bundled or to a weights file"
        ) from error
