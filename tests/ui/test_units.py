import pytest

from ui import units


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.9895, "98.95 %"), (0, "0.00 %"), (1, "100.00 %"), (None, "–"), (float("nan"), "–")],
)
def test_percent(share: float | None, text: str) -> None:
    assert units.percent(share) == text


def test_percent_with_fewer_digits() -> None:
    assert units.percent(0.6249, digits=0) == "62 %"


@pytest.mark.parametrize(
    ("number", "text"), [(0.03127, "0.0313"), (None, "–"), (float("nan"), "–")]
)
def test_a_figure_without_a_unit(number: float | None, text: str) -> None:
    assert units.figure(number) == text


def test_count_sets_thousands_apart() -> None:
    assert units.count(887530) == "887,530"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (65, "1 min 05 s"),
        (3599.7, "1 h 00 min"),
        (3725, "1 h 02 min"),
        (None, "–"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert units.duration(seconds) == text
