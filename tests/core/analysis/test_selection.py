import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.comparison import compare
from core.analysis.images import Images
from core.analysis.selection import (
    PARAMETERS,
    Selection,
    from_address,
    in_order,
    select,
    to_address,
)
from core.registry.predictions import write_epoch
from tests.conftest import MakeRun

LABELS = [0, 1, 2, 3, 4, 4]
A = [0, 1, 2, 3, 9, 8]
B = [0, 1, 7, 6, 4, 9]
SURE_A = [0.9, 0.8, 0.7, 0.95, 0.5, 0.6]
SURE_B = [0.4, 0.5, 0.9, 0.6, 0.85, 0.99]


@pytest.fixture
def images(make_run: MakeRun) -> Images:
    """Six images, of which both get two right, A alone two, B alone one and nobody the last."""
    pair = []
    for name, said, sure in (("A", A, SURE_A), ("B", B, SURE_B)):
        run = make_run(said, LABELS, name=name)
        rest = (1 - np.array(sure)) / 9
        made = np.repeat(rest[:, None], 10, axis=1)
        made[np.arange(6), said] = sure
        write_epoch(run.folder.predictions, 1, made.astype(np.float16))
        pair.append(run)
    return Images(compare(*pair))


def chosen(images: Images, **parts: object) -> list[int]:
    """The positions that a selection leaves, in the order of the test split."""
    settings = {"group": "all", "order": "index"} | parts
    return select(Selection.model_validate(settings), images).tolist()


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("all", [0, 1, 2, 3, 4, 5]),
        ("disagreements", [2, 3, 4, 5]),
        ("both_right", [0, 1]),
        ("only_a_right", [2, 3]),
        ("only_b_right", [4]),
        ("both_wrong", [5]),
    ],
)
def test_a_group_holds_its_images(images: Images, group: str, expected: list[int]) -> None:
    assert chosen(images, group=group) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"truths": (4,)}, [4, 5]),
        ({"truths": (0, 4)}, [0, 4, 5]),
        ({"said_a": (9,)}, [4]),
        ({"said_b": (9,)}, [5]),
        ({"said_either": (9,)}, [4, 5]),
        ({"truths": (4,), "said_b": (9,)}, [5]),
        ({"confidence_a": (0.5, 0.75)}, [2, 4, 5]),
        ({"confidence_b": (0.89, 1.0)}, [2, 5]),
        ({"loss": (4.0, 20.0)}, [2, 5]),
    ],
)
def test_each_part_narrows_the_images_down(
    images: Images, parts: dict[str, object], expected: list[int]
) -> None:
    assert chosen(images, **parts) == expected


def test_tags_leave_the_images_that_carry_one_of_them(images: Images) -> None:
    tagged = {"wrong label": [1, 4], "ambiguous": [5]}
    one = Selection(group="all", order="index", tags=("wrong label",))
    assert select(one, images, tagged).tolist() == [1, 4]
    both = Selection(group="all", order="index", tags=("wrong label", "ambiguous", "unknown"))
    assert select(both, images, tagged).tolist() == [1, 4, 5]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("confidence", [5, 3, 0, 2, 4, 1]),
        ("index", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_the_order_puts_the_telling_ones_first(
    images: Images, order: str, expected: list[int]
) -> None:
    found = select(Selection.model_validate({"group": "all", "order": order}), images)
    assert found.tolist() == expected


def test_the_order_can_be_turned_round(images: Images) -> None:
    turned = in_order(np.arange(6), "confidence", images, turned=True)
    # Those as sure as each other stay in the order of the test split.
    assert turned.tolist() == [1, 4, 0, 2, 3, 5]


def test_a_list_keeps_its_own_order_unless_another_is_asked_for(images: Images) -> None:
    special = np.array([4, 1, 5])
    own = Selection(group="all", special="suspects")
    assert select(own, images, special=special).tolist() == [4, 1, 5]
    assert select(own.model_copy(update={"turned": True}), images, special=special).tolist() == [
        5,
        1,
        4,
    ]
    by_place = own.model_copy(update={"order": "index"})
    assert select(by_place, images, special=special).tolist() == [1, 4, 5]


def test_a_list_is_narrowed_down_like_all_images(images: Images) -> None:
    selection = Selection(group="all", special="suspects", truths=(4,))
    assert select(selection, images, special=np.array([5, 1, 4])).tolist() == [5, 4]


def test_an_outline_leaves_what_lies_within(images: Images) -> None:
    within = np.array([True, False, True, False, False, True])
    selection = Selection(group="disagreements", order="index")
    assert select(selection, images, outlined=within).tolist() == [2, 5]


classes = st.lists(st.integers(0, 9), max_size=4).map(tuple)
share = st.integers(0, 100).map(lambda whole: whole / 100)
span = st.none() | st.tuples(share, share)
corner = st.tuples(share, share)
tag = st.text("abcdefg é-", min_size=1).filter(lambda text: text.strip() == text)


@given(
    st.builds(
        Selection,
        group=st.sampled_from(["all", "disagreements", "both_right", "both_wrong"]),
        truths=classes,
        said_a=classes,
        said_b=classes,
        said_either=classes,
        confidence_a=span,
        confidence_b=span,
        loss=span,
        tags=st.lists(tag, max_size=3).map(tuple),
        special=st.sampled_from(["", "learned_a"]),
        outlined=st.sampled_from(["", "pca_a"]),
        outline=st.lists(corner, max_size=5).map(tuple),
        order=st.sampled_from(["confidence", "loss", "divergence", "margin", "index"]),
        turned=st.booleans(),
    )
)
def test_a_link_brings_the_same_selection_back(selection: Selection) -> None:
    address = to_address(selection)
    assert set(address) <= set(PARAMETERS)
    assert from_address(address, 10) == (selection, [])


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("show", "everything"),
        ("true", "four"),
        ("true", "10"),
        ("pa", "-1"),
        ("ca", "0.5"),
        ("ca", "nan 1"),
        ("sort", "beauty"),
        ("outline", "1 2_3"),
    ],
)
def test_what_a_link_says_that_makes_no_sense_is_left_out_and_named(
    parameter: str, value: str
) -> None:
    found, unknown = from_address({parameter: value, "pb": "3"}, 10)
    assert found == Selection(said_b=(3,))
    assert unknown == [f"{parameter}={value}"]


def test_only_what_narrows_counts_as_narrowing() -> None:
    assert not Selection(group="all", order="loss", turned=True).narrows
    assert Selection(said_a=(3,)).narrows


@pytest.mark.parametrize(
    ("selection", "by_answers"),
    [
        (Selection(group="all"), False),
        (Selection(group="all", truths=(4,), tags=("faint",), order="loss", turned=True), False),
        (Selection(), True),
        (Selection(group="only_a_right"), True),
        (Selection(group="all", said_b=(3,)), True),
        (Selection(group="all", confidence_a=(0.0, 0.5)), True),
        (Selection(group="all", special="suspects"), True),
    ],
)
def test_it_is_known_whether_answers_choose_the_images(
    selection: Selection, by_answers: bool
) -> None:
    assert selection.by_answers == by_answers
