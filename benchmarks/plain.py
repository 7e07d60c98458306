"""What the plain Keras scripts share: their arguments, MNIST, and the line they print."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np

ASSETS = Path(__file__).resolve().parent.parent / "assets"


def arguments(
    description: str | None,
    images: int = 60_000,
    test_images: int = 10_000,
    epochs: int = 1,
    architectures: Sequence[str] = (),
) -> argparse.Namespace:
    """Read the script's arguments; what is given here is what they are where they are left out."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--images", type=int, default=images, help="training images to take")
    parser.add_argument("--test-images", type=int, default=test_images, help="test images to take")
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--no-xla",
        action="store_true",
        help="compile with jit_compile=False, where Keras would take XLA by itself",
    )
    if architectures:
        parser.add_argument("--architecture", choices=architectures, required=True)
    return parser.parse_args()


def mnist(options: argparse.Namespace) -> tuple[Any, Any, Any, Any]:
    """The first training and test images with their labels, as uint8."""
    with np.load(ASSETS / "mnist.npz") as arrays:
        train, test = slice(options.images), slice(options.test_images)
        return (
            arrays["x_train"][train],
            arrays["y_train"][train],
            arrays["x_test"][test],
            arrays["y_test"][test],
        )


def compile_options(options: argparse.Namespace) -> dict[str, Any]:
    """What `compile` is given besides what its author wrote: nothing, unless asked for."""
    return {"jit_compile": False} if options.no_xla else {}


def resized(images: np.ndarray, side: int) -> np.ndarray:
    """(count, 28, 28) uint8 to (count, side, side, 3) float32, 0 to 1."""
    larger = [cv2.cvtColor(cv2.resize(image, (side, side)), cv2.COLOR_GRAY2RGB) for image in images]
    return np.array(larger).astype("float32") / 255


def vgg16_base() -> keras.Model:
    """VGG16 for 48x48 without its top, with the weights that come along."""
    base = keras.applications.VGG16(include_top=False, weights=None, input_shape=(48, 48, 3))
    with np.load(ASSETS / "vgg16_imagenet_notop.npz") as arrays:
        for layer in base.layers:
            if layer.weights:
                names = (f"{layer.name}/kernel", f"{layer.name}/bias")
                layer.set_weights([arrays[name].astype("float32") for name in names])
    return base


class EpochSeconds(keras.callbacks.Callback):
    """Times each epoch, its validation included."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds.append(time.perf_counter() - self._started)


def fit(model: keras.Model, *data: Any, **options: Any) -> dict[str, Any]:
    """`model.fit`, timed."""
    clock, started = EpochSeconds(), time.perf_counter()
    callbacks = [*options.pop("callbacks", []), clock]
    history = model.fit(*data, callbacks=callbacks, **options).history
    seconds = time.perf_counter() - started
    return {
        "fit_seconds": seconds,
        "epoch_seconds": clock.seconds[0],
        "seconds_by_epoch": clock.seconds,
        "letting_go_seconds": seconds - sum(clock.seconds),
        "accuracy_by_epoch": history["val_accuracy"],
    }


def print_result(
    options: argparse.Namespace, model: keras.Model, accuracy: float, timed: dict[str, Any]
) -> None:
    """Print the one JSON line, after whatever Keras printed."""
    result = {
        **timed,
        "test_accuracy": accuracy,
        "peak_memory": _peak_memory(),
        "images": options.images,
        "test_images": options.test_images,
        "epochs": options.epochs,
        "seed": options.seed,
        "xla": model.jit_compile,
    }
    print("\n" + json.dumps(result))


def _peak_memory() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
