"""How many images a second are varied, our way and by Keras's layers of the same names.

`python -m benchmarks.augmentation` makes one measurement and prints it as JSON.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.options import Options
from benchmarks.processes import HOUR, last_json, run_module
from benchmarks.record import Benchmark, Row, Sample, Samples, Step
from core.data.augmentation import Variations
from core.data.data_config import AugmentationConfig
from core.data.preprocessing import Pixels

if TYPE_CHECKING:
    import keras

NAME = "augmentation"
MINUTES = {NAME: 0.5}
"""What a repeat takes on two quiet cores, about."""
SHAPES = {"28x28 grey": (28, 28, 1), "224x224 in colours": (224, 224, 3)}
IMAGES = {"28x28 grey": 4096, "224x224 in colours": 128}
"""How many are varied in one round."""
BATCH = 64
ROUNDS = 7
MOVED = AugmentationConfig(rotation=10, zoom=0.1, shift=0.1)
VARIED = {
    "turned, zoomed and shifted": MOVED,
    "in all ways": MOVED.model_copy(
        update={
            "shear": 0.1,
            "horizontal_flip": True,
            "vertical_flip": True,
            "contrast": 0.2,
            "brightness": 0.2,
            "noise": 0.05,
        }
    ),
}


# --- the measurement, made in a process of its own --------------------------------------------


def measure() -> Sample:
    """Images a second of ours and of Keras's layers, in turn: the median of the rounds of each."""
    from core.training.quiet import load_tensorflow

    load_tensorflow()
    found: Sample = {}
    for shape_name, shape in SHAPES.items():
        count = IMAGES[shape_name]
        images = np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)
        for settings_name, settings in VARIED.items():
            ways = {"ours": ours(settings, images), "keras": by_keras(settings, images)}
            seconds: dict[str, list[float]] = {name: [] for name in ways}
            for number in range(1, ROUNDS + 2):
                for name, way in ways.items():
                    began = time.perf_counter()
                    way(number)
                    seconds[name].append(time.perf_counter() - began)
            found[f"{shape_name}, {settings_name}"] = {
                name: count / statistics.median(taken[1:]) for name, taken in seconds.items()
            }  # without the first round, in which Keras compiles
    return found


def ours(settings: AugmentationConfig, images: Pixels) -> Callable[[int], object]:
    """A pass over all images as training makes it, what is drawn for it included."""
    batches = np.split(np.arange(len(images)), len(images) // BATCH)
    variations = Variations(settings, 0, len(images))

    def one(number: int) -> object:
        return [variations.apply(images[batch], batch, number) for batch in batches]

    return one


def by_keras(settings: AugmentationConfig, images: Pixels) -> Callable[[int], object]:
    """The same by Keras's layers, compiled to one graph, batch by batch."""
    import tensorflow as tf

    layers = layers_for(settings)
    varied = tf.function(lambda batch: layers(batch, training=True))
    batches = [tf.constant(batch) for batch in np.split(images, len(images) // BATCH)]

    def one(number: int) -> object:
        return [varied(batch).numpy() for batch in batches]

    return one


def layers_for(settings: AugmentationConfig) -> keras.Sequential:
    """Keras's layers for some settings, in our order, for pixels from 0 to 255."""
    from keras import layers

    turns, shift, zoom = settings.rotation / 360, settings.shift, settings.zoom
    fill = {"fill_mode": settings.fill}
    made = [
        settings.horizontal_flip and layers.RandomFlip("horizontal"),
        settings.vertical_flip and layers.RandomFlip("vertical"),
        settings.zoom and layers.RandomZoom((-zoom, zoom), **fill),
        settings.shear and layers.RandomShear(settings.shear, **fill),
        settings.rotation and layers.RandomRotation((-turns, turns), **fill),
        settings.shift and layers.RandomTranslation((-shift, shift), (-shift, shift), **fill),
        settings.contrast and layers.RandomContrast(settings.contrast),
        settings.brightness and layers.RandomBrightness(settings.brightness),
        settings.noise and layers.GaussianNoise(settings.noise),  # made for pixels from 0 to 1
    ]
    import keras

    return keras.Sequential([layer for layer in made if layer])


# --- the table --------------------------------------------------------------------------------


def benchmarks(options: Options) -> list[Benchmark]:
    """The benchmark of augmentation; it needs no images but made-up ones."""

    def both(repeat: int) -> Sample:
        return last_json(run_module("benchmarks.augmentation", timeout=HOUR / 6).output)

    return [Benchmark(NAME, [Step("both", both)], _rows)]


def _rows(samples: Samples) -> list[Row]:
    return [
        Row(
            f"Images varied a second, {shape_name}, {settings_name}, median",
            "images/s",
            _median(samples, f"{shape_name}, {settings_name}", "ours"),
            _median(samples, f"{shape_name}, {settings_name}", "keras"),
            note="against keras.Sequential of the layers of those names, compiled to one graph, on "
            f"the CPU; batches of {BATCH}",
        )
        for shape_name in SHAPES
        for settings_name in VARIED
    ]


def _median(samples: Samples, what: str, way: str) -> float | None:
    rates = [sample[what][way] for sample in samples["both"]]
    return statistics.median(rates) if rates else None


if __name__ == "__main__":
    print(json.dumps(measure()))
