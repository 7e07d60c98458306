import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from core.data.datasets import Split
from core.data.image_tags import (
    AMBIGUOUS,
    NOTE_LENGTH,
    STANDARD,
    WRONG_LABEL,
    Places,
    Remarks,
    as_json,
    change_remarks,
    file_of,
    read_remarks,
    remark_about,
)
from core.data.tag_exchange import TakenIn, as_csv, of_split, read_exported, take_in
from core.errors import DamagedFile, InvalidRequest
from core.workspace import Workspace

CLASSES = ("cat", "dog")
WRITERS = {"json": as_json, "csv": as_csv}


@pytest.fixture
def split() -> Split:
    images = np.random.default_rng(0).integers(256, size=(6, 4, 4), dtype=np.uint8)
    return Split(images, np.array([0, 1] * 3), np.arange(6))


@pytest.fixture
def places(split: Split) -> Places:
    return Places.of(split, CLASSES)


def remarks(split: Split, *said: tuple[int, str, str]) -> Remarks:
    """Tags and notes by position."""
    made = Remarks("pets")
    for position, tag, note in said:
        about = remark_about(split, CLASSES, position)
        made = made.with_tag(about, tag, carried=True).with_note(about, note)
    return made


@pytest.mark.parametrize("kind", WRITERS)
def test_what_was_handed_on_is_taken_in_elsewhere_as_it_was(
    workspace: Workspace, split: Split, places: Places, kind: str
) -> None:
    own = remarks(split, (1, WRONG_LABEL, 'a "cat",\nnot a dog'), (4, "cut off", "ß; 🐈"))
    read = read_exported(WRITERS[kind](own).encode())
    assert take_in(workspace, "pets", read, places.keys) == TakenIn(here=2, already=0, elsewhere=0)
    now = read_remarks(workspace, "pets")
    assert now.images == own.images
    assert now.tags == (*STANDARD, "cut off")


def test_the_table_names_what_people_look_for(split: Split) -> None:
    (row,) = csv.DictReader(io.StringIO(as_csv(remarks(split, (3, WRONG_LABEL, "look")))))
    assert (row["index"], row["true_class"], row["tags"]) == ("3", "dog", WRONG_LABEL)


def test_a_split_hands_on_what_is_said_of_its_images_in_its_order(
    split: Split, places: Places
) -> None:
    own = remarks(split, (4, AMBIGUOUS, ""), (1, WRONG_LABEL, ""), (5, WRONG_LABEL, ""))
    part = split.take(np.array([1, 4]))
    said = Places.of(part, CLASSES).said(own)
    handed_on = of_split(own, said, np.array([10, 40])).images.values()
    assert [(remark.index, remark.tags) for remark in handed_on] == [
        (10, (WRONG_LABEL,)),
        (40, (AMBIGUOUS,)),
    ]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_table_that_a_spreadsheet_saved_again_is_understood(split: Split, delimiter: str) -> None:
    text = io.StringIO()
    rows = csv.reader(io.StringIO(as_csv(remarks(split, (3, WRONG_LABEL, "x; y")))))
    csv.writer(text, delimiter=delimiter).writerows(rows)
    (said,) = read_exported(b"\xef\xbb\xbf" + text.getvalue().encode()).images.values()
    assert (said.tags, said.note) == ((WRONG_LABEL,), "x; y")


def test_tags_of_both_are_kept_and_notes_come_below_each_other(
    workspace: Workspace, split: Split, places: Places
) -> None:
    change_remarks(
        workspace, "pets", lambda now: remarks(split, (1, "own", "mine"), (2, "own", ""))
    )
    file = remarks(split, (1, WRONG_LABEL, "yours"), (2, "own", ""), (3, AMBIGUOUS, "new"))
    assert take_in(workspace, "pets", file, places.keys) == TakenIn(3, already=1, elsewhere=0)
    said = places.said(read_remarks(workspace, "pets"))
    assert (said[1].tags, said[1].note) == (("own", WRONG_LABEL), "mine\nyours")
    assert (said[3].tags, said[3].note) == ((AMBIGUOUS,), "new")


def test_taking_the_same_file_in_twice_changes_nothing_more(
    workspace: Workspace, split: Split, places: Places
) -> None:
    file = remarks(split, (1, WRONG_LABEL, "a note"), (2, "own", "x" * NOTE_LENGTH))
    take_in(workspace, "pets", file, places.keys)
    before = file_of(workspace, "pets").read_bytes()
    assert take_in(workspace, "pets", file, places.keys) == TakenIn(2, already=2, elsewhere=0)
    assert file_of(workspace, "pets").read_bytes() == before


def test_images_that_are_not_looked_at_now_are_kept_for_when_they_are(
    workspace: Workspace, split: Split
) -> None:
    part = Places.of(split.take(np.arange(2)), CLASSES)
    file = remarks(split, (1, WRONG_LABEL, ""), (5, AMBIGUOUS, ""))
    assert take_in(workspace, "pets", file, part.keys) == TakenIn(1, already=0, elsewhere=1)
    assert len(read_remarks(workspace, "pets").images) == 2


def test_the_tags_of_other_images_are_refused(workspace: Workspace, split: Split) -> None:
    part = Places.of(split.take(np.arange(2)), CLASSES)
    with pytest.raises(InvalidRequest, match="none of the 1 images in this file"):
        take_in(workspace, "pets", remarks(split, (5, AMBIGUOUS, "")), part.keys)
    assert not file_of(workspace, "pets").exists()


GOOD = {"image": "0" * 64, "true_class": "dog", "index": 1}
BAD = [
    b"",
    b"\x89PNG\r\n\x1a\n",
    b"{" * 10_000,
    b'{"dataset": "pets"',
    b'{"images": []}',
    json.dumps({"dataset": "pets", "images": [GOOD | {"tags": ["a, b"]}]}).encode(),
    json.dumps({"dataset": "pets", "images": [GOOD | {"image": "../../x"}]}).encode(),
    json.dumps({"dataset": "pets", "images": [GOOD | {"note": "x" * 2001}]}).encode(),
    json.dumps({"dataset": "pets", "tags": [f"t{n}" for n in range(51)]}).encode(),
    b"name,age\nAnn,3\n",
    b"index,true_class,tags,note,image\n1,dog\n",
    b"index,true_class,tags,note,image\nfirst,dog,,," + b"0" * 64 + b"\n",
    b'index,true_class,tags,note,image\n1,dog,"' + b"x" * 200_000,
]


@pytest.mark.parametrize("content", BAD, ids=range(len(BAD)))
def test_a_file_that_holds_no_tags_is_told_in_a_sentence(content: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"holds no tags.*nothing was changed"):
        read_exported(content)


def test_a_damaged_file_of_the_workspace_stays_as_it_is(
    workspace: Workspace, split: Split, places: Places
) -> None:
    file: Path = file_of(workspace, "pets")
    file.parent.mkdir(parents=True)
    file.write_text("{")
    with pytest.raises(DamagedFile):
        take_in(workspace, "pets", remarks(split, (1, WRONG_LABEL, "")), places.keys)
    assert file.read_text() == "{"
