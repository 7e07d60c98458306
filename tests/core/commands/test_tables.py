from typing import Any

import pytest

from core.commands.tables import as_text


def test_a_list_of_records_is_a_table_with_aligned_columns() -> None:
    content = {"runs": [{"run": "a", "accuracy": 0.98951}, {"run": "longer", "accuracy": None}]}
    assert as_text(content) == "run     accuracy\na       0.9895\nlonger  -"


def test_a_record_is_laid_out_line_by_line() -> None:
    assert as_text({"run": "a", "epochs": 3}) == "run: a\nepochs: 3"


def test_a_record_within_a_record_is_indented() -> None:
    content = {"config": {"head": {"dense": [256], "dropout": 0.5}}}
    assert as_text(content) == "config:\n  head:\n    dense: 256\n    dropout: 0.5"


def test_an_empty_record_is_a_dash_and_an_empty_list_is_left_out() -> None:
    assert as_text({"metrics": {}, "damaged": []}) == "metrics: -"


def test_records_with_different_keys_share_one_table() -> None:
    assert as_text({"x": [{"a": 1}, {"b": 2}]}) == "a  b\n1  -\n-  2"


def test_records_within_a_table_are_listed_in_one_cell() -> None:
    ranked = [{"class": "4", "probability": 0.91}, {"class": "9", "probability": 0.01}]
    table = as_text({"predictions": [{"path": "a.png", "ranked": ranked}]})
    assert table == "path   ranked\na.png  4 0.91, 9 0.01"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0.98951, "0.9895"),
        (1e-30, "1e-30"),
        ([1, 2], "1, 2"),
        ("", ""),
        (True, "True"),
    ],
)
def test_a_value_is_written_short(value: Any, text: str) -> None:
    assert as_text(value) == text
