import csv
import io
import re
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.data import kaggle
from core.errors import UnreadableUpload

Mnist = dict[str, NDArray[np.uint8]]
HEADER = ",".join(f"pixel{number}" for number in range(784))
ROW = ",".join(["0"] * 784)


def table(*rows: str, header: str = HEADER) -> io.BytesIO:
    return io.BytesIO("\n".join([header, *rows, ""]).encode())


def saved(images: NDArray[np.uint8], labels: NDArray[np.uint8] | None = None) -> io.BytesIO:
    """A table as numpy saves it."""
    columns = images.reshape(len(images), -1)
    header = HEADER
    if labels is not None:
        columns, header = np.column_stack([labels, columns]), f"label,{HEADER}"
    file = io.BytesIO()
    np.savetxt(file, columns, fmt="%d", delimiter=",", header=header, comments="")
    return file


def read(file: io.BytesIO) -> tuple[NDArray[np.uint8], NDArray[np.int64] | None]:
    parts = list(kaggle.read_table(file))
    labels = [part.labels for part in parts if part.labels is not None]
    return np.concatenate([part.images for part in parts]), (
        np.concatenate(labels) if labels else None
    )


def test_what_was_saved_is_read_again(mnist: Mnist) -> None:
    images, labels = mnist["x_test"][:1500], mnist["y_test"][:1500]
    found, none = read(saved(images))
    assert none is None
    np.testing.assert_array_equal(found, images)
    found, known = read(saved(images, labels))
    np.testing.assert_array_equal(found, images)
    np.testing.assert_array_equal(known, labels)


def test_rows_come_some_at_a_time_and_memory_stays_flat(mnist: Mnist) -> None:
    file = saved(mnist["x_test"][:5000])
    sizes = []
    tracemalloc.start()
    try:
        for rows in kaggle.read_table(file):
            sizes.append(len(rows.images))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sizes == [1000] * 5
    assert peak < 120e6


@pytest.mark.parametrize(
    "content",
    [
        table(ROW).getvalue().replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + table(ROW).getvalue(),
        table(ROW).getvalue().rstrip(),
        table(ROW).getvalue() + b"\n \n\n",
        table(ROW, header=HEADER.upper().replace("PIXEL0", '"Pixel0"')).getvalue(),
        table(ROW.replace("0", '"0"')).getvalue(),
        table(ROW.replace("0", " 0.0")).getvalue(),
    ],
)
def test_a_table_is_read_however_it_was_saved(content: bytes) -> None:
    assert kaggle.is_table(io.BytesIO(content))
    images, _ = read(io.BytesIO(content))
    assert images.shape == (1, 28, 28)
    assert not images.any()


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (io.BytesIO(b""), "the header must be .* got '' in column 1"),
        (table(ROW, header="file,label"), "got 'file' in column 1"),
        (table(ROW, header=HEADER.replace("pixel5,", "pixel6,")), "got 'pixel6' in column 6"),
        (table(ROW, header=HEADER.replace(",pixel783", "")), "got 783 columns"),
        (table(ROW, header=HEADER + ",more"), "got 785 columns"),
        (table(), "a header but no rows"),
        (table(ROW, ROW + ",0"), "line 3 must have 784 columns as the header has, got 785"),
        (table(ROW, ROW[:99]), "line 3 must have 784 columns .* got 50; the file may be cut"),
        (table(ROW, "", ROW), "line 3 must have 784 columns .* got 1"),
        (table(ROW, ROW[:-1] + "256"), "line 3: pixels must be from 0 to 255, got 256 in column"),
        (table(ROW, "-1" + ROW[1:]), "line 3 must hold whole numbers .* got '-1' in column 1"),
        (table(ROW, "x" + ROW[1:]), "got 'x' in column 1"),
        (table("0.5" + ROW[1:]), "line 2 must hold whole numbers .* got '0.5' in column 1"),
        (table(ROW[1:]), "got '' in column 1"),
        (table(f"10,{ROW}", header=f"label,{HEADER}"), "labels from 0 to 9, got 10 in column 1"),
        (table("0" * 20_000), "line 2 must be 784 numbers, got more than 16,384 characters"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(file: io.BytesIO, sentence: str) -> None:
    with pytest.raises(UnreadableUpload, match=sentence):
        read(file)


def test_more_rows_than_allowed_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kaggle, "MOST_ROWS", 2)
    with pytest.raises(UnreadableUpload, match="at most 2 rows"):
        read(table(ROW, ROW, ROW))


@pytest.mark.parametrize("start", [b"", HEADER.encode() + b"\n"])
def test_ten_gigabytes_of_nonsense_are_refused_at_their_beginning(
    tmp_path: Path, start: bytes
) -> None:
    path = tmp_path / "test.csv"
    with path.open("wb") as file:
        file.write(start)
        file.truncate(10 * 2**30)  # takes no room on the disk
    with path.open("rb") as file:
        with pytest.raises(UnreadableUpload):
            next(kaggle.read_table(file))
        assert file.tell() < 100_000


CELL = st.one_of(
    st.integers(-5, 300).map(str),
    st.sampled_from(["", " ", "1e2", "0x1", "1_0", "٣", "nan", '"7"', " 8 ", "9.0", "+1", "1 2"]),
)


@settings(max_examples=50)
@given(
    st.lists(st.dictionaries(st.integers(0, 783), CELL, max_size=3), max_size=3),
    st.sampled_from([784, 784, 784, 783, 785]),
)
def test_a_table_is_read_cell_by_cell_as_it_stands_or_refused(
    changes: list[dict[int, str]], columns: int
) -> None:
    rows = [[change.get(place, str(place % 256)) for place in range(784)] for change in changes]
    if rows:
        rows[-1] = (rows[-1] * 2)[:columns]
    check([",".join(row) for row in rows], rows)


def check(lines: list[str], rows: list[list[str]]) -> None:
    """A slow reader that is easy to believe says the same."""
    expected = [[number(cell) for cell in row] for row in rows]
    valid = bool(rows) and all(
        len(row) == 784 and all(0 <= value <= 255 for value in row) for row in expected
    )
    try:
        images, _ = read(table(*lines))
    except UnreadableUpload:
        assert not valid
    else:
        assert valid
        np.testing.assert_array_equal(images.reshape(-1, 784), expected)


def number(cell: str) -> int:
    """The number of a cell, -1 where it holds none."""
    plain = cell.strip().removeprefix('"').removesuffix('"').removesuffix(".0")
    return int(plain) if re.fullmatch("[0-9]+", plain) else -1


@given(st.binary(max_size=2000))
def test_nonsense_ends_in_a_sentence(content: bytes) -> None:
    for start in (b"", HEADER.encode() + b"\n", f"{HEADER}\n{ROW}\n".encode()):
        with suppress(UnreadableUpload):
            read(io.BytesIO(start + content))


def test_a_submission_is_what_the_network_said(mnist: Mnist) -> None:
    images, labels = mnist["x_test"][:1200], mnist["y_test"][:1200]
    means = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    done: list[int] = []

    def ask(asked: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.eye(10, dtype=np.float32)[[means[image.tobytes()] for image in asked]]

    classes, true = kaggle.predict_table(saved(images, labels), ask, done.append)
    np.testing.assert_array_equal(classes, labels)
    np.testing.assert_array_equal(true, labels)
    assert done == [1000, 1200]
    rows = list(csv.DictReader(io.StringIO(kaggle.submission(classes))))
    assert [row["ImageId"] for row in rows] == [str(n) for n in range(1, 1201)]
    assert [int(row["Label"]) for row in rows] == labels.tolist()
