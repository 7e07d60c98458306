import json
import shutil
import struct
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.analysis.journey import read_journey
from core.registry.predictions import epoch_path, read_predictions, write_epoch
from core.registry.run import Run
from core.registry.runs import Runs
from core.workspace import Workspace
from tests.pages.compare.conftest import COMPARE, MakeTrained, OpenPage, markdown, metrics, words
from ui.compare.image_epochs import in_words

Pair = tuple[Run, Run]


@pytest.fixture
def pair(make_trained: MakeTrained) -> Pair:
    """A has three epochs, of which the third is the best, and B one.

    A learned image 1, forgot image 2, flipped at image 3 and never got image 4.
    """
    a = make_trained("long", {2: 9, 4: 9}, best_epoch=3, epochs_done=3, epoch=3)
    write_epoch(a.folder.predictions, 3, stored(a, 1))
    write_epoch(a.folder.predictions, 1, wrong_at(a, 1, 4))
    write_epoch(a.folder.predictions, 2, wrong_at(a, 1, 3, 4))
    return a, make_trained("short", {5: 9}, recipe="vgg16-digits")


def stored(run: Run, epoch: int) -> np.ndarray[Any, np.dtype[np.float16]]:
    with np.load(epoch_path(run.folder.predictions, epoch)) as arrays:
        made: np.ndarray[Any, np.dtype[np.float16]] = arrays["probabilities"]
        return made


def wrong_at(run: Run, *positions: int) -> np.ndarray[Any, np.dtype[np.float16]]:
    labels = read_predictions(run, 3).labels
    said = np.where(np.isin(np.arange(len(labels)), positions), (labels + 1) % 10, labels)
    probabilities = np.full((len(labels), 10), 0.01, np.float16)
    probabilities[np.arange(len(labels)), said] = 0.91
    return probabilities


def look(open_page: OpenPage, pair: Pair, view: str = "epochs", **parameters: str) -> AppTest:
    at = open_page(COMPARE, a=pair[0].id, b=pair[1].id, view=view, **parameters)
    assert not at.exception
    return at


def charts(at: AppTest) -> dict[str, dict[str, Any]]:
    """What each chart was sent, by its title."""
    sent = [element.proto.bytes for element in at.get("bidi_component") if element.proto.bytes]
    heads = [json.loads(data[4 : 4 + struct.unpack_from("<I", data)[0]]) for data in sent]
    return {head["title"]: head for head in heads}


def strips(at: AppTest) -> dict[str, dict[str, Any]]:
    """What each strip of epochs was sent, by the letter of its network."""
    sent = [json.loads(e.proto.json) for e in at.get("bidi_component") if e.proto.json]
    return {data["heading"][0][0]: data for data in sent if "cells" in data}


def shown(at: AppTest) -> list[str]:
    """The accuracies of A and B."""
    return [value for title, value in metrics(at).items() if title.startswith(("A ·", "B ·"))]


# --- Moving through epochs ----------------------------------------------------------------------


def test_a_slider_moves_everything_and_stands_in_the_link(open_page: OpenPage, pair: Pair) -> None:
    at = look(open_page, pair)
    assert shown(at) == ["95.00 %", "97.50 %"]
    at.select_slider(key="epoch_a").set_value(2).run()
    assert shown(at) == ["92.50 %", "97.50 %"]
    assert at.query_params["ea"] == "2"
    assert shown(look(open_page, pair, ea="2")) == ["92.50 %", "97.50 %"]


def test_both_move_together_where_asked(open_page: OpenPage, pair: Pair) -> None:
    at = look(open_page, (pair[0], copy_of(pair[0])))
    at.checkbox(key="epochs_together").check().run()
    at.select_slider(key="epoch_b").set_value(1).run()
    assert at.select_slider(key="epoch_a").value == 1
    assert at.select_slider(key="epoch_b").value == 1


def copy_of(run: Run) -> Run:
    """Another run that said the same."""
    other = Runs(Workspace(run.folder.path.parent.parent)).create(run.config, "copy")
    other.folder.predictions.mkdir()
    for file in run.folder.predictions.iterdir():
        (other.folder.predictions / file.name).write_bytes(file.read_bytes())
    return other.write_state(**{key: value for key, value in run.state if key != "queued"})


def test_an_epoch_is_not_offered_to_be_compared_with_itself(
    open_page: OpenPage, pair: Pair
) -> None:
    at = look(open_page, (pair[0], pair[0]))
    assert at.select_slider(key="epoch_a").options == ["2", "3 (best)"]
    assert at.select_slider(key="epoch_b").options == ["1", "2"]
    assert "epochs_together" not in [box.key for box in at.checkbox]


def test_an_epoch_that_was_not_kept_is_replaced_by_the_best(
    open_page: OpenPage, pair: Pair
) -> None:
    at = look(open_page, pair, ea="7")
    assert at.warning[0].value.startswith("Epoch 7 of this link was not kept; the best is shown")
    assert at.select_slider(key="epoch_a").value == 3


def test_where_the_best_epoch_is_gone_the_last_is_shown(open_page: OpenPage, pair: Pair) -> None:
    epoch_path(pair[0].folder.predictions, 3).unlink()
    at = look(open_page, pair)
    assert "best epoch, 3, is not there any more; epoch 2 is shown" in at.warning[0].value
    assert shown(at) == ["92.50 %", "97.50 %"]


def test_another_run_begins_with_its_own_best_epoch(open_page: OpenPage, pair: Pair) -> None:
    at = look(open_page, pair, ea="2")
    at.selectbox(key="choice_a").set_value(pair[1].id)
    at.selectbox(key="choice_b").set_value(pair[0].id)
    at.run()
    assert not at.warning
    assert shown(at) == ["97.50 %", "95.00 %"]


def test_playing_begins_with_the_first_epoch_where_the_last_is_shown(
    open_page: OpenPage, pair: Pair
) -> None:
    at = look(open_page, pair)
    at.button(key="play_epochs").click().run()
    assert at.select_slider(key="epoch_a").value == 1
    assert at.button(key="play_epochs").label == "Pause"
    at.button(key="play_epochs").click().run()
    assert at.button(key="play_epochs").label == "Play"


# --- The view -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "image"), [("learned", 1), ("forgotten", 2), ("flipping", 3), ("never", 4)]
)
def test_each_list_is_shown_in_the_gallery(
    open_page: OpenPage, pair: Pair, name: str, image: int
) -> None:
    at = look(open_page, pair)
    button = at.button(key=f"list_{name}_a")
    assert button.label.endswith(": 1")
    button.click().run()
    assert len(words(at)) == 1
    assert any(text.startswith(f"**Test image {image}**") for text in markdown(at))
    assert at.query_params["list"] == f"{name}_a"


def test_a_list_of_a_link_is_shown_in_any_view(open_page: OpenPage, pair: Pair) -> None:
    at = look(open_page, pair, view="confusion", show="all", list="flipping_a")
    assert len(words(at)) == 1


def test_a_run_of_one_epoch_says_what_to_do(open_page: OpenPage, pair: Pair) -> None:
    at = look(open_page, pair)
    assert any("“Start from these settings”" in caption.value for caption in at.caption)
    other = copy_of(pair[1])
    told = look(open_page, (pair[1], other)).caption
    assert any("so there is no way to follow" in caption.value for caption in told)


def test_the_charts_mark_the_epochs_that_are_shown(open_page: OpenPage, pair: Pair) -> None:
    drawn = charts(look(open_page, pair, ea="2"))
    (accuracy,) = [drawn[title] for title in drawn if title.startswith("B ends ahead: ")]
    assert [line["name"] for line in accuracy["series"]] == ["A · long", "B · short"]
    assert [(mark["x"], mark["label"]) for mark in accuracy["marks"]] == [(2, "A"), (1, "B")]
    outcomes = drawn["After epoch 3 only A is right on 1 image, only B on 2"]
    assert len(outcomes["series"]) == 4


def test_of_one_run_it_is_told_what_each_epoch_changed(open_page: OpenPage, pair: Pair) -> None:
    drawn = charts(look(open_page, (pair[0], pair[0])))
    assert "Accuracy was highest after epoch 1: 95.00 %" in drawn
    changes = drawn["All but epoch 2 made at least as many right as wrong"]["series"]
    assert [bars["name"] for bars in changes] == ["became right", "became wrong"]


def test_a_click_on_an_epoch_moves_both(open_page: OpenPage, pair: Pair) -> None:
    at = look(open_page, pair)
    at.session_state["accuracy_by_epoch"] = {"clicked": ["A · long", 1]}
    at.run()
    assert at.select_slider(key="epoch_a").value == 2


def test_damaged_and_missing_epochs_are_named_and_left_out(open_page: OpenPage, pair: Pair) -> None:
    folder = pair[0].folder.predictions
    epoch_path(folder, 1).write_bytes(b"half a file")
    epoch_path(folder, 2).unlink()
    at = look(open_page, pair)
    assert at.warning[0].value == (
        "Left out of A: epoch 2, whose predictions are not there any more; epoch 1, whose "
        "predictions cannot be read. Train the run again to get them back."
    )


def test_a_sample_tells_calmly_that_not_all_epochs_came_with_it(
    open_page: OpenPage, pair: Pair, runs: Runs
) -> None:
    epoch_path(pair[0].folder.predictions, 2).unlink()
    request = pair[0].request.model_copy(update={"id": "sample-long"})
    runs.take_in(request, lambda to: shutil.copytree(pair[0].folder.path, to, dirs_exist_ok=True))
    at = look(open_page, (runs.find("sample-long"), pair[1]))
    assert not at.warning
    told = [caption.value for caption in at.caption]
    assert "The sample run A came with the predictions of 2 of its 3 epochs, to be small." in told


# --- One image ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (0, "Right after each of 3 epochs."),
        (1, "Right after 1 of 3 epochs: learned with epoch 3."),
        (2, "Right after 2 of 3 epochs: forgotten with epoch 3."),
        (3, "Right after 2 of 3 epochs; went from right to wrong or back 2 times."),
        (4, "Wrong after each of 3 epochs."),
    ],
)
def test_one_image_tells_when_it_was_right(pair: Pair, image: int, told: str) -> None:
    assert in_words(read_journey(pair[0]), image) == told


def test_of_one_epoch_there_is_little_to_tell(pair: Pair) -> None:
    assert in_words(read_journey(pair[1]), 5) == "Wrong after the one epoch that was kept."


def test_the_strip_tells_each_epoch_and_a_click_goes_there(open_page: OpenPage, pair: Pair) -> None:
    at = look(open_page, pair, image="1")
    at.session_state["aspect"] = "Epochs"
    at.run()
    cells = strips(at)["A"]
    assert cells["chosen"] == 3
    assert cells["cells"] == [
        [1, "3", "91 %", False],
        [2, "3", "91 %", False],
        [3, "2", "91 %", True],
    ]
    at.session_state["strip_a"] = {"chosen": 2}
    at.run()
    assert at.select_slider(key="epoch_a").value == 2
    assert any(text.startswith("**Test image 1**") for text in markdown(at))
