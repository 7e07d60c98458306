"""Named, complete configurations to start from, with what was reported for each."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from core.errors import InvalidConfig
from core.registry.config import RunConfig, parse_config
from core.registry.settings import differences, write_settings


@dataclass(frozen=True)
class Recipe:
    """A configuration with a sentence about it and the test accuracy its source reports, if any."""

    name: str
    summary: str
    reported_accuracy: float | None
    config: RunConfig


Settings = Mapping[str, Any]


def _recipe(name: str, summary: str, reported: float | None = None, **settings: Any) -> Recipe:
    return Recipe(name, summary, reported, parse_config({"recipe": name, **settings}))


def _head(*dense: int, dropout: float, pooling: str = "flatten") -> Settings:
    return {"pooling": pooling, "dense": list(dense), "dropout": dropout}


def _folder(architecture: str, batch_size: int, **network: Any) -> Settings:
    """Two phases on an image folder: a frozen backbone at first, all of it trained later."""
    return {
        "data": {"name": "folder", "validation": 0.1},
        "network": {
            "architecture": architecture,
            "mode": "transfer",
            "side": 224,
            "scaling": "imagenet",
            "head": _head(pooling="average", dropout=0),
            **network,
        },
        "epochs": 50,
        "batch_size": 32,
        "optimizer": "sgd",
        "momentum": 0.9,
        "nesterov": True,
        "learning_rate": 1e-3,
        "schedule": "plateau",
        "decay": {"monitor": "val_loss", "factor": 0.5, "patience": 3, "minimum": 0.0},
        "early_stopping": {"monitor": "val_loss", "patience": 10},
        "second_phase": {"epochs": 50, "batch_size": batch_size, "learning_rate": 1e-4},
    }


_CNN: Settings = {
    "architecture": "cnn",
    "mode": "scratch",
    "weights": "random",
    "side": 28,
    "channels": 1,
    "head": _head(256, dropout=0.5),
}
_VGG16_DIGITS: Settings = {
    "architecture": "vgg16",
    "mode": "transfer",
    "weights": "bundled",
    "side": 48,
}
_VGG16_4096: Settings = {
    "data": {"train_images": 1000, "test_images": 100},
    "epochs": 100,
    "batch_size": 50,
    "optimizer": "sgd",
    "learning_rate": 0.05,
    "schedule": "time",
    "decay": {"per_step": 1e-5},
}
_CIFAR10: Settings = {"architecture": "inceptionv3", "weights": "keras", "side": 299} | {
    "scaling": "imagenet"
}

_ALL = (
    _recipe(
        "cnn-digits",
        "A CNN made for handwritten digits, trained from random weights.",
        0.9895,
        network=_CNN,
        epochs=1,
        batch_size=86,
        optimizer="rmsprop",
        learning_rate=3e-3,
        schedule="one_cycle",
    ),
    _recipe(
        "cnn-digits-augmented",
        "The same CNN, shown digits that are turned, zoomed and moved a little, for 30 epochs.",
        0.99671,
        augmentation={"rotation": 10.0, "zoom": 0.1, "shift": 0.1},
        network=_CNN,
        epochs=30,
        batch_size=86,
        optimizer="adam",
        learning_rate=2e-3,
        schedule="one_cycle",
        label_smoothing=0.1,
    ),
    _recipe(
        "vgg16-digits",
        "VGG16 as it learned to see on ImageNet, frozen; only a small head learns digits.",
        0.9565,
        network={**_VGG16_DIGITS, "head": _head(512, dropout=0.4)},
        epochs=1,
        batch_size=86,
        optimizer="adam",
        learning_rate=3e-3,
        schedule="one_cycle",
    ),
    _recipe(
        "vgg16-digits-4096",
        "VGG16, frozen, under its original two layers of 4096, on 1,000 digits for 100 epochs.",
        network={**_VGG16_DIGITS, "head": _head(4096, 4096, dropout=0.5)},
        **_VGG16_4096,
    ),
    _recipe(
        "vgg16-digits-224",
        "The same with digits enlarged to the 224 pixels that VGG16 was made for.",
        network={**_VGG16_DIGITS, "side": 224, "head": _head(4096, 4096, dropout=0.5)},
        **_VGG16_4096,
    ),
    _recipe(
        "inceptionv3-cifar10-transfer",
        "InceptionV3, frozen, under one layer of 64, on photographs of ten kinds.",
        data={"name": "cifar10"},
        network={**_CIFAR10, "mode": "transfer"}
        | {"head": _head(64, dropout=0, pooling="average")},
        epochs=10,
        batch_size=64,
        optimizer="adam",
        learning_rate=1e-3,
    ),
    _recipe(
        "inceptionv3-cifar10-features",
        "InceptionV3 as a maker of features, 8x8x2048 numbers an image, for a small network.",
        data={"name": "cifar10"},
        network={**_CIFAR10, "mode": "features", "head": _head(256, dropout=0.5)},
        epochs=50,
        batch_size=64,
        optimizer="adam",
        learning_rate=1e-3,
    ),
    _recipe(
        "inceptionv3-cifar10-finetune",
        "InceptionV3 with its first 250 layers frozen; the others learn on from ImageNet.",
        data={"name": "cifar10"},
        network={**_CIFAR10, "mode": "finetune", "frozen_layers": 250}
        | {"head": _head(64, dropout=0, pooling="average")},
        epochs=10,
        batch_size=64,
        optimizer="adagrad",
        learning_rate=1e-4,
    ),
    _recipe(
        "vgg16-scratch-folder",
        "VGG16 with its two layers of 4096, from random weights, on your own images.",
        data={"name": "folder"},
        network={
            "architecture": "vgg16",
            "mode": "scratch",
            "weights": "random",
            "side": 224,
            "head": _head(4096, 4096, dropout=0),
        },
        epochs=100,
        batch_size=32,
        steps_per_epoch=100,
        validation_steps=10,
        optimizer="adam",
        learning_rate=1e-5,
        early_stopping={"monitor": "val_accuracy", "patience": 20},
    ),
    _recipe(
        "vgg16-folder",
        "VGG16 on your own images: frozen for 50 epochs, then all of it for 50 more.",
        **_folder("vgg16", 8, weights="bundled"),
    ),
    _recipe(
        "vgg16-few-pictures",
        "VGG16, frozen, on some dozens of your own pictures: a small head learns them in a minute.",
        data={"name": "folder", "validation": 0.1},
        network={
            "architecture": "vgg16",
            "mode": "transfer",
            "weights": "bundled",
            "side": 128,
            "scaling": "imagenet",
            "head": _head(pooling="average", dropout=0),
        },
        epochs=20,
        batch_size=16,
        optimizer="adam",
        learning_rate=3e-3,
        schedule="one_cycle",
    ),
    _recipe(
        "mobilenet-folder",
        "A narrow MobileNet on your own images: frozen for 50 epochs, then all of it for 50 more.",
        **_folder("mobilenet", 32, weights="keras", alpha=0.25),
    ),
    _recipe(
        "resnet50-folder",
        "ResNet50 on your own images: frozen for 50 epochs, then all of it for 50 more.",
        **_folder("resnet50", 8, weights="keras"),
    ),
)

RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in _ALL}


def find_recipe(name: str) -> Recipe:
    """The recipe of that name. Raises InvalidConfig, with the names there are, for any other."""
    if name in RECIPES:
        return RECIPES[name]
    close = get_close_matches(name, RECIPES, n=1)
    hint = f"did you mean {close[0]}?" if close else f"recipes are {', '.join(RECIPES)}"
    raise InvalidConfig(f"there is no recipe {name!r}; {hint}")


def nearest_recipe(config: RunConfig) -> Recipe:
    """The recipe that a configuration differs from in the fewest settings."""
    return min(RECIPES.values(), key=lambda recipe: len(differences(recipe.config, config)))


def command_for(config: RunConfig) -> str:
    """The command that trains by a configuration, from the recipe that it says it started from."""
    recipe = RECIPES.get(config.recipe) or nearest_recipe(config)
    changed = {key: value for key, (_, value) in differences(recipe.config, config).items()}
    if "optimizer" in changed:  # another one would bring its own rate
        changed["learning_rate"] = config.learning_rate
    settings = (word for written in write_settings(changed) for word in ("--set", written))
    return shlex.join(["python", "-m", "core", "train", recipe.name, *settings])
