import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.settings import change
from ui.plots.diagram import boxes

DIGITS = RECIPES["vgg16-digits"].config
INCEPTION = RECIPES["inceptionv3-cifar10-finetune"].config


def seen(config: RunConfig, phase: int = 0) -> list[tuple[str, str, bool]]:
    return [(box.name, box.state, box.once) for box in boxes(config.blueprint, phase)]


def diagram_app(settings: dict[str, object], kept: bool) -> None:
    from core.registry.recipes import RECIPES
    from core.registry.settings import change
    from ui.plots.diagram import diagram

    config = change(RECIPES["vgg16-digits"].config, settings)
    diagram(config.blueprint, 0, kept=kept, key="diagram")


def sent(settings: dict[str, Any] | None = None, *, kept: bool = True) -> dict[str, Any]:
    """What the browser is given to draw."""
    app = AppTest.from_function(diagram_app, args=(settings or {}, kept)).run(timeout=200)
    assert not app.exception
    data: dict[str, Any] = json.loads(app.get("bidi_component")[0].proto.json)
    return data


def test_a_network_is_a_box_for_each_block() -> None:
    assert seen(DIGITS) == [
        ("images", "plain", True),
        *((f"block{number}", "frozen", True) for number in range(1, 6)),
        ("flatten", "plain", True),
        ("dense_1", "trained", False),
        ("probabilities", "trained", False),
    ]


@pytest.mark.parametrize(
    ("recipe", "blocks"),
    [
        ("cnn-digits", ["block1", "block2"]),
        ("vgg16-digits-224", [f"block{number}" for number in range(1, 6)]),
        ("resnet50-folder", [f"conv{number}" for number in range(1, 6)]),
        ("mobilenet-folder", [f"block{number}" for number in range(14)]),
        ("inceptionv3-cifar10-transfer", ["stem", *(f"mixed{number}" for number in range(11))]),
    ],
)
def test_every_architecture_has_its_blocks(recipe: str, blocks: list[str]) -> None:
    config = change(RECIPES[recipe].config, {"data.classes": ["cat", "dog"]})
    names = [box.name for box in boxes(config.blueprint, 0)]
    head = names.index("flatten" if config.network.head.pooling == "flatten" else "pooling")
    assert names[1:head] == blocks


def test_a_cut_within_a_block_makes_two_boxes_of_it() -> None:
    around = [box for box in boxes(INCEPTION.blueprint, 0) if box.name == "mixed9"]
    assert [(box.state, box.once) for box in around] == [("frozen", True), ("trained", False)]
    assert sum(len(box.rows) for box in around) == 31


def test_all_layers_are_in_some_box() -> None:
    network = INCEPTION.blueprint
    found = [row for box in boxes(network, 0) for row in box.rows]
    assert sorted(row.name for row in found) == sorted(row.name for row in network.rows)


def test_a_second_phase_trains_what_the_first_left() -> None:
    config = change(DIGITS, {"second_phase.epochs": 1, "still_frozen": "block4"})
    assert seen(config, 0)[5] == ("block5", "frozen", True)
    assert seen(config, 1)[4:6] == [("block4", "frozen", True), ("block5", "trained", False)]


def test_the_larger_the_image_the_taller_its_box_and_the_more_channels_the_wider() -> None:
    drawn = sent()["boxes"][1:6]
    heights, widths = ([box[name] for box in drawn] for name in ("height", "width"))
    assert heights == sorted(heights, reverse=True)
    assert widths == sorted(widths)


def test_scissors_stand_where_the_network_is_cut() -> None:
    cut = sent()["cut"]
    assert (cut["before"], cut["icon"], cut["text"]) == (7, "scissors", "512 numbers")
    block4 = sent({"mode": "finetune", "frozen_layers": "block4"})["cut"]
    assert (block4["before"], block4["text"]) == (5, "4,608 numbers")
    assert "3×3×512 kept per image" in block4["title"]


def test_frozen_layers_that_run_in_every_epoch_are_no_cut() -> None:
    assert sent(kept=False)["cut"]["icon"] == "repeat"
    assert "every epoch" in sent(kept=False)["cut"]["title"]
    assert "once" not in sent(kept=False)["boxes"][4]["facts"]


def test_where_nothing_is_frozen_nothing_is_cut() -> None:
    whole = sent({"mode": "scratch", "weights": "random"})
    assert whole["cut"] is None
    assert [state for state, _ in whole["legend"]] == ["trained", "plain"]


def test_a_box_tells_of_the_layers_inside() -> None:
    block4 = sent()["boxes"][4]
    assert block4["facts"] == "4 layers, 5,899,776 parameters, frozen, computed once per image"
    assert block4["layers"][0] == ["block4_conv1", "Conv2D", "6×6×512"]
    assert block4["more"] == ""


def test_of_many_layers_the_first_are_told() -> None:
    network = {"architecture": "inceptionv3", "weights": "keras", "side": 75}
    mixed = sent(network)["boxes"][2]
    assert len(mixed["layers"]) == 12
    assert mixed["more"] == "and 11 more"
