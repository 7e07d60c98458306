import shutil

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.analysis.comparison import compare, verdict
from core.analysis.images import Judgement
from core.registry.predictions import read_predictions, write_epoch
from core.registry.run import Run
from tests.pages.compare.conftest import (
    COMPARE,
    MakeTrained,
    OpenPage,
    click,
    gallery,
    markdown,
    metrics,
    show,
    words,
)
from ui import units


@pytest.mark.parametrize("runs_there", [0, 1])
def test_fewer_than_two_networks_are_told_with_the_way_on(
    open_page: OpenPage, make_trained: MakeTrained, runs_there: int
) -> None:
    for _ in range(runs_there):
        make_trained()
    at = open_page(COMPARE)
    assert not at.exception
    assert any("Two trained networks stand" in text.value for text in at.markdown)
    assert "Train a network" in [link.label for link in at.get("page_link")]


def test_a_run_without_results_is_not_offered(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    make_trained("failed", status="failed", best_epoch=0, metrics={})
    make_trained("whole")
    at = open_page(COMPARE)
    assert any("Two trained networks stand" in text.value for text in at.markdown)


def test_the_figures_are_those_of_the_comparison(opened: AppTest, two: tuple[Run, Run]) -> None:
    c = compare(*two)
    assert f"### {verdict(c)}" in markdown(opened)
    assert metrics(opened) == {
        "A · small": units.percent(c.a.accuracy),
        "B · large": units.percent(c.b.accuracy),
        "A minus B": units.points(c.difference),
        "McNemar p": units.p_value(c.mcnemar_p),
    }
    remarks = [caption.value for caption in opened.caption]
    assert units.interval(c.a.interval, units.percent) in remarks
    assert units.interval(c.difference_interval, units.points) in remarks
    counts = [text for text in markdown(opened) if text.startswith("### ")][1:5]
    assert counts == ["### 33", "### 4", "### 1", "### 2"]


def test_a_table_sets_more_figures_of_both_beside_each_other(
    opened: AppTest, two: tuple[Run, Run]
) -> None:
    (table,) = [html.proto.body for html in opened.get("html") if "tl-summary" in html.proto.body]
    titles = ("Precision", "Recall", "F1", "Confidence", "ECE", "Loss")
    assert all(f'<th scope="row">{title}</th>' in table for title in titles)
    losses = [Judgement(read_predictions(run)).loss.mean(dtype=float) for run in two]
    assert all(f">{loss:.4f}<" in table for loss in losses)


def test_the_gallery_shows_first_what_they_disagree_on(opened: AppTest) -> None:
    # 10 to 14, and 21, which both get wrong in different ways.
    assert len(words(opened)) == 6
    assert words(opened)[0] == ["true 0", "A: 0 91 %", "B: 3 91 %"]


@pytest.mark.parametrize(
    ("group", "number"),
    [("only_a_right", 4), ("only_b_right", 1), ("both_wrong", 2), ("both_right", 33)],
)
def test_each_group_shows_its_images(opened: AppTest, group: str, number: int) -> None:
    assert len(words(show(opened, group))) == number


def test_captions_tell_right_from_wrong(opened: AppTest) -> None:
    (caption,) = gallery(show(opened, "only_b_right"))["captions"]
    assert [part[1] for part in caption] == ["muted", "bad", "good"]


def test_a_clicked_image_is_shown_large_and_kept_in_the_address(opened: AppTest) -> None:
    click(opened, 2)
    assert "**Test image 12** · true class **9**" in markdown(opened)
    assert opened.query_params["image"] == "12"


def test_a_group_without_images_says_so(open_page: OpenPage, make_trained: MakeTrained) -> None:
    a, b = make_trained("one"), make_trained("two")
    at = open_page(COMPARE, a=a.id, b=b.id)
    assert not at.exception
    assert "**There is no image that they take for different classes, of 40 in all.**" in markdown(
        at
    )
    next(button for button in at.button if button.label == "Show all images").click()
    at.run()
    assert len(words(at)) == 40
    assert "exactly the same images" in "".join(markdown(at))


def test_the_address_chooses_the_two_runs(open_page: OpenPage, make_trained: MakeTrained) -> None:
    one, _, three = (make_trained(name) for name in ("one", "two", "three"))
    at = open_page(COMPARE, a=three.id, b=one.id)
    boxes = at.selectbox(key="choice_a"), at.selectbox(key="choice_b")
    assert [box.value for box in boxes] == [three.id, one.id]
    boxes[0].set_value(one.id)
    boxes[1].set_value(three.id)
    at.run()
    assert (at.query_params["a"], at.query_params["b"]) == (one.id, three.id)


def test_different_networks_are_compared_unless_asked_otherwise(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    make_trained("cnn one")
    make_trained("cnn two")
    make_trained("vgg", {0: 1}, recipe="vgg16-digits")
    at = open_page(COMPARE)
    shown = {label[4:7] for label in metrics(at) if "·" in label}
    assert shown == {"cnn", "vgg"}


def test_runs_tested_on_different_images_are_refused(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    a, b = make_trained("forty *images*"), make_trained("thirty", tested=30)
    at = open_page(COMPARE, a=a.id, b=b.id)
    assert not at.exception
    sentence = at.error[0].value.replace("\\", "")
    assert sentence.startswith("'forty *images*' and 'thirty' were not tested on the same images")
    assert "40 against 30" in sentence
    assert not at.metric


def test_a_run_compared_with_itself_is_told_so(open_page: OpenPage, two: tuple[Run, Run]) -> None:
    at = open_page(COMPARE, a=two[0].id, b=two[0].id)
    assert "cannot be compared with itself" in at.error[0].value


def test_predictions_that_are_gone_are_told_in_a_sentence(
    open_page: OpenPage, two: tuple[Run, Run]
) -> None:
    shutil.rmtree(two[1].folder.predictions)
    at = open_page(COMPARE, a=two[0].id, b=two[1].id)
    assert not at.exception
    assert "no predictions to compare" in at.error[0].value


def test_predictions_that_were_cut_short_are_told_in_a_sentence(
    open_page: OpenPage, two: tuple[Run, Run]
) -> None:
    file = two[1].folder.predictions / "epoch-1.npz"
    file.write_bytes(file.read_bytes()[:60])
    at = open_page(COMPARE, a=two[0].id, b=two[1].id)
    assert not at.exception
    assert "train the run again" in at.error[0].value


def test_names_are_shown_as_they_were_typed(open_page: OpenPage, make_trained: MakeTrained) -> None:
    a, b = make_trained("<b>a</b> #1"), make_trained("_b_ :smile:", {5: 0})
    at = open_page(COMPARE, a=a.id, b=b.id)
    assert list(metrics(at))[:2] == [r"A · \<b\>a\</b\> \#1", r"B · \_b\_ \:smile\:"]


def test_more_images_than_fit_are_shown_page_by_page(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    a, b = make_trained("one", tested=250), make_trained("two", tested=250)
    at = show(open_page(COMPARE, a=a.id, b=b.id), "both_right")
    assert len(words(at)) == 200
    at.pagination[0].set_value(2)
    at.run()
    assert len(words(at)) == 50
    assert "**Test image 200**" in "".join(markdown(at))


def test_the_page_with_the_image_of_the_address_is_opened(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    a, b = make_trained("one", tested=250), make_trained("two", tested=250)
    at = open_page(COMPARE, a=a.id, b=b.id, show="all", sort="index", image="230")
    assert at.pagination[0].value == 2
    assert gallery(at)["selected"] == 30


def test_the_cards_show_the_three_likeliest_classes_of_both(opened: AppTest) -> None:
    opened.segmented_control(key="under_each").set_value("Top three of both")
    opened.run()
    first = gallery(opened)["captions"][0]
    assert [part[0] for part in first] == ["true 0", "0", "1", "2", "3", "0", "1"]
    assert [round(part[2], 2) for part in first[1:]] == [0.91, 0.01, 0.01, 0.91, 0.01, 0.01]


def test_a_card_of_the_board_shows_the_images_of_its_outcome(opened: AppTest) -> None:
    opened.button(key="show_only_a_right").click()
    opened.run()
    assert len(words(opened)) == 4
    assert opened.selectbox(key="images_group").value == "only_a_right"
    assert opened.query_params["show"] == "only_a_right"


def test_an_outcome_without_images_cannot_be_shown(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    at = open_page(COMPARE, a=make_trained("one").id, b=make_trained("two").id)
    assert at.button(key="show_both_wrong").disabled


def test_filters_narrow_the_gallery_and_stand_in_the_address(opened: AppTest) -> None:
    opened.multiselect(key="filter_said_b").set_value([4]).run()
    # Image 21, a 6, is the only one that B took for a 4 and A for something else.
    assert words(opened) == [["true 6", "A: 3 91 %", "B: 4 91 %"]]
    assert opened.query_params["pb"] == "4"
    assert opened.pills[0].options == ["B took it for: 4"]


def test_confidence_narrows_too_until_its_whole_span_is_asked_for(opened: AppTest) -> None:
    slider = opened.slider(key="filter_confidence_a")
    slider.set_value((0.0, 50.0)).run()
    assert any("No image is left" in text.value for text in opened.markdown)
    assert opened.query_params["ca"] == "0 0.5"
    opened.slider(key="filter_confidence_a").set_value((0.0, 100.0)).run()
    assert "ca" not in opened.query_params
    assert len(words(opened)) == 6


def test_what_narrows_can_be_taken_away_by_itself(opened: AppTest) -> None:
    opened.multiselect(key="filter_truths").set_value([9, 5]).run()
    opened.multiselect(key="filter_said_b").set_value([3]).run()
    opened.pills[0].set_value(["said_b"]).run()
    assert opened.multiselect(key="filter_truths").value == []
    assert opened.multiselect(key="filter_said_b").value == [3]


def test_a_link_opens_the_same_images(open_page: OpenPage, two: tuple[Run, Run]) -> None:
    first = open_page(COMPARE, a=two[0].id, b=two[1].id)
    first.selectbox(key="images_group").set_value("all").run()
    first.selectbox(key="images_order").set_value(("index", True)).run()
    first.multiselect(key="filter_truths").set_value([4, 9]).run()
    click(first, 3)
    address = dict(first.query_params.items())
    second = open_page(COMPARE, **address)
    assert words(second) == words(first)
    assert gallery(second)["selected"] == 3
    assert dict(second.query_params.items()) == dict(first.query_params.items())


def test_whoever_comes_back_from_another_page_finds_what_they_left(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    one, _, three = (make_trained(name, {0: 1}) for name in ("one", "two", "three"))
    at = open_page(COMPARE, a=three.id, b=one.id)
    show(at, "both_wrong")
    at.query_params.clear()
    at.switch_page("app.py").run()
    at.switch_page(COMPARE).run()
    assert (at.query_params["a"], at.query_params["b"]) == (three.id, one.id)
    assert at.selectbox(key="images_group").value == "both_wrong"


def test_what_a_link_asks_for_in_vain_is_told(open_page: OpenPage, two: tuple[Run, Run]) -> None:
    at = open_page(COMPARE, a=two[0].id, b=two[1].id, true="12", sort="beauty", list="odd")
    assert not at.exception
    told = at.warning[0].value.replace("\\", "")
    assert "true=12" in told
    assert "sort=beauty" in told
    assert "list=odd" in told
    assert len(words(at)) == 6


def test_an_address_that_this_page_wrote_earlier_does_not_undo_later_clicks(
    opened: AppTest,
) -> None:
    before = dict(opened.query_params.items())
    opened.selectbox(key="images_group").set_value("both_wrong").run()
    opened.query_params = before
    opened.run()
    assert opened.selectbox(key="images_group").value == "both_wrong"


@pytest.fixture
def two_epochs(make_trained: MakeTrained) -> Run:
    """A run whose first epoch got image 5 wrong, and its best, the second, none."""
    run = make_trained("grown", {5: 8}, epoch=2, epochs_done=2, best_epoch=2)
    made = read_predictions(run, 1)
    right = np.full((len(made.labels), 10), 0.01, np.float16)
    right[np.arange(len(made.labels)), made.labels] = 0.91
    write_epoch(run.folder.predictions, 2, right)
    return run


def test_an_epoch_is_chosen_by_its_slider_and_kept_in_the_address(
    open_page: OpenPage, two_epochs: Run, two: tuple[Run, Run]
) -> None:
    at = open_page(COMPARE, a=two_epochs.id, b=two[0].id)
    assert metrics(at)["A · grown"] == "100.00 %"
    at.select_slider(key="epoch_a").set_value(1).run()
    assert metrics(at)["A · grown, epoch 1"] == "97.50 %"
    assert at.query_params["ea"] == "1"
    again = open_page(COMPARE, a=two_epochs.id, b=two[0].id, ea="1")
    assert metrics(again) == metrics(at)


def test_the_only_run_is_compared_with_another_epoch_of_its_own(
    open_page: OpenPage, two_epochs: Run
) -> None:
    at = open_page(COMPARE)
    assert not at.exception
    assert list(metrics(at))[:2] == ["A · grown", "B · grown, epoch 1"]


def test_an_epoch_that_was_not_kept_is_told(
    open_page: OpenPage, two_epochs: Run, two: tuple[Run, Run]
) -> None:
    at = open_page(COMPARE, a=two_epochs.id, b=two[0].id, ea="7")
    assert "Epoch 7 of this link was not kept" in at.warning[0].value
    assert metrics(at)["A · grown"] == "100.00 %"


def test_both_epochs_move_together_where_asked(
    open_page: OpenPage, two_epochs: Run, make_trained: MakeTrained
) -> None:
    other = make_trained("other", {3: 1}, epoch=2, epochs_done=2)
    write_epoch(other.folder.predictions, 2, read_predictions(other).probabilities)
    at = open_page(COMPARE, a=two_epochs.id, b=other.id)
    at.checkbox(key="epochs_together").check().run()
    at.select_slider(key="epoch_a").set_value(1).run()
    assert at.select_slider(key="epoch_b").value == 1
    at.select_slider(key="epoch_b").set_value(2).run()
    assert at.select_slider(key="epoch_a").value == 2
