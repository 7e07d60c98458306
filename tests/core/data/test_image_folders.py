import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.data_config import DataConfig
from core.data.dataset_files import Part
from core.data.datasets import Split, Splits, load_part, load_splits, load_test, load_tested, settle
from core.data.image_folders import ENDINGS, classes_of
from core.data.preprocessing import decode, for_network
from core.data.rows import Rows
from core.errors import DiskFull, InvalidConfig, NotComparable
from core.training.progress import Event, Note, Progress
from core.workspace import Workspace

Pixels = NDArray[np.uint8]
MakeFolder = Callable[..., Path]
SIDE = 16
SHADES = {"a cat": 40, "dog": 200}


def picture(shade: int, height: int = 20, width: int = 30) -> Pixels:
    """A colour picture that is red at the left, and as light as `shade` at the right."""
    pixels = np.full((height, width, 3), shade, np.uint8)
    pixels[:, : width // 2] = (220, 30, 30)
    return pixels


def write(path: Path, pixels: Pixels) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    in_order = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    path.write_bytes(cv2.imencode(path.suffix.lower(), in_order)[1].tobytes())
    return path


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """A function that makes an image folder with so many pictures of each class."""

    def make(name: str = "pictures", test: str = "test", train: int = 4, tested: int = 2) -> Path:
        folder = tmp_path / name
        for part, count in (("train", train), (test, tested)):
            for label, (animal, shade) in enumerate(SHADES.items()):
                for number in range(count):
                    path = folder / part / animal / f"img{number}.png"
                    write(path, picture(shade + number, width=30 + label))
        return folder

    return make


@pytest.fixture
def folder(make_folder: MakeFolder) -> Path:
    return make_folder()


@pytest.fixture
def load(workspace: Workspace) -> Callable[..., Split]:
    """A function that loads a part of a folder."""

    def load_(folder: Path, part: Part = "train", side: int = SIDE, **settings: object) -> Split:
        return load_part(config(folder, **settings), part, side=side, workspace=workspace)

    return load_


Load = Callable[..., Split]
NOWHERE = Workspace(Path("/nowhere"))
"""Settling a folder needs nothing of the workspace."""


def config(folder: Path, **settings: object) -> DataConfig:
    return DataConfig.model_validate({"name": "folder", "path": str(folder), **settings})


def test_pictures_come_by_class_then_by_name_in_the_size_of_the_network(
    folder: Path, load: Load
) -> None:
    train = load(folder)
    assert (train.images.shape, train.images.dtype) == ((8, SIDE, SIDE, 3), np.uint8)
    np.testing.assert_array_equal(train.labels, [0, 0, 0, 0, 1, 1, 1, 1])
    np.testing.assert_array_equal(train.indices, np.arange(8))
    wanted = [picture(40 + n, width=30) for n in range(4)]
    for got, whole in zip(train.images[:4], wanted, strict=True):
        np.testing.assert_array_equal(got, for_network(whole[None], SIDE, 3)[0])


def test_a_picture_is_what_the_network_is_fed_when_it_is_uploaded(folder: Path, load: Load) -> None:
    uploaded = decode((folder / "test" / "dog" / "img1.png").read_bytes())
    fed = for_network(uploaded[None], SIDE, 3)[0]
    np.testing.assert_array_equal(load(folder, "test").images[3], fed)


def test_numbers_in_names_count_as_numbers(folder: Path, load: Load) -> None:
    write(folder / "train" / "dog" / "img10.png", picture(250))
    write(folder / "train" / "dog" / "IMG2b.png", picture(0))
    right = load(folder).images[4:][:, 8, -1, 0]
    np.testing.assert_array_equal(right, [200, 201, 202, 0, 203, 250])


@pytest.mark.parametrize("ending", [*ENDINGS, ".JPG", ".Png", ".TIFF"])
def test_every_format_is_read_whatever_the_case_of_its_ending(
    folder: Path, load: Load, ending: str
) -> None:
    write(folder / "test" / "a cat" / f"another one{ending}", picture(40))
    test = load(folder, "test")
    assert len(test) == 5
    np.testing.assert_allclose(test.images[0][2:-2, -2], 40, atol=25)
    np.testing.assert_allclose(test.images[0][2:-2, 2], [[220, 30, 30]] * (SIDE - 4), atol=25)


def test_grey_pictures_become_colour_ones(folder: Path, load: Load) -> None:
    write(folder / "train" / "dog" / "grey.png", np.full((9, 9), 77, np.uint8))
    assert (load(folder).images[4] == 77).all()


def test_hidden_files_and_those_of_other_kinds_are_left_alone(folder: Path, load: Load) -> None:
    before = load(folder).fingerprint()
    for name in ("._img0.png", ".DS_Store", "Thumbs.db", "notes.txt", "png"):
        (folder / "train" / "dog" / name).write_bytes(b"nothing of the kind")
    (folder / "train" / ".ipynb_checkpoints").mkdir()
    (folder / "train" / "dog" / "folder.png").mkdir()
    (folder / "train" / "list.csv").write_text("img0.png,dog")
    assert classes_of(folder) == ("a cat", "dog")
    assert load(folder).fingerprint() == before


def test_pictures_stay_on_disk(folder: Path, load: Load) -> None:
    assert isinstance(load(folder).images, Rows)


def test_a_second_load_decodes_nothing_and_writes_nothing(
    folder: Path, workspace: Workspace
) -> None:
    seen: list[Event] = []
    files = []
    for _ in range(2):
        load_splits(config(folder), 0, side=SIDE, workspace=workspace, report=seen.append)
        files.append(sorted(path.stat().st_ino for path in workspace.pictures.rglob("*.npy")))
    assert seen == [
        Progress("decoding train pictures", 8, 8, "pictures"),
        Progress("decoding test pictures", 4, 4, "pictures"),
    ]
    assert files[0] == files[1]


def test_a_file_written_anew_in_the_same_second_is_noticed(folder: Path, load: Load) -> None:
    before = load(folder)
    path = folder / "train" / "dog" / "img0.png"
    status = path.stat()
    write(path, picture(120, width=31))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = load(folder)
    assert after.fingerprint() != before.fingerprint()
    assert after.images[4][8, -1, 0] == 120


def test_whoever_breaks_decoding_off_leaves_nothing_half_done(
    folder: Path, workspace: Workspace
) -> None:
    def stop(event: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_splits(config(folder), 0, side=SIDE, workspace=workspace, report=stop)
    assert list(workspace.pictures.iterdir()) == []


def test_a_disk_without_room_is_told_with_the_way_out(
    folder: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match="train pictures, resized to 16x16, could not be written"):
        load(folder)


def test_the_fingerprint_is_that_of_the_files_and_their_labels(folder: Path, load: Load) -> None:
    test = load(folder, "test")
    files = sorted((folder / "test").rglob("*.png"))
    digests = b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)
    labels = np.array([0, 0, 1, 1], np.int64).tobytes()
    assert test.fingerprint() == hashlib.sha256(b"files" + digests + labels).hexdigest()


def test_networks_of_different_sides_share_the_fingerprint(folder: Path, load: Load) -> None:
    prints = {load(folder, "test", side).fingerprint() for side in (8, 16, 48)}
    assert len(prints) == 1


def test_a_copy_of_the_folder_has_the_same_fingerprint(
    folder: Path, load: Load, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    assert load(tmp_path / "copy").fingerprint() == load(folder).fingerprint()


def test_one_byte_one_label_or_one_picture_changes_the_fingerprint(
    make_folder: MakeFolder, load: Load
) -> None:
    plain, byte, label, fewer = (make_folder(name) for name in ("plain", "byte", "label", "fewer"))
    with (byte / "test" / "dog" / "img0.png").open("ab") as file:
        file.write(b"!")  # after the picture's end, where no decoder looks
    (label / "test" / "dog" / "img0.png").rename(label / "test" / "a cat" / "img2.png")
    (fewer / "test" / "dog" / "img0.png").unlink()
    tests = [load(each, "test") for each in (plain, byte, label, fewer)]
    np.testing.assert_array_equal(tests[0].images, tests[1].images)
    assert len({test.fingerprint() for test in tests}) == 4


def test_a_file_that_cannot_be_read_is_left_out_and_named(
    folder: Path, workspace: Workspace
) -> None:
    for number in range(4):
        (folder / "train" / "a cat" / f"broken {number}.jpg").write_bytes(b"no picture")
    whole = folder / "test" / "dog" / "img0.png"
    cut = write(folder / "test" / "dog" / "cut short.png", picture(3, 300, 300))
    cut.write_bytes(cut.read_bytes()[:200])
    (folder / "test" / "dog" / "empty.gif").write_bytes(b"")
    for _ in range(2):  # decoded, then from the cache
        seen: list[Event] = []
        splits = load_splits(config(folder), 0, side=SIDE, workspace=workspace, report=seen.append)
        notes = [event.text for event in seen if isinstance(event, Note)]
        assert notes[0].startswith(
            "4 of 12 train pictures cannot be read and are left out: a cat/broken 0.jpg (the file "
            "is not an image that can be read"
        )
        assert notes[0].endswith(" and 1 more")
        assert notes[1].startswith("2 of 6 test pictures")
        assert (len(splits.train), len(splits.test)) == (8, 4)
        np.testing.assert_array_equal(splits.train.labels, [0, 0, 0, 0, 1, 1, 1, 1])
        position = int(np.flatnonzero(splits.test.labels == 1)[0])
        expected = for_network(decode(whole.read_bytes())[None], SIDE, 3)[0]
        np.testing.assert_array_equal(splits.test.images[position], expected)


def test_what_cannot_be_read_does_not_change_the_fingerprint(folder: Path, load: Load) -> None:
    before = load(folder).fingerprint()
    (folder / "train" / "a cat" / "broken.jpg").write_bytes(b"no picture")
    assert load(folder).fingerprint() == before


def spoil(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"no picture")


def test_a_folder_of_which_nothing_can_be_read_is_refused(folder: Path, load: Load) -> None:
    for name in SHADES:
        spoil(folder / "test" / name)
    with pytest.raises(InvalidConfig, match=r"pictures that can be read, got none in .*img0.png: "):
        load(folder, "test")


def test_a_class_of_which_nothing_can_be_read_is_refused(folder: Path, load: Load) -> None:
    spoil(folder / "train" / "dog")
    with pytest.raises(InvalidConfig, match=r"got none that can be read in .*/train/dog: img0"):
        load(folder)


def splits_of(folder: Path, workspace: Workspace, seed: int = 0, **settings: object) -> Splits:
    return load_splits(config(folder, **settings), seed, side=SIDE, workspace=workspace)


def test_a_validation_fraction_holds_the_same_share_of_every_class_back(
    make_folder: MakeFolder, workspace: Workspace
) -> None:
    splits = splits_of(make_folder(train=20), workspace, seed=1, validation=0.25)
    np.testing.assert_array_equal(np.bincount(splits.validation.labels), [5, 5])
    parts = [splits.train.indices, splits.validation.indices]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(40))


def test_what_is_held_back_stays_on_disk_and_reads_like_an_array(
    make_folder: MakeFolder, workspace: Workspace
) -> None:
    folder = make_folder(train=20)
    whole = splits_of(folder, workspace).train
    train = splits_of(folder, workspace, validation=0.25).train
    wanted = np.asarray(whole.images)[train.indices]
    assert not isinstance(train.images, np.ndarray)
    assert (train.images.shape, train.images.dtype, train.images.ndim) == (
        wanted.shape,
        wanted.dtype,
        4,
    )
    np.testing.assert_array_equal(train.images, wanted)
    np.testing.assert_array_equal(train.images[3], wanted[3])
    np.testing.assert_array_equal(train.images[5:9], wanted[5:9])
    np.testing.assert_array_equal(train.images[np.array([7, 2, 2])], wanted[[7, 2, 2]])
    np.testing.assert_array_equal(train.take(np.array([4, 1])).images, wanted[[4, 1]])
    for channels in (1, 3):
        np.testing.assert_array_equal(
            for_network(train.images, 8, channels), for_network(wanted, 8, channels)
        )


def test_a_number_of_images_takes_the_first_of_each_class_in_turn(
    make_folder: MakeFolder, workspace: Workspace
) -> None:
    splits = splits_of(make_folder(train=9, tested=9), workspace, train_images=11, test_images=10)
    np.testing.assert_array_equal(splits.train.indices, [0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13])
    np.testing.assert_array_equal(np.bincount(splits.test.labels), [5, 5])


def test_the_validation_folder_may_be_called_so(make_folder: MakeFolder, load: Load) -> None:
    assert len(load(make_folder(test="validation"), "test")) == 4


def test_a_class_may_lack_test_pictures(folder: Path, load: Load) -> None:
    shutil.rmtree(folder / "test" / "dog")
    np.testing.assert_array_equal(load(folder, "test").labels, [0, 0])


def test_classes_can_be_chosen_and_put_in_order(folder: Path, load: Load) -> None:
    for part in ("train", "test"):
        write(folder / part / "bird" / "one.png", picture(100))
    data = config(folder, classes=("dog", "bird"))
    assert settle(data, NOWHERE).classes == ("dog", "bird")
    train = load(folder, classes=("dog", "bird"))
    np.testing.assert_array_equal(train.labels, [0, 0, 0, 0, 1])
    assert train.images[4][8, -1, 0] == 100


def test_settling_fills_in_path_and_classes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    settled = settle(config(Path("pictures"), train_images=12), NOWHERE)
    assert settled == config(folder, classes=("a cat", "dog"), train_images=12)
    assert settle(settled, NOWHERE) == settled


def test_a_tilde_is_the_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    assert settle(config(Path("~/pictures")), NOWHERE).path == str(folder)


def refused(data: DataConfig) -> str:
    with pytest.raises(InvalidConfig) as caught:
        settle(data, NOWHERE)
    return str(caught.value)


def test_a_folder_must_be_named() -> None:
    assert refused(DataConfig(name="folder")).endswith("got nothing; set data.path")


@pytest.mark.parametrize("path", ["/nowhere/at all", "/dev/null", "\0", "~nobody/pictures"])
def test_a_path_that_is_no_folder_is_refused(path: str) -> None:
    assert refused(config(Path(path))).endswith("which is no folder")


def test_classes_without_train_and_test_are_told_what_to_do(folder: Path) -> None:
    assert "holds a cat, dog but no train; make folders train" in refused(config(folder / "train"))


def test_a_missing_part_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert refused(config(tmp_path / "empty")).endswith("which holds no train")
    shutil.rmtree(folder / "test")
    assert refused(config(folder)).endswith("which holds no test")


def test_one_class_is_too_few(folder: Path) -> None:
    for part in ("train", "test"):
        shutil.rmtree(folder / part / "dog")
    assert "fewer than two classes in train" in refused(config(folder))


def test_an_empty_class_is_refused(folder: Path) -> None:
    (folder / "train" / "bird").mkdir()
    (folder / "train" / "bird" / "notes.txt").write_text("no picture")
    assert f"got none in {folder / 'train' / 'bird'}; add some, or" in refused(config(folder))


def test_a_test_class_that_cannot_be_learned_is_refused(folder: Path) -> None:
    write(folder / "test" / "bird" / "one.png", picture(1))
    assert "got bird besides" in refused(config(folder))


def test_a_test_folder_without_pictures_is_refused(folder: Path) -> None:
    for name in SHADES:
        shutil.rmtree(folder / "test" / name)
    assert "must hold pictures of a cat, dog, got none" in refused(config(folder))


@pytest.mark.parametrize("classes", [("dog", "bird"), ("dog", "dog"), ("dog", "../test/dog")])
def test_classes_that_are_not_there_are_refused(folder: Path, classes: tuple[str, ...]) -> None:
    data = config(folder, classes=classes)
    assert "must name folders in" in refused(data)
    with pytest.raises(InvalidConfig, match="must name folders in"):
        load_part(data, "train", side=SIDE, workspace=Workspace(folder.parent))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is closed to this user")
def test_a_folder_that_may_not_be_opened_is_refused(folder: Path) -> None:
    (folder / "train").chmod(0)
    assert "must hold folders that can be read" in refused(config(folder))


def test_a_folder_that_changed_since_is_noticed(folder: Path, workspace: Workspace) -> None:
    data = config(folder, test_images=10)
    tested = load_test(data, side=SIDE, workspace=workspace).fingerprint()
    assert len(load_tested(data, tested, side=48, workspace=workspace)) == 4
    (folder / "test" / "dog" / "img0.png").unlink()
    with pytest.raises(NotComparable, match="have changed since the networks were tested"):
        load_tested(data, tested, side=48, workspace=workspace)
