import csv
import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UnreadableUpload
from core.importing.sources import open_source
from tests.core.importing.made import HEADER, all_rows, digits, folder_of, reasons, table, zip_of

X, Y = digits(1200)
FILES = {
    "train.csv": table(X[:1100], Y[:1100]),
    "test.csv": table(X[1100:]),
    "sample_submission.csv": b"ImageId,Label\n1,0\n",
}


def test_a_table_with_labels_is_learned_from(tmp_path: Path) -> None:
    source = open_source(folder_of(tmp_path, FILES) / "train.csv")
    images, labels, parts, names = all_rows(source)
    np.testing.assert_array_equal(images, X[:1100])
    np.testing.assert_array_equal(labels, Y[:1100])
    assert set(parts) == {"train"}
    assert (names[0], names[1099]) == ("train.csv, row 1", "train.csv, row 1100")
    assert source.kind == "pixel table"
    assert source.digits and not source.by_class
    assert source.class_names == tuple("0123456789")


def test_a_table_without_labels_is_for_prediction(tmp_path: Path) -> None:
    images, labels, parts, _ = all_rows(open_source(folder_of(tmp_path, FILES) / "test.csv"))
    np.testing.assert_array_equal(images, X[1100:])
    assert set(labels) == {-1}
    assert set(parts) == {"unlabelled"}


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("wrapped", ["", "digit-recognizer/"])
def test_both_tables_make_one_dataset(tmp_path: Path, zipped: bool, wrapped: str) -> None:
    contents = FILES | {"train.csv": table(X[:11], Y[:11]), "test.csv": table(X[11:14])}
    files = {wrapped + name: content for name, content in contents.items()}
    path = zip_of(tmp_path / "a.zip", files) if zipped else folder_of(tmp_path / "a", files)
    source = open_source(path)
    images, _, parts, _ = all_rows(source)
    assert parts == ["train"] * 11 + ["unlabelled"] * 3
    np.testing.assert_array_equal(images, X[:14])
    assert list(reasons(source)) == [f"{wrapped}sample_submission.csv"]


def test_a_test_table_with_labels_is_tested_on(tmp_path: Path) -> None:
    files = {"train.csv": table(X[:5], Y[:5]), "test.csv": table(X[5:9], Y[5:9])}
    _, labels, parts, _ = all_rows(open_source(folder_of(tmp_path, files)))
    assert parts == ["train"] * 5 + ["test"] * 4
    assert -1 not in labels


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "digits.csv is no table of digits as Kaggle has them, .* must be pixel0 to pixel783"),
        (b"name,age\nx,1\n", "the header must be pixel0 to pixel783, .* got 'name' in column 1"),
        (b"\xff\xd8\xff\xe0 a photograph", "the header must be pixel0"),
        (f"{HEADER}\n".encode(), "digits.csv cannot be imported: the table has a header but no"),
        (table(X[:2]) + b"1,2,3\n", "line 4 must have 784 columns .* got 3; the file may be cut"),
        (table(X[:2]) + b",x" * 783, "line 4 must hold whole numbers from 0 to 255, got ''"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableUpload, match=sentence):
        all_rows(open_source(folder_of(tmp_path, {"digits.csv": content}) / "digits.csv"))


@pytest.mark.parametrize("start", [b"", HEADER.encode() + b"\n"], ids=["nonsense", "header"])
def test_ten_gigabytes_of_nonsense_are_refused_at_once(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "train.csv"
    with path.open("wb") as file:
        file.write(start)
        file.truncate(10 * 2**30)  # takes no room on the disk
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableUpload, match=r"train\.csv"):
            all_rows(open_source(path))
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()


ROW = st.tuples(st.integers(0, 9), st.binary(min_size=784, max_size=784))


@settings(max_examples=25)
@given(
    st.lists(ROW, min_size=1, max_size=4),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_another_program_wrote_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, bytes]],
    newline: str,
    quoting: int,
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=newline, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(["label", *HEADER.split(",")])
    writer.writerows([label, *pixels] for label, pixels in rows)
    path = tmp_path_factory.mktemp("table") / "train.csv"
    path.write_text(text.getvalue(), newline="")
    images, labels, _, _ = all_rows(open_source(path))
    assert labels.tolist() == [label for label, _ in rows]
    assert images.tobytes() == b"".join(pixels for _, pixels in rows)
