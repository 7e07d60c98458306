import json
import struct
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data.data_config import DataConfig
from core.registry.predictions import write_epoch, write_truth
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from tests.pages.compare.conftest import COMPARE, MakeTrained, OpenPage, words

PAIRS, SCORES = 3, 1
"""Parts of a row's name: a class, words and a class, or a class."""


@pytest.fixture
def confusion(open_page: OpenPage, two: tuple[Run, Run]) -> AppTest:
    """Of the images that either gets wrong, 10 to 14 are 0, 6, 9, 0 and 1, 20 is 9, 21 is 6."""
    at = open_page(COMPARE, a=two[0].id, b=two[1].id, view="confusion")
    assert not at.exception
    return at


def matrices(at: AppTest) -> dict[str, Any]:
    """The head of what the matrices were sent."""
    messages = [element.proto.bytes for element in at.get("bidi_component")]
    heads = [m[4 : 4 + struct.unpack_from("<I", m)[0]] for m in messages if m]
    (found,) = [head for head in map(json.loads, heads) if "unit" in head]
    return found


def dumbbells(at: AppTest, parts: int) -> dict[str, Any]:
    """What the rows were sent whose names have so many parts."""
    messages = [element.proto.json for element in at.get("bidi_component")]
    sent = [json.loads(message) for message in messages if message]
    charts = [data for data in sent if "legend" in data and "scale" in data]
    (found,) = [chart for chart in charts if len(chart["rows"][0][0]) == parts]
    return found


def sentences(at: AppTest, parts: int) -> list[str]:
    rows = dumbbells(at, parts)["rows"]
    return [f"{' '.join(name)}: A {a}, B {b}" for name, _, _, a, b, _ in rows]


def click(at: AppTest, key: str, tag: str, *place: int) -> list[str]:
    """The true classes of the images that the gallery shows after a click."""
    at.session_state[key] = {"clicked": [tag, *place]}
    at.run()
    assert not at.exception
    return [lines[0] for lines in words(at)]


def test_pairs_are_told_as_sentences(confusion: AppTest) -> None:
    assert sentences(confusion, PAIRS) == [
        "9 taken for 3: A 1, B 2",
        "0 taken for 3: A 0, B 2",
        "6 taken for 3: A 1, B 1",
        "1 taken for 0: A 1, B 0",
        "6 taken for 4: A 0, B 1",
    ]


def test_the_matrices_and_the_pairs_say_what_is_confused_most(confusion: AppTest) -> None:
    a, b = matrices(confusion)["titles"][:2]
    assert matrices(confusion)["heading"][0] == (
        f"{b[4:]} takes 9 for 3 most often: 2 times, {a[4:]} once"
    )
    assert matrices(confusion)["remarks"] == [
        "3 mistakes, most often 9 taken for 3: 1",
        "6 mistakes, most often 9 taken for 3: 2",
        "B makes 3 more mistakes than A",
    ]
    assert dumbbells(confusion, PAIRS)["heading"][0] == (
        "9 is taken for 3 most often: once by A, 2 times by B"
    )


def test_pairs_can_come_by_their_difference(confusion: AppTest) -> None:
    confusion.button_group(key="confusion_pair_order").set_value("difference")
    first, *_, last = sentences(confusion.run(), PAIRS)
    assert (first[:11], last[:11]) == ("0 taken for", "6 taken for")


@pytest.mark.parametrize(("panel", "images"), [(0, 1), (1, 2), (2, 2)])
def test_a_cell_shows_its_images_and_is_marked(confusion: AppTest, panel: int, images: int) -> None:
    shown = click(confusion, "confusion_matrices", matrices(confusion)["tag"], panel, 9, 3)
    assert shown == ["true 9"] * images
    assert matrices(confusion)["selected"] == [panel, 9, 3]


def test_a_pair_shows_its_images(confusion: AppTest) -> None:
    shown = click(confusion, "confusion_pairs", dumbbells(confusion, PAIRS)["tag"], 2)
    assert shown == ["true 6"] * 2
    assert dumbbells(confusion, PAIRS)["selected"] == 2


def test_a_class_shows_its_images(confusion: AppTest) -> None:
    scores = dumbbells(confusion, SCORES)
    six = [name for name, *_ in scores["rows"]].index(["6"])
    shown = click(confusion, "confusion_class_scores", scores["tag"], six)
    assert shown == ["true 6"] * 3
    assert dumbbells(confusion, SCORES)["selected"] == six


def test_scores_come_by_their_difference_and_missing_ones_last(confusion: AppTest) -> None:
    told = sentences(confusion, SCORES)
    assert told[0] == "6: A 80.0 %, B 50.0 %"
    assert told[-1] == "8: A –, B –"


def test_another_measure_can_be_shown(confusion: AppTest) -> None:
    confusion.button_group(key="confusion_measure").set_value("recall")
    told = sentences(confusion.run(), SCORES)
    assert told[0] == "0: A 100.0 %, B 60.0 %"
    assert dumbbells(confusion, SCORES)["heading"][0] == (
        "Recall differs most for 0: 100.0 % against 60.0 %"
    )


def test_networks_without_mistakes_are_told_so(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    at = open_page(COMPARE, a=make_trained("a").id, b=make_trained("b").id, view="confusion")
    assert not at.exception
    assert "Neither network makes a mistake." in [box.value for box in at.success]


def test_one_class_alone_is_no_failure(open_page: OpenPage, make_trained: MakeTrained) -> None:
    pair = [make_trained("a"), make_trained("b", {0: 3})]
    for run in pair:
        write_truth(run.folder.predictions, np.full(40, 7), np.arange(40), "sevens")
    at = open_page(COMPARE, a=pair[0].id, b=pair[1].id, view="confusion")
    assert not at.exception
    assert len(matrices(at)["names"]) == 10


def many_classes_app(runs: object) -> None:
    from core.analysis.comparison import compare
    from core.analysis.images import Images
    from core.analysis.selection import Selection
    from ui.compare import confusion
    from ui.compare.view import View

    images = Images(compare(*runs))  # type: ignore[misc]
    confusion.show(View(images, Selection(), None))  # type: ignore[arg-type]


@pytest.fixture
def many_classes(runs: Runs) -> AppTest:
    """Of 120 classes with long names A takes every third for the next, B none for another."""
    names = tuple(f"<b>class {number}</b> {'_long_ ' * 30}"[:200] for number in range(120))
    data = DataConfig(name="folder", path="/pictures", classes=names)
    labels = np.arange(120)
    taken_for = np.where(labels % 3 == 0, labels + 1, labels)
    config = RECIPES["cnn-digits"].config.model_copy(update={"data": data})
    pair = [runs.create(config, name) for name in ("a", "b")]
    for run, guessed in zip(pair, (taken_for, labels), strict=True):
        write_truth(run.folder.predictions, labels, labels, "one of each")
        write_epoch(run.folder.predictions, 1, np.eye(120, dtype=np.float16)[guessed])
    pair = [run.write_state(status="finished", best_epoch=1) for run in pair]
    return AppTest.from_function(many_classes_app, args=(pair,)).run(timeout=200)


def test_of_many_classes_those_confused_most_are_shown_and_all_if_asked_for(
    many_classes: AppTest,
) -> None:
    assert not many_classes.exception
    shown = [name[:15] for name in matrices(many_classes)["names"]]
    assert (len(shown), shown[:3]) == (
        20,
        ["<b>class 0</b> ", "<b>class 1</b> ", "<b>class 3</b> "],
    )
    many_classes.button_group(key="confusion_classes_120").set_value(120)
    assert len(matrices(many_classes.run())["names"]) == 120


def test_many_classes_and_pairs_are_folded(many_classes: AppTest) -> None:
    scores, pairs = (dumbbells(many_classes, parts) for parts in (SCORES, PAIRS))
    assert (len(scores["rows"]), scores["few"]) == (120, 20)
    assert (len(pairs["rows"]), pairs["few"]) == (40, 12)
