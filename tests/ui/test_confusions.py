import numpy as np
import pytest

from core.analysis.confusion import Confusions, Pair
from ui.confusions import headline, pair_headline, pair_on_hover, remarks

NAMES = ("cat", "dog")
RIGHT = np.diag([10, 10])
SOME = np.array([[8, 2], [1, 9]])


@pytest.mark.parametrize(
    ("a", "b", "networks", "told"),
    [
        (RIGHT, SOME, ("cnn", "vgg"), "vgg takes cat for dog most often: 2 times, cnn 0 times"),
        (SOME, SOME, ("cnn", "vgg"), "cnn takes cat for dog most often: 2 times, vgg 2 times"),
        (RIGHT, RIGHT, ("cnn", "vgg"), "Neither network makes a mistake"),
        (SOME, SOME, ("cnn",), "cnn takes cat for dog most often: 2 times"),
        (RIGHT, RIGHT, ("cnn",), "cnn makes no mistake"),
    ],
)
def test_the_headline_names_what_is_confused_most(
    a: np.ndarray, b: np.ndarray, networks: tuple[str, ...], told: str
) -> None:
    assert headline(Confusions(a, b), NAMES, networks) == told


def test_each_matrix_is_told_by_its_mistakes() -> None:
    assert remarks(Confusions(RIGHT, SOME), NAMES) == [
        "no mistake",
        "3 mistakes, most often cat taken for dog: 2",
        "B makes 3 more mistakes than A",
    ]
    assert remarks(Confusions(SOME, SOME), NAMES)[2] == "equally many mistakes"


def test_a_pair_is_told_for_both_or_for_one_alone() -> None:
    pair = Pair(0, 1, 1, 2)
    assert pair_headline(pair, NAMES, alone=True, by_total=True) == (
        "cat is taken for dog most often: once"
    )
    assert pair_headline(pair, NAMES, alone=False, by_total=False) == (
        "They differ most where cat is taken for dog: once by A, 2 times by B"
    )


def test_a_pair_tells_shares_on_hover() -> None:
    told = pair_on_hover(Pair(0, 1, 0, 2), NAMES, Confusions(RIGHT, SOME))
    assert told == "cat taken for dog: A 0 of 10 (0.00 %), B 2 of 10 (20.00 %)"
