import shlex
from typing import Any

import pytest

from core.errors import InvalidConfig
from core.registry.config import RunConfig, parse_config
from core.registry.recipes import RECIPES, command_for, find_recipe
from core.registry.settings import change, parse_settings

NAMES = [
    "cnn-digits",
    "cnn-digits-augmented",
    "vgg16-digits",
    "vgg16-digits-4096",
    "vgg16-digits-224",
    "inceptionv3-cifar10-transfer",
    "inceptionv3-cifar10-features",
    "inceptionv3-cifar10-finetune",
    "vgg16-scratch-folder",
    "vgg16-folder",
    "vgg16-few-pictures",
    "mobilenet-folder",
    "resnet50-folder",
]


def test_there_is_a_recipe_for_each_of_the_articles_and_one_for_few_pictures() -> None:
    assert list(RECIPES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_found_by_the_name_it_and_its_configuration_carry(name: str) -> None:
    recipe = find_recipe(name)
    assert recipe.name == recipe.config.recipe == name


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_a_valid_configuration(name: str) -> None:
    assert parse_config(RECIPES[name].config.model_dump_json()) == RECIPES[name].config


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("cnn-digits", ("cnn", "scratch", 28, 1, "flatten", (256,), 0.5)),
        ("cnn-digits-augmented", ("cnn", "scratch", 28, 1, "flatten", (256,), 0.5)),
        ("vgg16-digits", ("vgg16", "transfer", 48, 3, "flatten", (512,), 0.4)),
        ("vgg16-digits-4096", ("vgg16", "transfer", 48, 3, "flatten", (4096, 4096), 0.5)),
        ("vgg16-digits-224", ("vgg16", "transfer", 224, 3, "flatten", (4096, 4096), 0.5)),
        ("inceptionv3-cifar10-transfer", ("inceptionv3", "transfer", 299, 3, "average", (64,), 0)),
        (
            "inceptionv3-cifar10-features",
            ("inceptionv3", "features", 299, 3, "flatten", (256,), 0.5),
        ),
        ("inceptionv3-cifar10-finetune", ("inceptionv3", "finetune", 299, 3, "average", (64,), 0)),
        ("vgg16-scratch-folder", ("vgg16", "scratch", 224, 3, "flatten", (4096, 4096), 0)),
        ("mobilenet-folder", ("mobilenet", "transfer", 224, 3, "average", (), 0)),
    ],
)
def test_a_recipe_has_the_network_of_its_article(name: str, network: tuple[Any, ...]) -> None:
    config = find_recipe(name).config.network
    head = config.head
    found = (config.architecture, config.mode, config.side, config.channels)
    assert (*found, head.pooling, head.dense, head.dropout) == network


@pytest.mark.parametrize(
    ("name", "training"),
    [
        ("cnn-digits", (1, 86, "rmsprop")),
        ("cnn-digits-augmented", (30, 86, "adam")),
        ("vgg16-digits", (1, 86, "adam")),
        ("vgg16-digits-4096", (100, 50, "sgd")),
        ("vgg16-digits-224", (100, 50, "sgd")),
        ("inceptionv3-cifar10-transfer", (10, 64, "adam")),
        ("inceptionv3-cifar10-features", (50, 64, "adam")),
        ("inceptionv3-cifar10-finetune", (10, 64, "adagrad")),
        ("vgg16-scratch-folder", (100, 32, "adam")),
        ("vgg16-folder", (50, 32, "sgd")),
    ],
)
def test_a_recipe_trains_as_its_article(name: str, training: tuple[int, int, str]) -> None:
    config = find_recipe(name).config
    assert (config.epochs, config.batch_size, config.optimizer) == training


def with_classes(config: RunConfig, count: int) -> RunConfig:
    data = config.data.model_copy(update={"classes": tuple(map(str, range(count)))})
    return config.model_copy(update={"data": data})


@pytest.mark.parametrize(
    ("name", "classes", "total", "trainable"),
    [
        ("cnn-digits", 10, 887_530, 887_530),
        ("cnn-digits-augmented", 10, 887_530, 887_530),
        ("vgg16-digits", 10, 14_982_474, 267_786),
        ("vgg16-digits-224", 10, 134_301_514, 119_586_826),
        ("inceptionv3-cifar10-transfer", 10, 21_934_570, 131_786),
        ("vgg16-scratch-folder", 2, 134_268_738, 134_268_738),
    ],
)
def test_a_recipe_has_the_published_parameters(
    name: str, classes: int, total: int, trainable: int
) -> None:
    counted = with_classes(find_recipe(name).config, classes).parameters
    assert (counted.total, counted.trainable) == (total, trainable)


def test_reported_accuracies_are_those_of_the_articles() -> None:
    reported = {name: recipe.reported_accuracy for name, recipe in RECIPES.items()}
    assert {name: accuracy for name, accuracy in reported.items() if accuracy} == {
        "cnn-digits": 0.9895,
        "cnn-digits-augmented": 0.99671,
        "vgg16-digits": 0.9565,
    }


def test_the_augmented_recipe_turns_zooms_and_moves_but_does_not_mirror() -> None:
    varied = find_recipe("cnn-digits-augmented").config.augmentation
    assert (varied.rotation, varied.zoom, varied.shift) == (10, 0.1, 0.1)
    assert not varied.horizontal_flip


def test_the_4096_recipe_decays_by_a_hundred_thousandth_a_step() -> None:
    config = find_recipe("vgg16-digits-4096").config
    assert (config.learning_rate, config.schedule, config.decay.per_step) == (0.05, "time", 1e-5)
    assert (config.data.train_images, config.data.test_images) == (1000, 100)


def test_the_finetune_recipe_freezes_the_first_250_layers() -> None:
    (phase,) = find_recipe("inceptionv3-cifar10-finetune").config.phases
    assert phase.frozen_count == 250


@pytest.mark.parametrize(
    ("name", "layers", "batch_size"),
    [("vgg16-folder", 19, 8), ("mobilenet-folder", 86, 32), ("resnet50-folder", 175, 8)],
)
def test_a_folder_recipe_trains_the_head_and_then_everything(
    name: str, layers: int, batch_size: int
) -> None:
    config = find_recipe(name).config
    first, second = config.phases
    assert (first.frozen_count, first.epochs, first.batch_size) == (layers, 50, 32)
    assert (second.frozen_count, second.epochs, second.batch_size) == (0, 50, batch_size)
    assert (first.learning_rate, second.learning_rate) == (1e-3, 1e-4)
    assert (config.decay.monitor, config.decay.factor, config.decay.patience) == (
        "val_loss",
        0.5,
        3,
    )
    assert config.early_stopping.patience == 10
    assert config.data.validation == 0.1


def test_a_misspelt_recipe_suggests_the_right_one() -> None:
    with pytest.raises(InvalidConfig, match=r"did you mean vgg16-digits\?"):
        find_recipe("vgg-digits")


def test_an_unknown_recipe_is_answered_with_all_recipes() -> None:
    with pytest.raises(InvalidConfig, match="recipes are cnn-digits, cnn-digits-augmented, vgg16"):
        find_recipe("zzz")


def from_command(command: str) -> RunConfig:
    """The configuration that a `train` command asks for."""
    *start, recipe = shlex.split(command)[:5]
    options = shlex.split(command)[5:]
    assert start == ["python", "-m", "core", "train"]
    assert set(options[::2]) <= {"--set"}
    return change(find_recipe(recipe).config, parse_settings(options[1::2]))


@pytest.mark.parametrize(
    ("recipe", "changes"),
    [
        ("cnn-digits", {}),
        ("cnn-digits", {"epochs": 7, "seed": 3, "dense": [8, 4], "test_images": None}),
        ("cnn-digits", {"optimizer": "sgd", "learning_rate": 0.001}),
        ("mobilenet-folder", {"data.path": "/pictures/it's 2 dogs", "data.classes": ["1", "a b"]}),
        ("vgg16-digits", {"mode": "finetune", "frozen_layers": "block4"}),
        ("vgg16-digits", {"recipe": "one of our own", "weights": "run:20261121-101500-123456"}),
    ],
)
def test_the_command_of_a_configuration_asks_for_just_that(
    recipe: str, changes: dict[str, Any]
) -> None:
    config = change(find_recipe(recipe).config, changes)
    assert from_command(command_for(config)) == config


def test_the_command_of_a_recipe_names_nothing_else() -> None:
    assert command_for(find_recipe("cnn-digits").config) == "python -m core train cnn-digits"
