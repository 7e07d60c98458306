import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.data_config import DataConfig
from core.data.datasets import Split, load_test
from core.data.image_tags import (
    AMBIGUOUS,
    ANY_TAG,
    MOST_TAGS,
    NOTE_LENGTH,
    STANDARD,
    UNTAGGED,
    WRONG_LABEL,
    Places,
    Remark,
    Remarks,
    change_remarks,
    file_of,
    positions_by_tag,
    read_remarks,
    remark_about,
    set_aside,
)
from core.errors import DamagedFile, InvalidRequest, WorkFailed
from core.workspace import Workspace

CLASSES = ("cat", "dog")


@pytest.fixture
def split() -> Split:
    """Six pictures, of a cat and a dog in turn; the last two are pixel by pixel the same."""
    images = np.random.default_rng(0).integers(256, size=(6, 4, 4), dtype=np.uint8)
    images[5] = images[4]
    return Split(images, np.array([0, 1] * 3), np.arange(6))


def about(split: Split, position: int) -> Remark:
    return remark_about(split, CLASSES, position)


def put(workspace: Workspace, split: Split, position: int, tag: str) -> None:
    said = about(split, position)
    change_remarks(workspace, "pets", lambda now: now.with_tag(said, tag, carried=True))


def tagged(workspace: Workspace, split: Split, classes: tuple[str, ...] = CLASSES) -> dict:
    remarks = read_remarks(workspace, "pets")
    return dict(positions_by_tag(Places.of(split, classes).said(remarks)))


def test_nothing_is_said_at_first_and_the_standard_tags_are_there(workspace: Workspace) -> None:
    remarks = read_remarks(workspace, "pets")
    assert (remarks.tags, remarks.images) == (STANDARD, {})
    assert not workspace.root.exists()


def test_a_tag_put_on_an_image_is_there_until_it_is_taken_off(
    workspace: Workspace, split: Split
) -> None:
    put(workspace, split, 2, WRONG_LABEL)
    put(workspace, split, 2, AMBIGUOUS)
    assert tagged(workspace, split) == {WRONG_LABEL: [2], AMBIGUOUS: [2]}
    said = about(split, 2)
    for tag in (WRONG_LABEL, AMBIGUOUS):
        change_remarks(
            workspace, "pets", lambda now, tag=tag: now.with_tag(said, tag, carried=False)
        )
    assert read_remarks(workspace, "pets").images == {}


def test_what_is_said_stays_with_images_in_another_order_and_in_a_part(
    workspace: Workspace, split: Split
) -> None:
    put(workspace, split, 1, WRONG_LABEL)
    assert tagged(workspace, split.take(np.array([3, 1]))) == {WRONG_LABEL: [1]}
    assert tagged(workspace, split.take(np.array([0, 2]))) == {}


def test_what_is_said_ends_with_a_label_that_was_put_right(
    workspace: Workspace, split: Split
) -> None:
    put(workspace, split, 1, WRONG_LABEL)
    assert tagged(workspace, replace(split, labels=1 - split.labels)) == {}


def test_two_images_with_the_same_pixels_differ_by_their_labels(
    workspace: Workspace, split: Split
) -> None:
    put(workspace, split, 4, WRONG_LABEL)
    assert tagged(workspace, split) == {WRONG_LABEL: [4]}
    alike = replace(split, labels=np.zeros(6, int))
    assert tagged(workspace, alike) == {WRONG_LABEL: [4, 5]}


def test_another_dataset_with_the_same_pictures_has_its_own(
    workspace: Workspace, split: Split
) -> None:
    put(workspace, split, 1, WRONG_LABEL)
    assert read_remarks(workspace, "other").images == {}


def test_pictures_of_a_folder_are_known_by_their_files(workspace: Workspace, split: Split) -> None:
    digests = np.random.default_rng(1).integers(256, size=(6, 32), dtype=np.uint8)
    small = replace(split, digests=digests)
    put(workspace, small, 3, AMBIGUOUS)
    resized = replace(small, images=np.zeros((6, 8, 8, 3), np.uint8))
    assert tagged(workspace, resized) == {AMBIGUOUS: [3]}


def test_mnist_is_known_by_its_pixels_whole_or_in_part(workspace: Workspace) -> None:
    whole = load_test(DataConfig(name="mnist"))
    part = load_test(DataConfig(name="mnist", test_images=1000))
    names = DataConfig(name="mnist").class_names
    said = remark_about(whole, names, 947)
    change_remarks(workspace, "mnist", lambda now: now.with_note(said, "a 9"))
    remarks = read_remarks(workspace, "mnist")
    for split in (whole, part):
        (found,) = Places.of(split, names).said(remarks).items()
        assert (found[0], found[1].note, found[1].true_class) == (947, "a 9", "8")


def test_an_own_tag_is_offered_after_the_others_and_stays_until_forgotten(
    workspace: Workspace, split: Split
) -> None:
    put(workspace, split, 0, "  cut \n off ")
    said = about(split, 0)
    change_remarks(workspace, "pets", lambda now: now.with_tag(said, "cut off", carried=False))
    put(workspace, split, 1, "blurred")
    assert read_remarks(workspace, "pets").tags == (*STANDARD, "cut off", "blurred")
    change_remarks(workspace, "pets", Remarks.without_unused)
    assert read_remarks(workspace, "pets").tags == (*STANDARD, "blurred")


@pytest.mark.parametrize("tag", ["", "   ", "one, two", "x" * 41, "a\x00b", ANY_TAG, UNTAGGED])
def test_a_tag_that_breaks_a_rule_is_refused_and_changes_nothing(
    workspace: Workspace, split: Split, tag: str
) -> None:
    with pytest.raises(InvalidRequest, match="a tag must"):
        put(workspace, split, 0, tag)
    assert not file_of(workspace, "pets").exists()


def test_too_many_tags_are_refused(split: Split) -> None:
    remarks = Remarks("pets").with_known([f"tag {n}" for n in range(MOST_TAGS - len(STANDARD))])
    with pytest.raises(InvalidRequest, match=f"{MOST_TAGS} tags at most, got {MOST_TAGS + 1}"):
        remarks.with_tag(about(split, 0), "one more", carried=True)


def test_a_note_is_kept_as_far_as_there_is_room(workspace: Workspace, split: Split) -> None:
    said = about(split, 0)
    change_remarks(workspace, "pets", lambda now: now.with_note(said, "é" * 3000))
    (remark,) = read_remarks(workspace, "pets").images.values()
    assert remark.note == "é" * NOTE_LENGTH


def test_people_can_read_the_file(workspace: Workspace, split: Split) -> None:
    put(workspace, split, 3, WRONG_LABEL)
    content = json.loads(file_of(workspace, "pets").read_text())
    assert content["dataset"] == "pets"
    assert content["tags"] == list(STANDARD)
    (image,) = content["images"]
    assert (image["index"], image["true_class"], image["tags"]) == (3, "dog", [WRONG_LABEL])


def test_two_who_tag_at_once_lose_nothing(workspace: Workspace) -> None:
    images = np.random.default_rng(0).integers(256, size=(40, 2, 2), dtype=np.uint8)
    many = Split(images, np.zeros(40, int), np.arange(40))

    def tag_every_second(start: int) -> None:
        for position in range(start, 40, 2):
            put(workspace, many, position, WRONG_LABEL)

    both = [threading.Thread(target=tag_every_second, args=(start,)) for start in (0, 1)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert tagged(workspace, many) == {WRONG_LABEL: list(range(40))}


@pytest.fixture(
    params=[b"", b"{", b"[]", b'{"dataset": "pets", "images": [{}]}', b"\xff\xfe", b"[" * 9999]
)
def damaged(request: pytest.FixtureRequest, workspace: Workspace) -> Path:
    """A file of tags that cannot be read."""
    file = file_of(workspace, "pets")
    file.parent.mkdir(parents=True)
    file.write_bytes(request.param)
    return file


def test_a_damaged_file_is_told_and_never_written_over(
    workspace: Workspace, split: Split, damaged: Path
) -> None:
    before = damaged.read_bytes()
    with pytest.raises(DamagedFile, match=r"pets\.json cannot be read"):
        put(workspace, split, 0, WRONG_LABEL)
    assert damaged.read_bytes() == before


def test_a_damaged_file_is_kept_aside_to_begin_anew(
    workspace: Workspace, split: Split, damaged: Path
) -> None:
    before = damaged.read_bytes()
    damaged.with_name("pets.damaged-1.json").write_text("an earlier one")
    aside = set_aside(workspace, "pets")
    assert aside == damaged.with_name("pets.damaged-2.json")
    assert aside.read_bytes() == before
    put(workspace, split, 0, WRONG_LABEL)
    assert tagged(workspace, split) == {WRONG_LABEL: [0]}


def test_a_file_that_can_be_read_is_not_set_aside(workspace: Workspace, split: Split) -> None:
    put(workspace, split, 0, WRONG_LABEL)
    assert set_aside(workspace, "pets") is None
    assert tagged(workspace, split) == {WRONG_LABEL: [0]}


def test_a_place_that_cannot_be_written_is_told(workspace: Workspace, split: Split) -> None:
    workspace.root.mkdir()
    workspace.tags.write_text("a file where the folder should be")
    with pytest.raises(WorkFailed, match=r"pets\.json cannot be written"):
        put(workspace, split, 0, WRONG_LABEL)


def test_ten_thousand_digits_are_hashed_into_places(mnist: dict[str, NDArray[np.uint8]]) -> None:
    names = DataConfig(name="mnist").class_names
    places = Places.of(load_test(DataConfig(name="mnist")), names)
    assert sum(map(len, places.images.values())) == 10_000
    assert len(places.keys) == len(places.images)
