"""Reading what people hand in: one picture, hundreds of them, a folder or a ZIP.

Pictures come one after another, so that memory stays flat; what cannot be read comes as a refusal
in its place, and the rest is still read.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Generic, TypeVar

import cv2

from core.data.archives import BEGINNING, MOST_OF_ENTRY, Archive
from core.data.preprocessing import Pixels, decode
from core.errors import UnreadableImage, UnreadableUpload
from core.predicting.label_tables import Labels, read_labels

MOST_FILES = 10_000
"""Files that are read of one upload; of the rest it is only told how many they are."""
MOST_LISTED = 200_000
"""Files that a folder is looked through for."""
THUMBNAIL_SIDE = 64
MOST_THREADS = 8
"""A large photograph takes 150 MB while it is decoded."""
AT_ONCE, BYTES_AT_ONCE = 64, 64 * 2**20
"""Files, and their bytes, that are held at the same time while threads decode them."""

Source = tuple[str, Path | BinaryIO]
"""A name as given, and a file or folder on the disk or an open file that can be sought in."""
Image = TypeVar("Image")

_RUBBISH = {"__macosx", "thumbs.db", "desktop.ini"}
_NESTED = (".zip", ".7z", ".rar", ".tar", ".tgz", ".gz", ".bz2", ".xz")


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as it was decoded. label: what a folder or a table calls its true class."""

    name: str
    label: str | None
    pixels: Pixels


@dataclass(frozen=True, eq=False)
class Framed(Generic[Image]):
    """A picture as it was made for networks. thumbnail: a JPEG with sides up to 64 pixels."""

    name: str
    label: str | None
    image: Image
    thumbnail: bytes


@dataclass(frozen=True)
class Refusal:
    """What cannot be read, and a sentence that says why."""

    name: str
    sentence: str


@dataclass(frozen=True)
class _File:
    """A file that is yet to be read. folder: the one it lies in, where that may be its class."""

    name: str
    folder: str | None
    read: Callable[[], bytes]


@dataclass(frozen=True)
class _Content:
    name: str
    label: str | None
    content: bytes


class Upload:
    """The files of an upload, listed; its `len` is how many pictures or refusals it will give.

    left_out: files that systems add by themselves, such as .DS_Store, which nobody misses. Labels
    are those of a CSV with the columns file and label that lies among the files, else the names
    of the folders that files lie in, whether or not those are classes of any network.
    """

    def __init__(self, sources: Iterable[Source], most: int = MOST_FILES) -> None:
        self.left_out = 0
        listed = [item for source in sources for item in self._listed(*source)]
        tables = [item for item in listed if isinstance(item, _File) and _is_table(item)]
        pictures = [item for item in listed if isinstance(item, Refusal) or not _is_table(item)]
        self._labels = Labels()
        unread = [refusal for table in tables if (refusal := self._take_labels(table))]
        self._items: list[_File | Refusal] = [*unread, *pictures[:most]]
        if len(pictures) > most:
            rest = len(pictures) - most
            self._items.append(Refusal(f"{rest:,} more files", _too_many(rest, most)))

    def __len__(self) -> int:
        return len(self._items)

    def pictures(self) -> Iterator[Picture | Refusal]:
        """Each picture, decoded, or why it cannot be."""
        for item in self._contents():
            yield item if isinstance(item, Refusal) else _decoded(item)

    def framed(self, frame: Callable[[Pixels], Image]) -> Iterator[Framed[Image] | Refusal]:
        """Each picture as `frame` makes it for networks, in threads but in the order given.

        What frame raises UnreadableImage for is refused with that sentence.
        """
        with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
            for batch in _batches(self._contents()):
                yield from pool.map(lambda item: _framed(item, frame), batch)

    def picture(self, place: int) -> Picture | Refusal:
        """One picture again, decoded, by its place from 0 among all that come."""
        item = self._content(self._items[place])
        return item if isinstance(item, Refusal) else _decoded(item)

    def _contents(self) -> Iterator[_Content | Refusal]:
        return map(self._content, self._items)

    def _content(self, item: _File | Refusal) -> _Content | Refusal:
        if isinstance(item, Refusal):
            return item
        try:
            content = item.read()
        except (UnreadableUpload, UnreadableImage) as error:
            return Refusal(item.name, str(error))
        return _Content(item.name, self._labels.of(item.name) or item.folder, content)

    def _take_labels(self, table: _File) -> Refusal | None:
        try:
            self._labels = self._labels.with_those_of(read_labels(table.read()))
        except (UnreadableUpload, UnreadableImage) as error:
            return Refusal(table.name, str(error))
        return None

    def _listed(self, name: str, place: Path | BinaryIO) -> Iterator[_File | Refusal]:
        if isinstance(place, Path) and place.is_dir():
            yield from self._listed_folder(name, place)
        elif _is_zip(place):
            yield from self._listed_zip(name, place)
        elif isinstance(place, Path):
            yield _File(name, None, partial(_read_path, place))
        elif self._wanted(name):
            yield _File(name, _folder_of(name), partial(_read_open, place))

    def _listed_folder(self, name: str, folder: Path) -> Iterator[_File | Refusal]:
        paths = sorted(path for path in _walk(folder) if self._wanted(path))
        if not paths:
            yield Refusal(name, "the folder holds no files; choose one with pictures in it")
        for inside in paths:
            path, whole = folder / inside, f"{name}/{inside}"
            if path.is_file():
                yield _File(whole, _folder_of(inside) or folder.name, partial(_read_path, path))
            else:
                yield Refusal(whole, "it is no ordinary file; leave it out")

    def _listed_zip(self, name: str, place: Path | BinaryIO) -> Iterator[_File | Refusal]:
        try:
            archive = Archive(place.open("rb") if isinstance(place, Path) else place)
        except UnreadableUpload as error:
            yield Refusal(name, str(error))
            return
        wanted = [entry for entry in archive.entries if self._wanted(entry.name)]
        if not wanted:
            yield Refusal(name, "the ZIP holds no files; choose one with pictures in it")
        for entry in wanted:
            whole = f"{name}/{entry.name}"
            if entry.refusal is not None:
                yield Refusal(whole, entry.refusal)
            else:
                yield _File(whole, _folder_of(entry.name), partial(archive.read, entry))

    def _wanted(self, name: str) -> bool:
        """Whether a file was put there by a person; counts those that were not."""
        parts = PurePosixPath(name).parts
        hidden = any(part.startswith(".") for part in parts if part != "..")
        rubbish = hidden or any(part.lower() in _RUBBISH for part in parts)
        self.left_out += rubbish
        return not rubbish


def thumbnail(picture: Pixels, side: int = THUMBNAIL_SIDE) -> bytes:
    """A picture (height, width[, 3]) RGB as a small JPEG, its longer side at most `side` pixels."""
    scale = min(1.0, side / max(picture.shape[:2]))
    height, width = (max(1, round(length * scale)) for length in picture.shape[:2])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    in_order = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    encoded: bytes = cv2.imencode(".jpg", in_order)[1].tobytes()
    return encoded


def _walk(folder: Path) -> Iterator[str]:
    """Files below a folder, as paths with slashes; links to folders are not followed."""
    count = 0
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for file in files:
            count += 1
            if count > MOST_LISTED:
                return
            yield Path(parent, file).relative_to(folder).as_posix()


def _folder_of(name: str) -> str | None:
    """The folder that a file lies in, None where it lies in none."""
    return PurePosixPath(name.replace("\\", "/")).parent.name or None


def _is_table(item: _File) -> bool:
    return item.name.lower().endswith(".csv")


def _is_zip(place: Path | BinaryIO) -> bool:
    """By its first bytes; an empty ZIP begins otherwise."""
    try:
        if isinstance(place, Path):
            if not place.is_file():
                return False
            with place.open("rb") as file:
                start = file.read(4)
        else:
            place.seek(0)
            start = place.read(4)
    except OSError:
        return False
    return start in (BEGINNING, b"PK\x05\x06")


def _read_path(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return _at_most(file)
    except OSError as error:
        raise UnreadableImage(f"the file cannot be read: {error.strerror or error}") from None


def _read_open(file: BinaryIO) -> bytes:
    file.seek(0)
    return _at_most(file)


def _at_most(file: BinaryIO) -> bytes:
    content = file.read(MOST_OF_ENTRY + 1)
    if len(content) > MOST_OF_ENTRY:
        raise UnreadableUpload(
            f"the file holds more than {MOST_OF_ENTRY // 2**20} MiB; choose a smaller one"
        )
    return content


def _decoded(item: _Content) -> Picture | Refusal:
    if item.content.startswith(BEGINNING) or item.name.lower().endswith(_NESTED):
        return Refusal(item.name, "an archive within is not opened; unpack it first")
    try:
        return Picture(item.name, item.label, decode(item.content))
    except UnreadableImage as error:
        return Refusal(item.name, str(error))


def _framed(item: _Content | Refusal, frame: Callable[[Pixels], Image]) -> Framed[Image] | Refusal:
    picture = item if isinstance(item, Refusal) else _decoded(item)
    if isinstance(picture, Refusal):
        return picture
    try:
        image = frame(picture.pixels)
    except UnreadableImage as error:
        return Refusal(picture.name, str(error))
    return Framed(picture.name, picture.label, image, thumbnail(picture.pixels))


def _batches(items: Iterable[_Content | Refusal]) -> Iterator[Sequence[_Content | Refusal]]:
    """As many at a time as may be held in memory."""
    batch: list[_Content | Refusal] = []
    held = 0
    for item in items:
        batch.append(item)
        held += len(item.content) if isinstance(item, _Content) else 0
        if len(batch) == AT_ONCE or held > BYTES_AT_ONCE:
            yield batch
            batch, held = [], 0
    yield batch


def _too_many(rest: int, most: int) -> str:
    return f"only the first {most:,} files are read, not {rest:,} more; hand them in by themselves"
