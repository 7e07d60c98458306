import json
from typing import Any

import pytest

from core.network.architectures import ARCHITECTURES
from core.network.network_config import HeadConfig
from core.registry.choices import (
    augmentation_of,
    block_names,
    effective,
    fitting,
    freezes,
    frozen_count,
    head_layers,
    head_settings,
    matters,
    settings_of,
    varies,
    with_settings,
)
from core.registry.config import DEFAULT_RATES, RunConfig
from core.registry.recipes import RECIPES
from core.registry.settings import change, read_settings

MODES = ("scratch", "transfer", "features", "finetune")
CNN = RECIPES["cnn-digits"].config
VGG16 = RECIPES["vgg16-digits"].config
FOLDER = RECIPES["mobilenet-folder"].config
INCEPTION = RECIPES["inceptionv3-cifar10-finetune"].config


def choose(config: RunConfig, *choices: tuple[str, Any]) -> dict[str, Any]:
    """All settings after choosing one after another."""
    settings = settings_of(config)
    for key, value in choices:
        settings |= fitting(settings, key, value, config)
    return settings


def built(config: RunConfig, settings: dict[str, Any]) -> RunConfig:
    return change(config, effective(settings, config))


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_left_as_it_is_is_that_recipe(name: str) -> None:
    config = RECIPES[name].config
    assert effective(settings_of(config), config) == settings_of(config)
    assert built(config, settings_of(config)) == config


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", RECIPES)
def test_every_architecture_in_every_mode_is_valid_from_every_recipe(
    name: str, architecture: str, mode: str
) -> None:
    config = RECIPES[name].config
    choices = [("network.architecture", architecture), ("network.mode", mode)]
    for order in (choices, choices[::-1]):
        network = built(config, choose(config, *order)).network
        assert network.architecture == architecture
        if order is choices:
            assert network.mode == mode


def test_vgg16_chosen_in_the_recipe_of_the_cnn_is_ready_to_transfer() -> None:
    network = built(CNN, choose(CNN, ("network.architecture", "vgg16"))).network
    assert (network.mode, network.weights) == ("transfer", "bundled")
    assert (network.side, network.channels) == (32, 3)


def test_the_cnn_chosen_in_the_recipe_of_vgg16_begins_from_scratch() -> None:
    network = built(VGG16, choose(VGG16, ("network.architecture", "cnn"))).network
    assert (network.mode, network.weights, network.side) == ("scratch", "random", 48)


def test_another_pretrained_network_keeps_the_mode_and_takes_its_own_weights() -> None:
    network = built(INCEPTION, choose(INCEPTION, ("network.architecture", "vgg16"))).network
    assert (network.mode, network.weights, network.side) == ("finetune", "bundled", 299)


@pytest.mark.parametrize("weights", ["/data/vgg16.h5", "run:20260101-000000-000000"])
def test_weights_of_one_network_are_not_for_another(weights: str) -> None:
    chosen = ("network.weights", weights)
    assert choose(VGG16, chosen)["network.weights"] == weights
    other_mode = choose(VGG16, chosen, ("network.mode", "finetune"))
    assert other_mode["network.weights"] == weights
    other_network = choose(VGG16, chosen, ("network.architecture", "resnet50"))
    assert other_network["network.weights"] == "keras"


def test_random_weights_that_were_chosen_stay() -> None:
    settings = choose(VGG16, ("network.weights", "random"), ("network.architecture", "resnet50"))
    assert settings["network.weights"] == "random"


@pytest.mark.parametrize(
    ("architecture", "frozen"),
    [
        ("vgg16", "block4"),
        ("inceptionv3", "mixed9"),
        ("mobilenet", "block12"),
        ("resnet50", "conv4"),
    ],
)
def test_finetuning_begins_with_all_but_the_last_block_frozen(
    architecture: str, frozen: str
) -> None:
    settings = choose(VGG16, ("network.architecture", architecture), ("network.mode", "finetune"))
    assert settings["network.frozen_layers"] == frozen


def test_frozen_layers_that_the_new_network_has_stay_frozen() -> None:
    settings = choose(INCEPTION, ("network.architecture", "resnet50"))
    assert settings["network.frozen_layers"] == "conv4"  # of 175 layers 250 cannot be frozen
    few = choose(INCEPTION, ("network.frozen_layers", 10), ("network.architecture", "resnet50"))
    assert few["network.frozen_layers"] == 10
    none = choose(INCEPTION, ("network.frozen_layers", 0), ("network.architecture", "resnet50"))
    assert none["network.frozen_layers"] == 0


def test_a_second_phase_that_would_unfreeze_nothing_unfreezes_all() -> None:
    kept = choose(FOLDER, ("second_phase.still_frozen", "block5"), ("network.mode", "finetune"))
    assert kept["second_phase.still_frozen"] == "block5"
    unknown = choose(
        FOLDER, ("second_phase.still_frozen", "block5"), ("network.architecture", "resnet50")
    )
    assert unknown["second_phase.still_frozen"] == 0


@pytest.mark.parametrize("optimizer", [name for name in DEFAULT_RATES if name != "rmsprop"])
def test_another_optimizer_brings_its_usual_rate(optimizer: str) -> None:
    settings = choose(CNN, ("optimizer", optimizer))
    assert settings["learning_rate"] == DEFAULT_RATES[optimizer]


def test_the_optimizer_of_the_recipe_brings_the_rate_of_the_recipe() -> None:
    settings = choose(CNN, ("optimizer", "sgd"), ("optimizer", "rmsprop"))
    assert settings["learning_rate"] == CNN.learning_rate


def test_only_what_changes_is_told() -> None:
    settings = settings_of(CNN)
    assert fitting(settings, "epochs", 3, CNN) == {"epochs": 3}
    assert fitting(settings, "optimizer", "adam", CNN) == {
        "optimizer": "adam",
        "learning_rate": 0.001,
    }


def test_another_dataset_is_not_read_from_the_file_of_the_first() -> None:
    settings = choose(VGG16, ("data.path", "/data/mnist.npz"), ("data.name", "cifar10"))
    assert settings["data.path"] == ""


@pytest.mark.parametrize(
    ("setting", "without", "with_"),
    [
        ("momentum", {"optimizer": "adam"}, {"optimizer": "sgd"}),
        ("nesterov", {"optimizer": "sgd", "momentum": 0.0}, {"optimizer": "sgd", "momentum": 0.9}),
        ("weight_decay", {"optimizer": "adam"}, {"optimizer": "adamw"}),
        ("warmup_epochs", {"schedule": "one_cycle"}, {"schedule": "cosine"}),
        ("decay.per_step", {"schedule": "step"}, {"schedule": "time"}),
        ("decay.epochs", {"schedule": "plateau"}, {"schedule": "step"}),
        ("decay.minimum", {"schedule": "step"}, {"schedule": "plateau"}),
        ("early_stopping.monitor", {"early_stopping.patience": 0}, {"early_stopping.patience": 5}),
        ("network.weights", {"network.mode": "scratch"}, {"network.mode": "transfer"}),
        ("network.frozen_layers", {"network.mode": "transfer"}, {"network.mode": "finetune"}),
        ("network.alpha", {}, {"network.architecture": "mobilenet"}),
        ("network.blocks", {}, {"network.architecture": "cnn"}),
        ("network.channels", {}, {"network.architecture": "cnn"}),
        ("network.scaling", {"network.architecture": "cnn"}, {}),
        ("second_phase.epochs", {"network.mode": "features"}, {"network.mode": "finetune"}),
        ("second_phase.batch_size", {}, {"second_phase.epochs": 3}),
        ("augmentation.zoom", {"network.mode": "features"}, {}),
        ("augmentation.fill", {"augmentation.horizontal_flip": True}, {"augmentation.zoom": 0.1}),
        ("augmentation.fill", {"augmentation.noise": 0.1}, {"augmentation.shear": 0.1}),
        ("augmentation.noise", {"network.mode": "features"}, {}),
        ("augmentation.passes", {}, {"augmentation.horizontal_flip": True}),
        ("augmentation.passes", {}, {"augmentation.brightness": 0.1}),
        ("cache_features", {"network.mode": "scratch"}, {}),
        ("data.classes", {}, {"data.name": "folder"}),
        ("seed", {}, {"network.mode": "scratch"}),
    ],
)
def test_a_setting_matters_only_where_it_does_something(
    setting: str, without: dict[str, Any], with_: dict[str, Any]
) -> None:
    settings = settings_of(VGG16)
    assert matters(setting, settings | with_)
    if setting != "seed":
        assert not matters(setting, settings | without)


def test_what_does_not_matter_is_in_nobodys_way_and_comes_back() -> None:
    settings = choose(
        FOLDER,
        ("network.architecture", "vgg16"),
        ("network.mode", "features"),
        ("optimizer", "adam"),
    )
    config = built(FOLDER, settings)
    assert (config.momentum, config.second_phase.epochs, config.network.alpha) == (0, 0, 1)
    back = settings | {"optimizer": "sgd", "network.mode": "transfer"}
    config = built(FOLDER, back)
    assert (config.momentum, config.nesterov, config.second_phase.epochs) == (0.9, True, 50)


@pytest.mark.parametrize(
    ("mode", "frozen", "expected"),
    [
        ("transfer", 0, True),
        ("features", 0, True),
        ("finetune", "block4", True),
        ("finetune", 0, False),
        ("scratch", 3, False),
    ],
)
def test_what_freezes_layers(mode: str, frozen: int | str, expected: bool) -> None:
    settings = settings_of(VGG16) | {"network.mode": mode, "network.frozen_layers": frozen}
    assert freezes(settings) is expected


def test_mode_features_varies_nothing() -> None:
    settings = settings_of(VGG16) | {"augmentation.rotation": 10.0}
    assert varies(settings)
    assert not varies(settings | {"network.mode": "features"})


@pytest.mark.parametrize("config", [CNN, VGG16, FOLDER])
def test_the_augmentation_among_all_settings_is_that_of_the_configuration(
    config: RunConfig,
) -> None:
    varied = change(config, {"rotation": 10, "noise": 0.1, "fill": "wrap", "vertical_flip": True})
    assert augmentation_of(settings_of(varied)) == varied.augmentation


def test_blocks_of_the_cnn_are_those_of_its_table() -> None:
    settings = settings_of(CNN)
    assert block_names(settings) == ("block1", "block2")
    three = settings | {"network.blocks": [*settings["network.blocks"], {"filters": 8}]}
    assert block_names(three) == ("block1", "block2", "block3")


def test_layers_that_there_are_not_count_for_none() -> None:
    settings = settings_of(VGG16)
    assert frozen_count(settings, "block4") == 15
    assert frozen_count(settings, "conv4") is None
    assert frozen_count(settings, 1000) is None


@pytest.mark.parametrize(
    "head",
    [
        HeadConfig(),
        HeadConfig(dense=(), dropout=0.0),
        HeadConfig(dense=(4096, 4096), dropout=0.5),
        HeadConfig(dense=(64, 32), dropout=(0.1, 0.2)),
        HeadConfig(dense=(64, 32), activation=("tanh", "relu"), dropout=0.0),
    ],
)
def test_a_head_as_a_table_is_the_same_head(head: HeadConfig) -> None:
    content = head.model_dump(mode="json")
    settings = {f"network.head.{key}": value for key, value in content.items()}
    rows = head_layers(settings)
    assert [tuple(row.values()) for row in rows] == [
        (layer.units, layer.activation, layer.dropout) for layer in head.layers
    ]
    assert settings | head_settings(rows) == settings


@pytest.mark.parametrize("name", RECIPES)
def test_a_configuration_that_was_written_down_can_be_taken_whole(name: str) -> None:
    start = RECIPES[name].config
    changed = change(start, {"learning_rate": 0.0123, "seed": 7, "keep_weights": 3})
    text = json.dumps(changed.model_dump(mode="json"))
    taken = with_settings(settings_of(start), read_settings(text), start)
    assert built(start, taken) == changed
