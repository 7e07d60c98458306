"""Imported datasets as runs use them."""

import shutil
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.data_config import DataConfig
from core.data.datasets import Splits, load_part, load_splits, load_test, load_tested, settle
from core.data.preprocessing import for_network
from core.data.rows import Rows
from core.errors import DamagedFile, DatasetUnavailable, InvalidConfig, NotComparable
from core.imported.dataset import ImportedDataset
from core.imported.library import Library
from core.jobs import Cancelled
from core.training.progress import Event, Progress
from core.workspace import Workspace

ImportPictures = Callable[..., ImportedDataset]
SIDE = 8


def data_of(name: str = "shades", **settings: object) -> DataConfig:
    return DataConfig.model_validate({"name": name, **settings})


def splits_of(workspace: Workspace, seed: int = 0, **settings: object) -> Splits:
    return load_splits(data_of(**settings), seed, side=SIDE, workspace=workspace)


def pictures_of(dataset: ImportedDataset, part: str) -> list[NDArray[np.uint8]]:
    return [dataset.picture(int(place)) for place in dataset.positions(part)]


# --- what is read -----------------------------------------------------------------------------


@pytest.mark.parametrize("grey", [False, True], ids=["colour", "grey"])
def test_pictures_that_are_all_alike_come_as_they_are_and_unread(
    import_pictures: ImportPictures, workspace: Workspace, grey: bool
) -> None:
    dataset = import_pictures(alike=True, grey=grey)
    train = splits_of(workspace).train
    assert isinstance(train.images, Rows)
    np.testing.assert_array_equal(train.images, np.stack(pictures_of(dataset, "train")))
    np.testing.assert_array_equal(train.labels, np.repeat([0, 1], 10))
    assert not workspace.pictures.exists()


def test_files_come_in_the_size_of_the_network(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    dataset = import_pictures()
    test = splits_of(workspace).test
    expected = [for_network(each[None], SIDE, 3)[0] for each in pictures_of(dataset, "test")]
    np.testing.assert_array_equal(test.images, np.stack(expected))
    np.testing.assert_array_equal(test.labels, np.repeat([0, 1], 6))


def test_files_are_decoded_once(import_pictures: ImportPictures, workspace: Workspace) -> None:
    seen: list[Event] = []
    import_pictures()
    for _ in range(2):
        load_test(data_of(), side=SIDE, workspace=workspace, report=seen.append)
    assert seen == [Progress("decoding test pictures", 12, 12, "pictures")]


@pytest.mark.parametrize("alike", [False, True])
def test_an_image_is_known_by_its_digest(
    import_pictures: ImportPictures, workspace: Workspace, alike: bool
) -> None:
    dataset = import_pictures(alike=alike)
    test = splits_of(workspace).test
    np.testing.assert_array_equal(test.digests, dataset.digests[dataset.positions("test")])


def test_the_fingerprint_is_the_same_in_every_size(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    import_pictures()
    prints = {
        load_test(data_of(), side=side, workspace=workspace).fingerprint() for side in (8, 16)
    }
    assert len(prints) == 1


# --- which images -----------------------------------------------------------------------------


def test_a_number_of_images_takes_the_first_of_each_class_where_they_stand_by_class(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    import_pictures()
    splits = splits_of(workspace, train_images=11, test_images=10)
    np.testing.assert_array_equal(splits.train.indices, [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14])
    np.testing.assert_array_equal(np.bincount(splits.test.labels), [5, 5])


def test_else_a_number_of_images_takes_the_first_ones(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    import_pictures(alike=True, by_class=False)
    splits = splits_of(workspace, train_images=11)
    np.testing.assert_array_equal(splits.train.indices, np.arange(11))


def test_no_more_files_are_decoded_than_are_wanted(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    seen: list[Event] = []
    import_pictures()
    data = data_of(train_images=12)
    load_splits(data, 0, side=SIDE, workspace=workspace, report=seen.append)
    assert Progress("decoding train pictures", 12, 12, "pictures") in seen


def test_a_dataset_can_bring_its_own_images_to_validate_with(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    dataset = import_pictures(counts={"train": 10, "validation": 3, "test": 6})
    splits = splits_of(workspace, validation="own")
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (20, 6, 12)
    known = dataset.digests[dataset.positions("validation")]
    np.testing.assert_array_equal(splits.validation.digests, known)


def test_a_share_of_every_class_can_be_held_back_by_a_seed(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    import_pictures()
    splits, again, other = (splits_of(workspace, seed, validation=0.2) for seed in (1, 1, 2))
    np.testing.assert_array_equal(np.bincount(splits.validation.labels), [2, 2])
    both = np.concatenate([splits.train.indices, splits.validation.indices])
    np.testing.assert_array_equal(np.sort(both), np.arange(20))
    np.testing.assert_array_equal(splits.validation.indices, again.validation.indices)
    assert not np.array_equal(splits.validation.indices, other.validation.indices)


def test_where_every_class_has_one_image_none_can_be_held_back(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    import_pictures(counts={"train": 1, "test": 6})
    with pytest.raises(InvalidConfig, match="no class has two images to learn from"):
        splits_of(workspace, validation=0.2)


# --- settling ---------------------------------------------------------------------------------


def test_settling_fills_in_what_is_known_of_the_dataset(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    about = import_pictures(digits=True).about
    settled = settle(data_of(train_images=12), workspace)
    assert settled == data_of(
        train_images=12, classes=("dark", "light"), digits=True, fingerprint=about.fingerprint
    )
    assert settle(settled, workspace) == settled


def refused(workspace: Workspace, name: str = "shades", **settings: object) -> str:
    with pytest.raises(InvalidConfig) as caught:
        settle(data_of(name, **settings), workspace)
    return str(caught.value)


def test_a_dataset_that_is_not_there_is_refused_with_those_that_are(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    import_pictures("pets")
    assert "(mnist, fashion_mnist, " in refused(workspace, "birds")
    assert refused(workspace, "birds").endswith('pets), got "birds"; import it first')
    assert refused(workspace, "pet").endswith('got "pet"; did you mean pets?')
    assert refused(workspace, "mnits").endswith('got "mnits"; did you mean mnist?')


@pytest.mark.parametrize(("missing", "other"), [("train", "test"), ("test", "train")])
def test_a_dataset_that_lacks_a_part_is_refused(
    import_pictures: ImportPictures, workspace: Workspace, missing: str, other: str
) -> None:
    import_pictures(counts={other: 5})
    assert f"has none in its {missing} part; import it anew" in refused(workspace)


def test_one_class_is_nothing_to_tell_apart(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    import_pictures(class_names=("dark",))
    assert "with two classes at least" in refused(workspace)


def test_own_images_to_validate_with_must_be_there(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    import_pictures()
    assert "no validation part of its own" in refused(workspace, validation="own")
    assert "only an imported dataset" in refused(workspace, "mnist", validation="own")


def test_handwriting_goes_with_the_ten_digits_only(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    import_pictures(alike=True, grey=True, size=28, digits=True)
    assert "is of the ten digits" in refused(workspace, digits=True, handwriting=True)
    ten = tuple("0123456789")
    import_pictures("mine", alike=True, grey=True, size=28, digits=True, class_names=ten)
    data = data_of("mine", digits=True, handwriting=True)
    assert settle(data, workspace).handwriting


def test_another_state_of_a_dataset_is_refused(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    import_pictures()
    assert "which holds other images now" in refused(workspace, fingerprint="0" * 64)


# --- what became of a dataset since -----------------------------------------------------------


def test_a_run_goes_on_with_the_images_it_was_launched_with_or_not_at_all(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    import_pictures()
    data = settle(data_of(), workspace)
    Library(workspace).delete("shades")
    with pytest.raises(DatasetUnavailable, match="no longer in this workspace; import it again"):
        load_splits(data, 0, side=SIDE, workspace=workspace)
    import_pictures(seed=1)
    with pytest.raises(DatasetUnavailable, match="holds other images now than when"):
        load_splits(data, 0, side=SIDE, workspace=workspace)
    Library(workspace).delete("shades")
    import_pictures()
    assert len(load_splits(data, 0, side=SIDE, workspace=workspace).train) == 20


def test_other_names_for_its_classes_leave_a_run_alone(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    dataset = import_pictures()
    data = settle(data_of(), workspace)
    dataset.rename_classes(("night", "day"))
    assert settle(data_of(), workspace).classes == ("night", "day")
    assert data.class_names == ("dark", "light")
    assert len(load_splits(data, 0, side=SIDE, workspace=workspace).train) == 20


def test_reading_that_is_cancelled_leaves_nothing_and_can_be_done_again(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    import_pictures()
    data = settle(data_of(), workspace)
    fingerprint = load_test(data, side=SIDE, workspace=workspace).fingerprint()

    def cancel(event: Event) -> None:
        raise Cancelled

    before = sorted(workspace.pictures.iterdir())
    with pytest.raises(Cancelled):
        load_tested(data, fingerprint, side=16, workspace=workspace, report=cancel)
    assert sorted(workspace.pictures.iterdir()) == before
    assert len(load_tested(data, fingerprint, side=16, workspace=workspace)) == 12


@pytest.mark.parametrize("alike", [False, True])
def test_what_a_run_was_tested_on_is_refused_once_it_changed(
    import_pictures: ImportPictures, workspace: Workspace, alike: bool
) -> None:
    import_pictures(alike=alike)
    data = settle(data_of(), workspace)
    tested = load_test(data, side=SIDE, workspace=workspace).fingerprint()
    assert len(load_tested(data, tested, side=16, workspace=workspace)) == 12
    Library(workspace).delete("shades")
    with pytest.raises(NotComparable, match="no longer in this workspace"):
        load_tested(data, tested, side=SIDE, workspace=workspace)
    import_pictures(alike=alike, seed=1)
    with pytest.raises(NotComparable, match="images of the dataset 'shades' have changed since"):
        load_tested(data, tested, side=SIDE, workspace=workspace)


def test_a_dataset_that_lost_its_test_images_is_told(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    import_pictures(counts={"train": 5})
    with pytest.raises(NotComparable, match="no images in its test part"):
        load_tested(data_of(), "0" * 64, side=SIDE, workspace=workspace)


def test_a_damaged_dataset_is_told_and_nothing_of_it_kept(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    dataset = import_pictures()
    files = dataset.folder / "files.bin"
    content = files.read_bytes()
    files.write_bytes(content[:100] + b"another byte" + content[112:])
    with pytest.raises(DamagedFile, match="'shades' is damaged: 1 of 20 train pictures"):
        load_part(data_of(), "train", side=SIDE, workspace=workspace)
    files.write_bytes(content)
    assert len(load_part(data_of(), "train", side=SIDE, workspace=workspace)) == 20


def test_a_dataset_that_cannot_be_read_is_told(
    import_pictures: ImportPictures, workspace: Workspace
) -> None:
    dataset = import_pictures()
    shutil.rmtree(dataset.folder)
    dataset.folder.mkdir()
    for read in (
        lambda: settle(data_of(), workspace),
        lambda: load_part(data_of(), "train", side=SIDE, workspace=workspace),
    ):
        with pytest.raises(DamagedFile, match="'shades' is damaged"):
            read()
