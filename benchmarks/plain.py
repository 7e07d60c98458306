"""What the two plain Keras scripts share: their arguments, MNIST, and the line they print."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import psutil

ASSETS = Path(__file__).resolve().parent.parent / "assets"


def arguments(description: str | None) -> argparse.Namespace:
    """Read the script's arguments."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--images", type=int, default=60_000, help="training images to take")
    parser.add_argument("--test-images", type=int, default=10_000, help="test images to take")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--no-xla",
        action="store_true",
        help="compile with jit_compile=False, where Keras would take XLA by itself",
    )
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


class EpochSeconds(keras.callbacks.Callback):
    """Times the first epoch, its validation included."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds = time.perf_counter() - self._started


def fit(model: keras.Model, *data: Any, callbacks: list[Any], **fit_options: Any) -> dict[str, Any]:
    """`model.fit`, timed."""
    clock, started = EpochSeconds(), time.perf_counter()
    model.fit(*data, callbacks=[*callbacks, clock], **fit_options)
    return {"fit_seconds": time.perf_counter() - started, "epoch_seconds": clock.seconds}


def print_result(
    options: argparse.Namespace, model: keras.Model, accuracy: float, timed: dict[str, Any]
) -> None:
    """Print the one JSON line, after whatever Keras printed.

    What `fit` takes to let go of its data after the epoch is left out of `process_seconds`: it was
    seen to vary from nothing to 46 seconds, and to favour the baseline is the safer error.
    """
    letting_go = timed["fit_seconds"] - timed["epoch_seconds"]
    result = {
        **timed,
        "letting_go_seconds": letting_go,
        "process_seconds": time.time() - psutil.Process().create_time() - letting_go,
        "test_accuracy": accuracy,
        "peak_memory": _peak_memory(),
        "images": options.images,
        "test_images": options.test_images,
        "seed": options.seed,
        "xla": model.jit_compile,
    }
    print("\n" + json.dumps(result))


def _peak_memory() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
