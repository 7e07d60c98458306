import os
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UnreadableUpload
from core.importing.sources import open_source
from tests.core.importing.made import folder_of, listed, picture, reasons, zip_of

PICTURES = dict.fromkeys(["cats/a cat.png", "cats/2.png", "dogs/big dog; old.png"], picture())
LISTS = {
    "classes.txt": b"house cat\ndog\n",
    "train.txt": b"1;dogs/big dog; old.png\n0;cats/a cat.png\n",
    "test.txt": b"0;cats/2.png\n",
}


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("wrapped", ["", "pets/"])
def test_lists_beside_their_classes_say_what_is_imported(
    tmp_path: Path, zipped: bool, wrapped: str
) -> None:
    files = {wrapped + name: content for name, content in (PICTURES | LISTS).items()}
    path = zip_of(tmp_path / "a.zip", files) if zipped else folder_of(tmp_path / "a", files)
    source = open_source(path)
    assert source.kind == "file lists"
    assert source.class_names == ("house cat", "dog")
    assert listed(source) == [
        ("train", "dog", "dogs/big dog; old.png"),
        ("train", "house cat", "cats/a cat.png"),
        ("test", "house cat", "cats/2.png"),
    ]
    assert not source.by_class
    assert all(file.content.read() == picture() for file in source.files)


def test_one_list_is_what_is_learned_from_whatever_it_is_called(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, PICTURES | LISTS | {"some cats.txt": b"0;cats/2.png"})
    assert listed(open_source(folder / "some cats.txt")) == [("train", "house cat", "cats/2.png")]
    assert listed(open_source(folder / "test.txt")) == [("train", "house cat", "cats/2.png")]


def test_three_parts_and_pictures_without_a_label(tmp_path: Path) -> None:
    lists = {
        "classes.txt": b"cat\n",
        "files.txt": b"0;cats/2.png",
        "validation.txt": b"0;cats/a cat.png",
        "test.txt": b"0;cats/a cat.png",
        "unlabelled.txt": b"-1;dogs/big dog; old.png",
    }
    source = open_source(folder_of(tmp_path, PICTURES | lists))
    assert [file.part for file in source.files] == ["train", "validation", "test", "unlabelled"]
    assert source.files[-1].label == -1


@pytest.mark.parametrize(
    "line",
    [
        "0;cats/a cat.png",
        "0;./cats/a cat.png",
        "0;cats/../cats//a cat.png",
        "0; cats/a cat.png ",
        " 0 ;cats/a cat.png\r",
        "0;cats\\a cat.png",
        "\ufeff0;cats/a cat.png",
    ],
)
def test_a_path_is_found_however_it_is_written(tmp_path: Path, line: str) -> None:
    files = PICTURES | LISTS | {"train.txt": f"{line}\n\n".encode()}
    folder = folder_of(tmp_path, files)
    assert open_source(folder / "train.txt").files[0].name == "cats/a cat.png"
    assert open_source(folder).files[0].name == "cats/a cat.png"


def test_accents_are_found_however_they_are_written(tmp_path: Path) -> None:
    lists = {"classes.txt": b"cat", "train.txt": "0;Katzenb\u00e4r.png".encode()}
    folder = folder_of(tmp_path, {**lists, "Katzenba\u0308r.png": picture()})
    assert open_source(folder).count == 1


def test_what_is_not_there_or_leads_out_is_skipped_line_by_line(tmp_path: Path) -> None:
    outside = folder_of(tmp_path / "outside", ["secret.png"])
    folder = folder_of(tmp_path / "pets", PICTURES | LISTS)
    (folder / "linked").symlink_to(outside)
    (folder / "link.png").symlink_to(outside / "secret.png")
    inside = f"0;{folder}/cats/2.png"
    lines = [
        inside,
        "0;../outside/secret.png",
        f"0;{outside}/secret.png",
        "0;/etc/passwd",
        "0;cats/gone.png",
        "0;linked/secret.png",
        "0;link.png",
        "0;cats",
        "0;.",
    ]
    (folder / "train.txt").write_text("\n".join(lines))
    for path in (folder / "train.txt", folder):
        source = open_source(path)
        assert source.files[0].name == "cats/2.png"
        found = reasons(source)
        for line in lines[1:4]:
            assert "leads out of the folder" in found[line[2:]]
        for line in lines[4:8]:
            assert found[line[2:]]
        assert len(found) >= 8


def train(text: bytes) -> dict[str, bytes]:
    return PICTURES | LISTS | {"train.txt": text}


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (train(b"cats/2.png\n"), 'line 1 of train.txt must be class_index;path, .* got "cats/2.p'),
        (train(b"0;cats/2.png\n0;\n"), "line 2 of train.txt must be class_index;path"),
        (train(b"cat;cats/2.png"), 'begin with the index of a class, from 0 to 1 .* got "cat"'),
        (train(b"0;cats/2.png\n2;cats/2.png"), 'line 2 .* from 0 to 1 as classes.txt has 2, got "'),
        (train(b"-1;cats/2.png"), "from 0 to 1"),
        (train("٣;cats/2.png".encode()), "from 0 to 1"),
        (train(b"99999999999999999999999;cats/2.png"), "from 0 to 1"),
        (train(b"0;cats/2.png\n\n0;cats/2.png"), "line 2 of train.txt is empty; remove it"),
        (train(b"0;" + b"x" * 9000), "line 1 of train.txt must have at most 8,192 bytes"),
        (train(b"0;\xff\xfe"), "no picture that could be imported"),
        (train(b"0;\0"), "no picture that could be imported"),
        (train(b""), "train.txt must hold lines such as 0;cats/1.png, got none"),
        (train(b"0;a") | {"classes.txt": b""}, "classes.txt must hold one class a line, got none"),
        (train(b"0;a") | {"classes.txt": b"cat\n\ndog"}, "line 2 of classes.txt is empty"),
        (train(b"0;a") | {"classes.txt": b"cat\ncat"}, 'line 2 .* is the class "cat" again, after'),
        (train(b"0;a") | {"classes.txt": b"x" * 300}, "line 1 of classes.txt must be the name of"),
        (train(b"0;a") | {"classes.txt": b"\xe9t\xe9"}, "1 to 255 characters of UTF-8"),
        (
            train(b"0;a") | {"classes.txt": b"\n".join(b"%d" % n for n in range(10_001))},
            "at most 10,000 classes",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, files: dict[str, bytes], sentence: str
) -> None:
    folder = folder_of(tmp_path, files)
    with pytest.raises(UnreadableUpload, match=sentence):
        open_source(folder / "train.txt")


@pytest.mark.parametrize("name", ["classes.txt", "train.txt"])
def test_ten_gigabytes_of_nonsense_are_refused_at_once(tmp_path: Path, name: str) -> None:
    folder = folder_of(tmp_path, PICTURES | LISTS)
    os.truncate(folder / name, 10 * 2**30)  # takes no room on the disk
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableUpload, match="at most 8,192 bytes"):
            open_source(folder)
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()


PATHS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="/\\"),
    min_size=1,
    max_size=40,
).filter(lambda name: name.strip(" .") == name and len(name.encode()) < 200)
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=40)


@settings(max_examples=50)
@given(st.data())
def test_lines_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    names = NAMES.map(lambda name: " ".join(name.split())).filter(bool)
    classes = data.draw(st.lists(names, min_size=1, max_size=4, unique=True))
    paths = data.draw(st.lists(PATHS.map(lambda name: f"in/{name}"), min_size=1, max_size=4))
    labels = [data.draw(st.integers(0, len(classes) - 1)) for _ in paths]
    lines = [f"{label};{path}" for label, path in zip(labels, paths, strict=True)]
    folder = tmp_path_factory.mktemp("lists")
    folder_of(folder, dict.fromkeys(paths, b"x"))
    (folder / "classes.txt").write_text("\n".join(classes), newline="")
    (folder / "train.txt").write_text("\n".join(lines), newline="")
    source = open_source(folder / "train.txt")
    # Directions of writing are spelled out where they are shown; what is read is what was meant.
    assert [file.label for file in source.files] == labels
    assert [file.content.path for file in source.files] == [  # type: ignore[attr-defined]
        str(folder.resolve() / path) for path in paths
    ]
    assert len(source.class_names) == len(classes)


@settings(max_examples=50)
@given(st.binary(max_size=500), st.binary(max_size=500))
def test_nonsense_ends_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, classes: bytes, lines: bytes
) -> None:
    folder = tmp_path_factory.mktemp("lists")
    for files in (
        {"classes.txt": classes, "train.txt": lines},
        {"classes.txt": b"cat\ndog", "train.txt": b"0;x.png\n" + lines},
    ):
        folder_of(folder, files)
        with suppress(UnreadableUpload):
            open_source(folder / "train.txt")
