"""The code that asks an exported network, run for real up to the network, which is a recorder."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.preprocessing import decode, for_network, to_grey
from core.predicting.snippet import CLASSES_FILE, MOST_NAMED, snippet
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.settings import change

SETTINGS = {
    "digits, 1 channel": ("cnn-digits", {}),
    "digits, 3 channels": ("vgg16-digits", {}),
    "colours, 3 channels": ("vgg16-digits", {"data.name": "cifar10"}),
    "colours, 1 channel": ("cnn-digits", {"data.name": "cifar10"}),
}


def config_of(name: str) -> RunConfig:
    recipe, settings = SETTINGS[name]
    return change(RECIPES[recipe].config, settings)


def executed(
    config: RunConfig, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[NDArray[Any], str]:
    """What the network was fed, and the file it was loaded from."""
    seen: dict[str, Any] = {}
    probabilities = np.zeros((1, len(config.class_names)), np.float32)
    probabilities[0, -1] = 0.75

    def predict(images: NDArray[Any]) -> NDArray[np.float32]:
        seen["images"] = images
        return probabilities

    def load_model(file: str) -> Any:
        seen["file"] = file
        return SimpleNamespace(predict=predict)

    stand_in = SimpleNamespace(models=SimpleNamespace(load_model=load_model))
    monkeypatch.setitem(sys.modules, "keras", stand_in)  # type: ignore[arg-type]
    monkeypatch.chdir(folder)
    exec(snippet(config, 'it\'s "one".keras'), {})
    return seen["images"], seen["file"]


@pytest.mark.parametrize("side", [20, 90])
@pytest.mark.parametrize("name", SETTINGS)
def test_a_network_is_fed_what_it_is_fed_here(
    name: str,
    side: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = config_of(name)
    picture = np.random.default_rng(side).integers(0, 256, (side, side + 7, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "picture.png"), picture)
    images, file = executed(config, tmp_path, monkeypatch)
    read = decode((tmp_path / "picture.png").read_bytes())
    if config.data.shows_digits:
        read = to_grey(read)
    fed = for_network(read[None], config.network.side, config.network.channels)
    np.testing.assert_array_equal(images, fed)
    assert file == 'it\'s "one".keras'
    assert capsys.readouterr().out == f"{config.class_names[-1]}: 75.00%\n"


def test_of_many_classes_the_names_are_read_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = change(RECIPES["cnn-digits"].config, {"data.name": "cifar100"})
    assert len(config.class_names) > MOST_NAMED
    (tmp_path / CLASSES_FILE).write_text("\n".join(config.class_names), "utf-8")
    cv2.imwrite(str(tmp_path / "picture.png"), np.zeros((28, 28, 3), np.uint8))
    executed(config, tmp_path, monkeypatch)
    assert capsys.readouterr().out == "worm: 75.00%\n"
