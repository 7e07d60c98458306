"""How much of the bare forward pass, and of the processor, the extraction of features gets.

`python -m benchmarks.features IMAGES FOLDER` makes one measurement and prints it as JSON.
"""

from __future__ import annotations

import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.options import Options
from benchmarks.processes import HOUR, last_json, run_module
from benchmarks.record import Benchmark, Goal, Row, Sample, Samples, Step, median
from core.network.network_config import NetworkConfig
from core.registry.recipes import RECIPES

if TYPE_CHECKING:
    import keras

    from core.data.pictures import Pictures
    from core.training.features import FrozenLayers

Run = Callable[[Any], object]
"""Something that takes a batch."""

MINUTES: dict[str, float] = {"feature-extraction": 4}
"""What a repeat takes on two quiet cores, about."""
IMAGES = 10_000
FEWEST = 300
"""So few images are a batch and a bit."""
ROUNDS = 3
"""Times that each thing is measured, in turn."""
BATCH_SIZES = (32, 64, 128, 256, 512)
TRIED, MEASURED = 512, 2560
"""Images in ready batches: to find out which size is best, and to measure with it."""
TRIES = 2
FINALISTS = 3
"""The best so many of all ways and sizes are measured in each round."""
SIDE_OF_MATRIX = 4096
PRODUCTS = 5


# --- the measurement, made in a process of its own --------------------------------------------


def measure(images: int, folder: Path) -> Sample:
    """Images a second from pictures to features on disk and through the bare layers, in turn.

    The median of each over the rounds; all of it warmed up, so nothing is compiled meanwhile.
    """
    from core.training.quiet import load_tensorflow

    load_tensorflow()
    import keras
    import tensorflow as tf

    from core.data.datasets import load_part
    from core.data.pictures import Pictures
    from core.network import precision
    from core.network.networks import build
    from core.training import devices
    from core.training.feature_cache import FeatureCache
    from core.training.features import FrozenLayers, stored_as

    config = RECIPES["vgg16-digits"].config
    number_format = precision.resolve(
        config.precision, precision.cpu_flags(), devices.gpu_capabilities()
    )
    network = build(config.network, len(config.class_names), number_format, config.seed)
    frozen = network.parts(config.network.frozen_count, stored_as(number_format)).frozen
    if frozen is None:
        raise ValueError("the recipe vgg16-digits must freeze its backbone")
    split = load_part(config.data, "train").take(np.arange(images))
    pictures = Pictures(split, config.network, may_hold=0)
    cache = FeatureCache(folder, limit=2**33)
    layers = FrozenLayers(frozen, config.network, "benchmark", number_format, cache)
    ready = pictures.at(np.arange(min(images, MEASURED)))
    kind = tf.as_dtype(keras.DTypePolicy(number_format).compute_dtype)

    layers.run(ready[: layers.batch_size])
    forward = _finalists(_ways(frozen, network.backbone), ready)
    extraction, products = [], []
    rates: dict[str, list[float]] = {name: [] for name in forward}
    for _ in range(ROUNDS):
        products.append(_matrix_product_rate(kind))
        for name, (run, batches) in forward.items():
            rates[name].append(_forward_rate(run, batches))
        extraction.append(_extraction_rate(layers, pictures))
        cache.clear()
    medians = {name: statistics.median(values) for name, values in rates.items()}
    best = max(medians, key=medians.__getitem__)
    operations = forward_operations(config.network)
    return {
        "precision": number_format,
        "images": images,
        "batch_size": layers.batch_size,
        "extraction_rate": statistics.median(extraction),
        "forward_rate": medians[best],
        "forward_way": best,
        "operations_per_image": operations,
        "extraction_operations": operations * statistics.median(extraction),
        "forward_operations": operations * medians[best],
        "product_operations": statistics.median(products),
        "product_type": kind.name,
        "rounds": {"extraction": extraction, "products": products, **rates},
    }


def forward_operations(network: NetworkConfig) -> int:
    """Floating point operations of VGG16's convolutions for one image, forward.

    Two for each multiplication with its addition; each position of the output takes one for each
    number of the kernel.
    """
    convolutions = (layer for layer in network.graph.layers if layer.kind == "Conv2D")
    return sum(
        2 * (layer.parameters - layer.shape[-1]) * layer.shape[0] * layer.shape[1]
        for layer in convolutions
    )


def _ways(frozen: keras.Model, backbone: keras.Model) -> dict[str, tuple[Run, Callable[..., Any]]]:
    """By name: ways to run the layers on a ready batch, and what makes a batch ready for each."""
    import tensorflow as tf

    from core.training.features import compiled

    as_usual = tf.function(
        lambda batch: frozen(batch, training=False),
        input_signature=[tf.TensorSpec(frozen.input_shape, tf.uint8)],
    )
    return {
        "weights as constants, pixels": (compiled(frozen), tf.constant),
        "weights as constants, scaled pixels": (
            compiled(backbone),
            lambda images: tf.constant(images.astype(np.float32) / 255),
        ),
        "tf.function, pixels": (lambda batch: as_usual(batch).numpy(), tf.constant),
    }


def _finalists(
    ways: dict[str, tuple[Run, Callable[..., Any]]], ready: np.ndarray
) -> dict[str, tuple[Run, list[Any]]]:
    """The best ways and batch sizes of a short try, with the batches to measure them on."""
    candidates: dict[str, tuple[Run, list[Any]]] = {}
    for (way, (run, make)), size in itertools.product(ways.items(), BATCH_SIZES):
        if size > len(ready):
            continue
        starts = range(0, len(ready) - size + 1, size)
        batches = [make(ready[start : start + size]) for start in starts]
        name = f"{way}, batches of {size}"
        candidates[name] = run, batches
        run(batches[0])
    tried = dict.fromkeys(candidates, 0.0)
    for _ in range(TRIES):
        for name, (run, batches) in candidates.items():
            few = batches[: max(1, TRIED // len(batches[0]))]
            tried[name] = max(tried[name], _forward_rate(run, few))
    best = sorted(tried, key=tried.__getitem__, reverse=True)[:FINALISTS]
    return {name: candidates[name] for name in best}


def _forward_rate(run: Run, batches: list[Any]) -> float:
    started = time.perf_counter()
    for batch in batches:
        run(batch)
    return float(sum(map(len, batches)) / (time.perf_counter() - started))


def _extraction_rate(layers: FrozenLayers, pictures: Pictures) -> float:
    started = time.perf_counter()
    layers.cached(pictures, 1, "training images", lambda event: None, lambda: False)
    return len(pictures) / (time.perf_counter() - started)


def _matrix_product_rate(kind: Any) -> float:
    """Floating point operations a second of the quickest of several products of large matrices."""
    import tensorflow as tf

    shape = (SIDE_OF_MATRIX, SIDE_OF_MATRIX)
    one, other = (tf.cast(tf.random.stateless_normal(shape, [0, seed]), kind) for seed in (1, 2))
    seconds = []
    for _ in range(PRODUCTS):
        started = time.perf_counter()
        tf.linalg.matmul(one, other)
        tf.test.experimental.sync_devices()
        seconds.append(time.perf_counter() - started)
    return 2 * SIDE_OF_MATRIX**3 / min(seconds)


# --- steps and rows ---------------------------------------------------------------------------


def benchmarks(options: Options) -> list[Benchmark]:
    """The one benchmark."""
    images = max(FEWEST, round(options.fraction * IMAGES))

    def one(repeat: int) -> Sample:
        folder = options.scratch / f"features-{repeat}"
        words = (str(images), str(folder))
        return last_json(run_module("benchmarks.features", *words, timeout=HOUR).output)

    return [
        Benchmark(
            "feature-extraction",
            [Step("both", one)],
            lambda samples: _rows(samples, judged=options.whole),
        )
    ]


def _rows(samples: Samples, judged: bool) -> list[Row]:
    taken = samples.get("both", [])
    ways = "; ".join(dict.fromkeys(sample["forward_way"] for sample in taken))
    kinds = ", ".join(dict.fromkeys(sample["product_type"] for sample in taken))
    size = f"{SIDE_OF_MATRIX}x{SIDE_OF_MATRIX}"
    of_product = f"the baseline is a product of two {size} matrices in {kinds}, in the same process"
    return [
        Row(
            "VGG16 48x48: stored pictures to features on disk, against the bare forward pass",
            "images/s",
            median(taken, "extraction_rate"),
            median(taken, "forward_rate"),
            Goal("at least", 0.85, "ratio"),
            f"the baseline is the quickest of all ways on ready batches: {ways}",
            judged,
        ),
        Row(
            "VGG16 48x48: stored pictures to features on disk, against a matrix product",
            "GFLOP/s",
            median(taken, "extraction_operations"),
            median(taken, "product_operations"),
            Goal("at least", 1, "ratio"),
            of_product,
            judged,
        ),
        Row(
            "VGG16 48x48: bare forward pass, against a matrix product",
            "GFLOP/s",
            median(taken, "forward_operations"),
            median(taken, "product_operations"),
            note=of_product,
        ),
    ]


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), Path(sys.argv[2]))))
