"""Taking an imported dataset out of the workspace: as lists of its files, or as pictures."""

import io
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import cv2

from core.data.preprocessing import Pixels
from core.errors import InvalidRequest, WorkFailed
from core.files import write_text
from core.imported.dataset import PARTS, UNLABELLED, ImportedDataset
from core.importing.file_lists import CLASS_LIST
from core.importing.items import KINDS_OF_FILES
from core.importing.picture_files import ENDINGS
from core.training.progress import Progress, Report


def write_lists(dataset: ImportedDataset, folder: Path) -> list[Path]:
    """Write the class list and a file list for each part; returns where they are.

    Paths in them lead from the folder or ZIP that the dataset came from, so they are to lie there.
    Raises InvalidRequest where its images have no paths, or where one of the lists is there
    already, and WorkFailed.
    """
    if not has_paths(dataset):
        raise InvalidRequest(
            f"the images of {dataset.name!r} came as {dataset.about.kind} and have no paths to "
            "list; export its pictures instead, which writes lists of them too"
        )
    lists = _lists(dataset, dataset.names)
    for name in lists:
        if (folder / name).exists():
            raise InvalidRequest(
                f"there is a {name} in {folder} already, which is not written over; choose another "
                "folder"
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _written(lists, folder)
    except OSError as error:
        raise _unwritten(folder, error) from None


def has_paths(dataset: ImportedDataset) -> bool:
    """Whether the images of a dataset came as files, which lists can name."""
    return dataset.about.kind in KINDS_OF_FILES


def zipped_lists(dataset: ImportedDataset) -> bytes:
    """A ZIP of what `write_lists` writes, of a dataset whose images have paths."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in _lists(dataset, dataset.names).items():
            archive.writestr(name, text)
    return content.getvalue()


def export_pictures(dataset: ImportedDataset, folder: Path, report: Report) -> list[Path]:
    """Write all images as `PART/class-003-cat/000017.png`, with lists; returns where those are.

    What came as files is written as it was. Importing the folder gives the same images with the
    same labels in the same parts, and the names of its classes as they are now. The folder is
    complete or not there at all. Raises InvalidRequest where it holds something already, and
    WorkFailed.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InvalidRequest(f"{folder} holds something already; choose a folder that is not there")
    unfinished = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        unfinished.chmod(0o755)
        paths = list(_exported(dataset, unfinished, report))
        written = _written(_lists(dataset, paths), unfinished)
        unfinished.rename(folder)
    except OSError as error:
        raise _unwritten(folder, error) from None
    finally:
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)
    return [folder / path.name for path in written]


def _exported(dataset: ImportedDataset, folder: Path, report: Report) -> Iterator[str]:
    """The path of each image, once it is written."""
    count = len(dataset)
    for position in range(count):
        part, label = PARTS[dataset.parts[position]], int(dataset.labels[position])
        place = part if label == UNLABELLED else f"{part}/{_folder_name(dataset, label)}"
        content, ending = _file(dataset, position)
        path = f"{place}/{position:06d}{ending}"
        os.makedirs(folder / place, exist_ok=True)
        (folder / path).write_bytes(content)
        report(Progress("writing pictures", position + 1, count, "pictures"))
        yield path


def _file(dataset: ImportedDataset, position: int) -> tuple[bytes, str]:
    """What is written for an image, and the ending of its name."""
    if dataset.about.alike:
        return _png(dataset.picture(position)), ".png"
    ending = PurePosixPath(dataset.names[position]).suffix.lower()
    return dataset.file(position), ending if ending in ENDINGS else ""


def _png(picture: Pixels) -> bytes:
    in_order = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    encoded: bytes = cv2.imencode(".png", in_order)[1].tobytes()
    return encoded


def _folder_name(dataset: ImportedDataset, label: int) -> str:
    """What the folder of a class is called: its name is data, only plain letters are taken."""
    plain = re.sub("[^A-Za-z0-9]+", "-", dataset.about.class_names[label])[:40].strip("-")
    return f"class-{label:03d}-{plain}".strip("-")


def _lists(dataset: ImportedDataset, paths: Sequence[str]) -> dict[str, str]:
    """The text of the class list and of the file list of each part that has images."""
    lists = {CLASS_LIST: "".join(f"{name}\n" for name in _class_lines(dataset))}
    for part in PARTS:
        lines = [
            f"{dataset.labels[position]};{paths[position]}\n"
            for position in dataset.positions(part)
        ]
        if lines:
            lists[f"{part}.txt"] = "".join(lines)
    return lists


def _class_lines(dataset: ImportedDataset) -> list[str]:
    """The names of the classes, each once and on one line."""
    lines: list[str] = []
    for label, name in enumerate(dataset.about.class_names):
        line = " ".join(name.split())
        lines.append(f"{line} ({label})".strip() if not line or line in lines else line)
    return lines


def _written(lists: dict[str, str], folder: Path) -> list[Path]:
    for name, text in lists.items():
        write_text(folder / name, text)
    return [folder / name for name in lists]


def _unwritten(folder: Path, error: OSError) -> WorkFailed:
    return WorkFailed(
        f"{folder} could not be written: {error.strerror}; permit writing there, free some room, "
        "or choose another folder"
    )
