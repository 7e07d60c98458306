import io
import os
import tracemalloc
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.preprocessing import Pixels
from core.errors import UnreadableImage
from core.predicting.digits import to_digit
from core.predicting.uploads import Framed, Picture, Refusal, Upload, thumbnail

Mnist = dict[str, NDArray[np.uint8]]


def png(value: int = 128, side: int = 8) -> bytes:
    encoded: bytes = cv2.imencode(".png", np.full((side, side), value, np.uint8))[1].tobytes()
    return encoded


def zip_file(**entries: bytes) -> io.BytesIO:
    """A ZIP; names are written with __ for a slash."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file


def names(upload: Upload) -> list[tuple[str, str | None]]:
    return [(item.name, getattr(item, "label", "refused")) for item in upload.pictures()]


def test_pictures_come_in_the_order_given_each_with_its_pixels() -> None:
    upload = Upload([("b.png", io.BytesIO(png(1))), ("a.png", io.BytesIO(png(2)))])
    found = list(upload.pictures())
    assert len(upload) == 2
    assert [item.name for item in found] == ["b.png", "a.png"]
    assert [int(item.pixels[0, 0]) for item in found if isinstance(item, Picture)] == [1, 2]


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp", ".tif", ".bmp", ".gif"])
def test_every_format_is_read(ending: str) -> None:
    content = cv2.imencode(ending, np.full((8, 8, 3), 90, np.uint8))[1].tobytes()
    (found,) = Upload([(f"a{ending}", io.BytesIO(content))]).pictures()
    assert isinstance(found, Picture)
    assert abs(int(found.pixels.mean()) - 90) <= 2


def test_what_cannot_be_read_is_refused_in_its_place_and_the_rest_is_read() -> None:
    jpeg = cv2.imencode(".jpg", np.zeros((50, 50), np.uint8))[1].tobytes()
    files = {
        "empty.png": b"",
        "1.png": png(),
        "text.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "cut.jpg": jpeg[:20],
        "2.png": png(),
        "dot.png": png(side=1),
        "inner.zip": zip_file(a=png()).getvalue(),
    }
    found = list(Upload([("all.zip", zip_file(**files))]).pictures())
    assert [item.name for item in found] == [f"all.zip/{name}" for name in files]
    refused = {item.name: item.sentence for item in found if isinstance(item, Refusal)}
    expected = {
        "all.zip/empty.png": "is empty",
        "all.zip/text.svg": "the file is an SVG",
        "all.zip/cut.jpg": "image",
        "all.zip/dot.png": "at least 4 pixels",
        "all.zip/inner.zip": "archive within is not opened",
    }
    assert refused.keys() == expected.keys()
    for name, reason in expected.items():
        assert reason in refused[name]


def test_a_zip_that_is_damaged_is_refused_and_other_files_are_read() -> None:
    sources = [("a.zip", io.BytesIO(b"PK\x03\x04" + b"x" * 50)), ("b.png", io.BytesIO(png()))]
    refused, read = Upload(sources).pictures()
    assert isinstance(refused, Refusal)
    assert "the ZIP is damaged" in refused.sentence
    assert isinstance(read, Picture)


def test_what_systems_add_is_left_out_and_counted() -> None:
    files = {"__MACOSX/._1.png": b"x", ".DS_Store": b"x", "a/Thumbs.db": b"x", "a/1.png": png()}
    upload = Upload([("all.zip", zip_file(**files))])
    assert names(upload) == [("all.zip/a/1.png", "a")]
    assert upload.left_out == 3


def test_only_so_many_files_are_read_and_the_others_are_told() -> None:
    files = {f"{number}.png": png() for number in range(5)}
    upload = Upload([("all.zip", zip_file(**files))], most=3)
    *read, rest = upload.pictures()
    assert [item.name for item in read] == [f"all.zip/{number}.png" for number in range(3)]
    assert rest == Refusal(
        "2 more files",
        "only the first 3 files are read, not 2 more; hand them in by themselves",
    )
    assert len(upload) == 4


def test_the_folder_that_a_file_lies_in_is_its_label(tmp_path: Path) -> None:
    for place in ("digits/7/b.png", "digits/4/a.png"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_bytes(png())
    assert names(Upload([("in", tmp_path / "digits")])) == [
        ("in/4/a.png", "4"),
        ("in/7/b.png", "7"),
    ]
    zipped = zip_file(**{"digits/7/a.png": png(), "b.png": png()})
    assert names(Upload([("z", zipped), ("3/c.png", io.BytesIO(png()))])) == [
        ("z/digits/7/a.png", "7"),
        ("z/b.png", None),
        ("3/c.png", "3"),
    ]
    single = tmp_path / "digits" / "7" / "b.png"
    assert names(Upload([(str(single), single)])) == [(str(single), None)]


def test_a_table_of_labels_goes_before_folders() -> None:
    table = b"file,label\nx/1.png,7\n2.png,4\n"
    files = {"x/1.png": png(), "x/2.png": png(), "x/3.png": png(), "labels.csv": table}
    assert names(Upload([("z", zip_file(**files))])) == [
        ("z/x/1.png", "7"),
        ("z/x/2.png", "4"),
        ("z/x/3.png", "x"),
    ]


def test_a_table_that_is_none_of_labels_is_refused_and_pictures_are_read() -> None:
    files = {"1.png": png(), "notes.csv": b"when,what\n1,2\n"}
    refused, read = Upload([("z", zip_file(**files))]).pictures()
    assert isinstance(refused, Refusal)
    assert "must have the columns file and label, got when, what" in refused.sentence
    assert isinstance(read, Picture)


def test_a_folder_without_files_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    sources = [("none", tmp_path), ("missing.png", tmp_path / "missing.png")]
    sentences = [getattr(item, "sentence", "") for item in Upload(sources).pictures()]
    assert sentences == [
        "the folder holds no files; choose one with pictures in it",
        "the file cannot be read: No such file or directory",
    ]


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (found,) = Upload([("in", tmp_path)]).pictures()
    assert isinstance(found, Refusal)
    assert "no ordinary file" in found.sentence


def test_framing_gives_what_is_fed_and_refuses_what_it_cannot_frame(mnist: Mnist) -> None:
    def digit(picture: Pixels) -> Pixels:
        return to_digit(picture).digit

    image = mnist["x_test"][0]
    files = {"7/1.png": cv2.imencode(".png", image)[1].tobytes(), "white.png": png(255)}
    good, bad = Upload([("z", zip_file(**files))]).framed(digit)
    assert isinstance(good, Framed)
    assert (good.name, good.label) == ("z/7/1.png", "7")
    np.testing.assert_array_equal(good.image, image)
    assert isinstance(bad, Refusal)
    assert "the picture is empty" in bad.sentence


def test_what_framing_raises_otherwise_is_not_hidden() -> None:
    def broken(picture: Pixels) -> Pixels:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(Upload([("a.png", io.BytesIO(png()))]).framed(broken))


def test_a_thumbnail_is_small_and_shows_the_picture() -> None:
    picture = np.zeros((300, 600, 3), np.uint8)
    picture[:, 300:, 0] = 255
    small = cv2.imdecode(np.frombuffer(thumbnail(picture), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert small is not None
    assert small.shape == (32, 64, 3)
    assert small[16, 48, 0] > 200 > 50 > small[16, 16, 0]


def test_memory_stays_flat(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(200):
            archive.writestr(f"{number}.png", png(number, side=600))  # 72 MB once decoded
    tracemalloc.start()
    try:
        for item in Upload([("many.zip", path)]).framed(lambda picture: picture[:4, :4].copy()):
            assert isinstance(item, Framed)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10e6


def test_an_upload_whose_file_was_read_before_is_read_from_its_start() -> None:
    file = io.BytesIO(png())
    file.read()
    for _ in range(2):
        (found,) = Upload([("a.png", file)]).pictures()
        assert isinstance(found, Picture)


def test_what_is_refused_by_a_frame_names_the_picture() -> None:
    def refuse(picture: Pixels) -> Pixels:
        raise UnreadableImage("not today")

    assert list(Upload([("a.png", io.BytesIO(png()))]).framed(refuse)) == [
        Refusal("a.png", "not today")
    ]


def test_one_picture_can_be_had_again_by_its_place() -> None:
    upload = Upload(
        [("all.zip", zip_file(a=png(1), b=b"", c=png(3))), ("d.png", io.BytesIO(png(4)))]
    )
    assert len(list(upload.pictures())) == 4
    again = upload.picture(2)
    assert isinstance(again, Picture)
    assert (again.name, int(again.pixels[0, 0])) == ("all.zip/c", 3)
    assert isinstance(upload.picture(1), Refusal)
    last = upload.picture(3)
    assert isinstance(last, Picture)
    assert int(last.pixels[0, 0]) == 4
