import shutil

import pytest
from streamlit.testing.v1 import AppTest

from core.analysis.comparison import compare, verdict
from core.runs import Run
from tests.pages.compare.conftest import (
    COMPARE,
    MakeTrained,
    OpenPage,
    gallery,
    markdown,
    metrics,
    show,
    words,
)
from ui import theme


@pytest.mark.parametrize("runs_there", [0, 1])
def test_fewer_than_two_networks_are_told_with_the_way_on(
    open_page: OpenPage, make_trained: MakeTrained, runs_there: int
) -> None:
    for _ in range(runs_there):
        make_trained()
    at = open_page(COMPARE)
    assert not at.exception
    assert at.info[0].value.startswith("Two trained networks are needed")
    assert "Train a network" in [link.label for link in at.get("page_link")]


def test_a_run_without_results_is_not_offered(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    make_trained("failed", status="failed", best_epoch=0, metrics={})
    make_trained("whole")
    at = open_page(COMPARE)
    assert at.info[0].value.startswith("Two trained networks are needed")


def test_the_figures_are_those_of_the_comparison(opened: AppTest, two: tuple[Run, Run]) -> None:
    c = compare(*two)
    assert f"#### {verdict(c)}" in markdown(opened)
    assert metrics(opened) == {
        "A · small": theme.percent(c.a.accuracy),
        "B · large": theme.percent(c.accuracy_b),
        "A minus B": theme.points(c.difference),
        "McNemar p": theme.p_value(c.mcnemar_p),
    }
    remarks = [caption.value for caption in opened.caption]
    assert theme.interval(c.interval_a, theme.percent) in remarks
    assert theme.interval(c.difference_interval, theme.points) in remarks
    counts = [text for text in markdown(opened) if text.startswith("### ")][:4]
    assert counts == ["### 4", "### 1", "### 2", "### 33"]


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
    assert [tone for _, tone in caption] == ["muted", "bad", "good"]


def test_a_clicked_image_is_shown_large(opened: AppTest) -> None:
    opened.session_state["compared"] = {"selected": [gallery(opened)["tag"], 2]}
    opened.run()
    assert "**Test image 12** · true class **9**" in markdown(opened)


def test_a_group_without_images_says_so(open_page: OpenPage, make_trained: MakeTrained) -> None:
    a, b = make_trained("one"), make_trained("two")
    at = open_page(COMPARE, a=a.id, b=b.id)
    assert not at.exception
    assert at.info[0].value == "There is no such image."
    assert "exactly the same images" in "".join(markdown(at))


def test_the_address_chooses_the_two_runs(open_page: OpenPage, make_trained: MakeTrained) -> None:
    one, _, three = (make_trained(name) for name in ("one", "two", "three"))
    at = open_page(COMPARE, a=three.id, b=one.id)
    assert [box.value for box in at.selectbox] == [three.id, one.id]
    at.selectbox[0].set_value(one.id)
    at.selectbox[1].set_value(three.id)
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
    a, b = make_trained("one", tested=150), make_trained("two", tested=150)
    at = show(open_page(COMPARE, a=a.id, b=b.id), "both_right")
    assert len(words(at)) == 100
    at.pagination[0].set_value(2)
    at.run()
    assert len(words(at)) == 50
