import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import InvalidRequest, UnreadableUpload, WorkFailed
from core.handwriting import handwriting as store
from core.handwriting.handwriting import DamagedSample, Handwriting, Sample
from core.handwriting.handwriting_exchange import Imported, export_zip, import_zip
from core.workspace import PROJECT, Workspace

Mnist = dict[str, NDArray[np.uint8]]
Keep = Callable[..., Sample]
STROKES = {"objects": [{"type": "path", "path": [["M", 1, 2]]}]}


@pytest.fixture
def handwriting(workspace: Workspace) -> Handwriting:
    return Handwriting(workspace)


@pytest.fixture
def keep(handwriting: Handwriting) -> Keep:
    """A function that keeps a digit that is all of one grey, with a drawing of it."""

    def one(label: int = 4, grey: int = 100, **about: Any) -> Sample:
        picture = np.full((280, 280), grey, np.uint8)
        digit = np.full((28, 28), grey, np.uint8)
        return handwriting.save(digit, label, picture=picture, **about)

    return one


def folder_of(workspace: Workspace, sample: Sample) -> Path:
    return workspace.handwriting / "samples" / sample.id


def test_without_samples_there_is_nothing_and_nothing_is_made(
    handwriting: Handwriting, workspace: Workspace
) -> None:
    samples = handwriting.read()
    assert (len(samples), samples.digits.shape, samples.damaged) == (0, (0, 28, 28), ())
    assert not workspace.root.exists()


def test_what_was_kept_is_read_again_in_the_order_of_time(
    handwriting: Handwriting, mnist: Mnist
) -> None:
    picture = np.zeros((280, 280, 3), np.uint8)
    picture[..., 0] = 200
    first = handwriting.save(
        mnist["x_test"][0], 7, picture=picture, strokes=STROKES, note=" crossed\n"
    )
    second = handwriting.save(mnist["x_test"][1], 2, picture=picture, source="camera")
    samples = Handwriting(handwriting._workspace).read()
    assert samples.samples == (first, second)
    assert (first.label, first.note, first.source) == (7, "crossed", "drawn")
    assert second.source == "camera"
    np.testing.assert_array_equal(samples.digits, mnist["x_test"][:2])
    np.testing.assert_array_equal(samples.labels, [7, 2])
    assert handwriting.strokes(first.id) == STROKES
    assert handwriting.strokes(second.id) is None
    drawn = cv2.imdecode(
        np.frombuffer(handwriting.picture(first.id), np.uint8), cv2.IMREAD_COLOR_RGB
    )
    assert drawn is not None
    np.testing.assert_array_equal(drawn, picture)


def test_a_digit_that_is_kept_is_found_by_its_pixels(handwriting: Handwriting, keep: Keep) -> None:
    keep(1, 10)
    second = keep(2, 20)
    assert handwriting.read().same(np.full((28, 28), 20, np.uint8)) == second
    assert handwriting.read().same(np.full((28, 28), 21, np.uint8)) is None
    assert handwriting.sample(second.id) == second
    assert handwriting.count() == 2


def test_a_large_photograph_is_kept_smaller(handwriting: Handwriting) -> None:
    photograph = np.zeros((2000, 4000), np.uint8)
    sample = handwriting.save(np.ones((28, 28), np.uint8), 1, picture=photograph)
    kept = cv2.imdecode(np.frombuffer(handwriting.picture(sample.id), np.uint8), 0)
    assert kept is not None
    assert kept.shape == (512, 1024)


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ({"label": 10}, "a sample's label must be at most 9, got 10"),
        ({"note": "x" * 2001}, "note must have at most 2000 characters"),
        ({"strokes": ["x" * 3_000_000]}, "at most 2 MiB"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_leaves_nothing(
    handwriting: Handwriting, keep: Keep, about: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        keep(**about)
    assert len(handwriting.read()) == 0


def test_there_is_a_limit_of_samples(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_SAMPLES", 1)
    keep()
    with pytest.raises(InvalidRequest, match="1 samples at most"):
        keep()


def test_a_workspace_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WorkFailed, match="cannot be written"):
        Handwriting(Workspace(tmp_path / "file")).save(
            np.ones((28, 28), np.uint8), 1, picture=np.ones((9, 9), np.uint8)
        )


def test_a_file_in_the_place_of_the_samples_is_told_to_who_saves(
    handwriting: Handwriting, keep: Keep, workspace: Workspace
) -> None:
    workspace.root.mkdir()
    workspace.handwriting.write_text("in the way")
    assert len(handwriting.read()) == 0
    with pytest.raises(WorkFailed, match="cannot be written"):
        keep()


def test_the_fingerprint_follows_digits_and_labels_but_not_notes(
    handwriting: Handwriting, keep: Keep
) -> None:
    seen = [handwriting.read().fingerprint]
    sample = keep(4)
    for change in (
        lambda: None,
        lambda: handwriting.relabel(sample.id, 9),
        lambda: keep(4, 101),
        lambda: handwriting.delete([sample.id]),
    ):
        change()
        seen.append(handwriting.read().fingerprint)
    assert len(set(seen)) == 5
    handwriting.restore([sample.id])
    assert handwriting.read().fingerprint == seen[3]
    handwriting.annotate(sample.id, "hm")
    assert handwriting.read().fingerprint == seen[3]


def test_a_sample_is_relabelled_and_noted(handwriting: Handwriting, keep: Keep) -> None:
    sample = keep(4, note="was")
    handwriting.relabel(sample.id, 9)
    handwriting.annotate(sample.id, " is ")
    (changed,) = handwriting.read().samples
    assert changed == sample.model_copy(update={"label": 9, "note": "is"})
    with pytest.raises(InvalidRequest, match="label must be at least 0, got -1"):
        handwriting.relabel(sample.id, -1)


@pytest.mark.parametrize("sample_id", ["", "..", "../../runs", "20260101-000000-000000-00000000"])
def test_a_sample_that_is_not_there_is_refused(handwriting: Handwriting, sample_id: str) -> None:
    with pytest.raises(InvalidRequest, match="is not there"):
        handwriting.relabel(sample_id, 1)
    with pytest.raises(InvalidRequest, match="is not there"):
        handwriting.picture(sample_id)
    assert handwriting.delete([sample_id]) == handwriting.restore([sample_id]) == 0


def test_what_is_deleted_can_be_taken_back_until_the_trash_is_emptied(
    handwriting: Handwriting, keep: Keep
) -> None:
    a, b, c = keep(1), keep(2), keep(3)
    assert handwriting.delete([a.id, c.id]) == 2
    assert handwriting.read().samples == (b,)
    assert handwriting.deleted().samples == (a, c)
    assert handwriting.restore([a.id]) == 1
    assert handwriting.read().samples == (a, b)
    assert handwriting.empty_trash() == 1
    assert len(handwriting.deleted()) == 0
    assert handwriting.restore([c.id]) == 0


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (store.SAMPLE, b"{", "sample.json cannot be read"),
        (store.SAMPLE, b'{"label": 4}', "sample.json cannot be read"),
        (store.SAMPLE, None, "sample.json is missing"),
        (store.DIGIT, b"x", "digit.png cannot be read: the file is not an image"),
        (store.DIGIT, None, "digit.png is missing"),
        (store.DIGIT, cv2.imencode(".png", np.ones((9, 9), np.uint8))[1].tobytes(), "28x28"),
    ],
)
def test_a_damaged_sample_is_named_and_hides_no_other(
    handwriting: Handwriting,
    workspace: Workspace,
    keep: Keep,
    name: str,
    content: bytes | None,
    reason: str,
) -> None:
    whole, damaged = keep(1), keep(2)
    file = folder_of(workspace, damaged) / name
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    samples = handwriting.read()
    assert samples.samples == (whole,)
    (told,) = samples.damaged
    assert isinstance(told, DamagedSample)
    assert told.id == damaged.id
    assert reason in told.reason
    assert handwriting.delete([damaged.id]) == 1
    assert handwriting.read().damaged == ()


def test_what_a_process_left_half_written_is_no_sample_and_goes_in_time(
    handwriting: Handwriting, workspace: Workspace, keep: Keep
) -> None:
    sample = keep()
    left = workspace.handwriting / "samples" / f".new-{sample.id}"
    shutil.copytree(folder_of(workspace, sample), left)
    assert len(handwriting.read()) == 1
    keep()
    assert left.exists()
    os.utime(left, (0, 0))
    keep()
    assert not left.exists()


def test_several_processes_at_once_lose_nothing(
    handwriting: Handwriting, workspace: Workspace
) -> None:
    script = (
        "import sys, numpy as np; from pathlib import Path\n"
        "from core.handwriting.handwriting import Handwriting\n"
        "from core.workspace import Workspace\n"
        "handwriting = Handwriting(Workspace(Path(sys.argv[1])))\n"
        "digit = np.ones((28, 28), np.uint8)\n"
        "for number in range(10):\n"
        "    one = handwriting.save(digit, int(sys.argv[2]), picture=digit)\n"
        "    handwriting.annotate(one.id, str(number))\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(workspace.root), str(label)], cwd=PROJECT
        )
        for label in range(3)
    ]
    assert [process.wait() for process in processes] == [0, 0, 0]
    samples = handwriting.read()
    assert samples.damaged == ()
    found = sorted((sample.label, int(sample.note)) for sample in samples.samples)
    assert found == [(label, number) for label in range(3) for number in range(10)]


def exported(handwriting: Handwriting) -> io.BytesIO:
    file = io.BytesIO()
    export_zip(handwriting, handwriting.read(), file)
    return file


def test_a_zip_holds_each_drawing_in_the_folder_of_its_class(
    handwriting: Handwriting, keep: Keep
) -> None:
    a, b = keep(4), keep(0, strokes=STROKES)
    with zipfile.ZipFile(exported(handwriting)) as archive:
        assert set(archive.namelist()) == {f"4/{a.id}.png", f"0/{b.id}.png", "samples.json"}
        assert archive.read(f"4/{a.id}.png") == handwriting.picture(a.id)
        listed = json.loads(archive.read("samples.json"))["samples"]
    assert [each["sample"]["label"] for each in listed] == [4, 0]


def test_what_was_exported_comes_in_elsewhere_and_only_once(
    handwriting: Handwriting, keep: Keep, tmp_path: Path, mnist: Mnist
) -> None:
    keep(4, strokes=STROKES, note="four", source="uploaded")
    handwriting.save(mnist["x_test"][0], 7, picture=mnist["x_test"][0])
    file, other = exported(handwriting), Handwriting(Workspace(tmp_path / "other"))
    assert import_zip(other, file) == Imported(added=2)
    ours, theirs = handwriting.read(), other.read()
    assert theirs.samples == ours.samples
    assert theirs.fingerprint == ours.fingerprint
    for sample in ours.samples:
        assert other.picture(sample.id) == handwriting.picture(sample.id)
        assert other.strokes(sample.id) == handwriting.strokes(sample.id)
    assert import_zip(other, file) == Imported(already=2)


def test_what_is_here_stays_as_it_is_when_a_zip_says_otherwise(
    handwriting: Handwriting, keep: Keep
) -> None:
    sample = keep(4)
    file = exported(handwriting)
    handwriting.relabel(sample.id, 9)
    assert import_zip(handwriting, file) == Imported(differing=(sample.id,))
    assert handwriting.read().samples[0].label == 9


def changed(file: io.BytesIO, change: Callable[[dict[str, bytes]], None]) -> io.BytesIO:
    """The same ZIP with other entries."""
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    again = io.BytesIO()
    with zipfile.ZipFile(again, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return again


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("digit", "AAAA", "not an image"),
        ("digit", "?", "no PNG in base64"),
        ("file", "0/none.png", "its picture is not in the ZIP"),
        ("file", "samples.json", "its picture is no PNG"),
        ("sample", 5, "sample"),
        ("more", 5, "there is no setting 'more'"),
    ],
)
def test_a_damaged_sample_of_a_zip_is_named_and_the_others_come_in(
    handwriting: Handwriting, keep: Keep, tmp_path: Path, key: str, value: Any, sentence: str
) -> None:
    keep(4), keep(5)

    def damage(entries: dict[str, bytes]) -> None:
        listed = json.loads(entries["samples.json"])
        listed["samples"][0][key] = value
        entries["samples.json"] = json.dumps(listed).encode()

    other = Handwriting(Workspace(tmp_path / "other"))
    imported = import_zip(other, changed(exported(handwriting), damage))
    assert imported.added == 1
    assert [sample.label for sample in other.read().samples] == [5]
    ((_, told),) = imported.refused
    assert sentence in told


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"samples": 1}', b"[" * 100_000, b'{"samples": "x"}'],
)
def test_a_list_that_is_none_is_refused(handwriting: Handwriting, content: bytes) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("samples.json", content)
    with pytest.raises(UnreadableUpload, match=r"samples.json in the ZIP is damaged"):
        import_zip(handwriting, file)


def test_a_zip_from_elsewhere_is_refused(handwriting: Handwriting) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("4/1.png", b"x")
    with pytest.raises(UnreadableUpload, match="one that was exported here"):
        import_zip(handwriting, file)


def test_an_id_of_a_zip_never_becomes_a_path_unchecked(
    handwriting: Handwriting, keep: Keep, workspace: Workspace
) -> None:
    keep(4)

    def damage(entries: dict[str, bytes]) -> None:
        listed = json.loads(entries["samples.json"])
        listed["samples"][0]["sample"]["id"] = "../../20260101-000000-000000-00000000"
        entries["samples.json"] = json.dumps(listed).encode()

    imported = import_zip(handwriting, changed(exported(handwriting), damage))
    assert (imported.added, len(imported.refused)) == (0, 1)
    assert sorted(path.name for path in workspace.root.iterdir()) == ["handwriting", "locks"]
