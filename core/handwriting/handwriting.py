"""Handwriting: drawings that people kept, each with what it was meant to be.

A sample is a folder of its own, complete or absent, so that any number of sessions may save at
once: `sample.json`, `digit.png` as networks are fed it, `picture.png` as it was drawn, and
`strokes.json` where it was drawn here. What is deleted is moved to a trash beside.
"""

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from core.data.datasets import Split
from core.data.preprocessing import Pixels, decode
from core.errors import DamagedFile, InvalidRequest, UnreadableImage, WorkFailed
from core.files import write_atomically, write_json
from core.predicting.digits import DIGIT_SIDE
from core.validation import Frozen, sentence
from core.workspace import Workspace

Origin = Literal["drawn", "uploaded", "camera"]

MOST_SAMPLES = 10_000
LONGEST_NOTE = 2_000
MOST_OF_STROKES = 2 * 2**20
"""Bytes of strokes as JSON; a drawing takes some thousand."""
LONGEST_SIDE = 1_024
"""Pixels that the longer side of a kept picture has at most; larger ones are made smaller."""
PATIENCE = 10.0
"""Seconds to wait for somebody else who changes samples."""
ABANDONED = 3600.0
"""Seconds after which a sample that is still half-written never will be whole."""

_ID = re.compile(r"\d{8}-\d{6}-\d{6}-[0-9a-f]{8}", re.ASCII)
_NEW = ".new-"
SAMPLE, DIGIT, PICTURE, STROKES = "sample.json", "digit.png", "picture.png", "strokes.json"


class Sample(Frozen):
    """`sample.json`: one drawing. label: the digit it was meant to be."""

    id: str = Field(pattern=f"^{_ID.pattern}$")
    label: int = Field(ge=0, le=9)
    created: datetime
    source: Origin = "drawn"
    note: str = Field("", max_length=LONGEST_NOTE)


@dataclass(frozen=True)
class DamagedSample:
    """A folder that cannot be read as a sample, and why."""

    id: str
    reason: str


@dataclass(frozen=True, eq=False)
class Samples:
    """The samples as they were when they were read, oldest first.

    digits: (count, 28, 28) uint8, light ink on black. Those that are damaged are left out.
    """

    samples: tuple[Sample, ...]
    digits: Pixels
    damaged: tuple[DamagedSample, ...] = ()

    def __len__(self) -> int:
        return len(self.samples)

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """What each was meant to be, (count,)."""
        return np.array([sample.label for sample in self.samples], np.int64)

    @cached_property
    def split(self) -> Split:
        """The samples as a split, which networks can be tested on."""
        return Split(self.digits, self.labels, np.arange(len(self), dtype=np.int64))

    @cached_property
    def fingerprint(self) -> str:
        """Changes when a sample is added, removed or labelled otherwise."""
        return self.split.fingerprint()

    def same(self, digit: Pixels) -> Sample | None:
        """The sample with just the pixels of a digit (28, 28), None where there is none."""
        alike = np.flatnonzero((self.digits == digit).all(axis=(1, 2)))
        return self.samples[alike[0]] if len(alike) else None


class Handwriting:
    """The samples of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._samples = workspace.handwriting / "samples"
        self._trash = workspace.handwriting / "trash"

    def save(
        self,
        digit: Pixels,
        label: int,
        *,
        picture: Pixels,
        strokes: Any = None,
        source: Origin = "drawn",
        note: str = "",
    ) -> Sample:
        """Keep a drawing with what it was meant to be.

        digit: (28, 28), as networks are fed it. picture: (height, width[, 3]), as it was drawn.
        strokes: what the canvas made of it, as JSON. Raises InvalidRequest, and WorkFailed where
        it cannot be written.
        """
        now = datetime.now().astimezone()
        new_id = f"{now:%Y%m%d-%H%M%S-%f}-{secrets.token_hex(4)}"
        sample = _sample(id=new_id, label=label, created=now, source=source, note=note.strip())
        self.add(sample, digit, png(_smaller(picture)), strokes)
        return sample

    def add(self, sample: Sample, digit: Pixels, picture: bytes, strokes: Any = None) -> None:
        """Keep a sample under the id that it has. picture: as PNG. Raises what `save` does."""
        if digit.shape != (DIGIT_SIDE, DIGIT_SIDE):
            raise InvalidRequest(f"a digit must have 28x28 pixels, got shape {digit.shape}")
        if strokes is not None and len(json.dumps(strokes)) > MOST_OF_STROKES:
            raise InvalidRequest("strokes must take at most 2 MiB; draw with fewer of them")
        with self._writing():
            known = _ids(self._samples)
            if sample.id in known:
                raise InvalidRequest("it is there already, perhaps damaged; delete that one first")
            if len(known) >= MOST_SAMPLES:
                raise InvalidRequest(
                    f"there may be {MOST_SAMPLES:,} samples at most; export them, then delete some"
                )
            _clear_abandoned(self._samples)
            unfinished = self._samples / f"{_NEW}{sample.id}"
            unfinished.mkdir()
            try:
                _write(unfinished, sample, digit, picture, strokes)
                unfinished.rename(self._samples / sample.id)
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise

    def read(self) -> Samples:
        """All samples, and those that are damaged by name. Raises WorkFailed."""
        return _read_all(self._samples)

    def count(self) -> int:
        """How many samples there are, damaged ones among them. Raises WorkFailed."""
        return len(_ids(self._samples))

    def deleted(self) -> Samples:
        """Those in the trash. Raises WorkFailed."""
        return _read_all(self._trash)

    def sample(self, sample_id: str) -> Sample:
        """What is known of a sample. Raises InvalidRequest, DamagedFile."""
        return _parse(self._folder(sample_id) / SAMPLE)

    def picture(self, sample_id: str) -> bytes:
        """A sample as it was drawn, a PNG. Raises InvalidRequest, DamagedFile."""
        return _bytes_of(self._folder(sample_id) / PICTURE)

    def strokes(self, sample_id: str) -> Any:
        """What the canvas made of a sample; None where it was not drawn here.

        Raises InvalidRequest, DamagedFile.
        """
        path = self._folder(sample_id) / STROKES
        try:
            return json.loads(_bytes_of(path)) if path.exists() else None
        except (ValueError, RecursionError):
            raise DamagedFile(f"{STROKES} of the sample {sample_id} cannot be read") from None

    def relabel(self, sample_id: str, label: int) -> Sample:
        """Say that a sample was meant to be another digit. Raises InvalidRequest, WorkFailed."""
        return self._change(sample_id, label=label)

    def annotate(self, sample_id: str, note: str) -> Sample:
        """Keep another note with a sample. Raises InvalidRequest, WorkFailed."""
        return self._change(sample_id, note=note.strip())

    def delete(self, sample_ids: Iterable[str]) -> int:
        """Move samples to the trash, damaged ones too; returns how many were still there."""
        return self._move(sample_ids, self._samples, self._trash)

    def restore(self, sample_ids: Iterable[str]) -> int:
        """Take samples back out of the trash; returns how many were there."""
        return self._move(sample_ids, self._trash, self._samples)

    def empty_trash(self) -> int:
        """Remove what was deleted for good; returns how many samples that were."""
        with self._writing():
            doomed = _ids(self._trash)
            for sample_id in doomed:
                shutil.rmtree(self._trash / sample_id, ignore_errors=True)
        return len(doomed)

    def _change(self, sample_id: str, **values: Any) -> Sample:
        with self._writing():
            path = self._folder(sample_id) / SAMPLE
            sample = _sample(**(_parse(path).model_dump() | values))
            write_json(path, sample.model_dump(mode="json"))
        return sample

    def _move(self, sample_ids: Iterable[str], start: Path, end: Path) -> int:
        moved = 0
        with self._writing():
            for sample_id in set(sample_ids) & set(_ids(start)):
                shutil.rmtree(end / sample_id, ignore_errors=True)
                (start / sample_id).rename(end / sample_id)
                moved += 1
        return moved

    def _folder(self, sample_id: str) -> Path:
        if sample_id not in _ids(self._samples):
            raise InvalidRequest(f"the sample {sample_id} is not there; it may have been deleted")
        return self._samples / sample_id

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Nobody else changes samples meanwhile. Raises WorkFailed where nothing can be written."""
        try:
            for folder in (self._samples, self._trash, self._workspace.locks):
                folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self._workspace.locks / "handwriting.lock", timeout=PATIENCE):
                yield
        except Timeout:
            raise WorkFailed(
                f"somebody else has been changing samples for {PATIENCE:.0f} s; try again"
            ) from None
        except OSError as error:
            raise WorkFailed(
                f"the samples in {self._workspace.handwriting} cannot be written: "
                f"{error.strerror or error}; make room or permit it, then try again"
            ) from None


def png(picture: Pixels) -> bytes:
    """A picture (height, width) or (height, width, 3) RGB as a PNG."""
    in_order = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    encoded: bytes = cv2.imencode(".png", in_order)[1].tobytes()
    return encoded


def checked_digit(content: bytes) -> Pixels:
    """The pixels of a digit's PNG, (28, 28). Raises UnreadableImage where it holds none."""
    digit = decode(content)
    if digit.shape != (DIGIT_SIDE, DIGIT_SIDE):
        raise UnreadableImage(f"a digit must be 28x28 grey pixels, got shape {digit.shape}")
    return digit


def _sample(**values: Any) -> Sample:
    try:
        return Sample(**values)
    except ValidationError as error:
        raise InvalidRequest(f"a sample's {sentence(error.errors())}") from None


def _write(folder: Path, sample: Sample, digit: Pixels, picture: bytes, strokes: Any) -> None:
    contents = {DIGIT: png(digit), PICTURE: picture}
    for name, content in contents.items():
        write_atomically(folder / name, _writer(content))
    if strokes is not None:
        write_atomically(folder / STROKES, _writer(json.dumps(strokes).encode()))
    write_json(folder / SAMPLE, sample.model_dump(mode="json"))


def _writer(content: bytes) -> Callable[[Any], object]:
    return lambda file: file.write(content)


def _smaller(picture: Pixels) -> Pixels:
    scale = LONGEST_SIDE / max(picture.shape[:2])
    if scale >= 1:
        return picture
    height, width = (max(1, round(length * scale)) for length in picture.shape[:2])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _clear_abandoned(folder: Path) -> None:
    """Remove what processes left that died while they saved a sample."""
    for unfinished in folder.glob(f"{_NEW}*"):
        if time.time() - unfinished.stat().st_mtime > ABANDONED:
            shutil.rmtree(unfinished, ignore_errors=True)


def _ids(folder: Path) -> list[str]:
    try:
        return sorted(filter(_ID.fullmatch, os.listdir(folder)))
    except (FileNotFoundError, NotADirectoryError):
        return []  # where a file is in the way, who saves a sample is told
    except OSError as error:
        raise WorkFailed(
            f"the samples in {folder} cannot be read: {error.strerror or error}; permit it, then "
            "try again"
        ) from None


def _read_all(folder: Path) -> Samples:
    samples: list[Sample] = []
    digits: list[Pixels] = []
    damaged: list[DamagedSample] = []
    for sample_id in _ids(folder):
        try:
            sample, digit = _read(folder / sample_id)
        except (DamagedFile, UnreadableImage) as error:
            if (folder / sample_id).is_dir():  # else it was deleted meanwhile
                damaged.append(DamagedSample(sample_id, str(error)))
            continue
        samples.append(sample)
        digits.append(digit)
    return Samples(tuple(samples), _stacked(digits), tuple(damaged))


def _stacked(digits: Sequence[Pixels]) -> Pixels:
    return np.array(digits, np.uint8).reshape(-1, DIGIT_SIDE, DIGIT_SIDE)


def _read(folder: Path) -> tuple[Sample, Pixels]:
    path = folder / DIGIT
    try:
        known = path.stat()
    except OSError:
        raise DamagedFile(f"{DIGIT} is missing") from None
    return _parse(folder / SAMPLE), _digit(path, known.st_mtime_ns, known.st_size)


def _parse(path: Path) -> Sample:
    try:
        known = path.stat()
        sample = _parsed(path, known.st_mtime_ns, known.st_ino, known.st_size)
    except FileNotFoundError:
        raise DamagedFile(f"{SAMPLE} is missing") from None
    except ValidationError as error:
        raise DamagedFile(f"{SAMPLE} cannot be read: {error.errors()[0]['msg']}") from None
    except OSError as error:
        raise DamagedFile(f"{SAMPLE} cannot be read: {error.strerror or error}") from None
    if sample.id != path.parent.name:
        raise DamagedFile(f"{SAMPLE} belongs to another sample, {sample.id}")
    return sample


@lru_cache(maxsize=2 * MOST_SAMPLES)
def _parsed(path: Path, changed: int, inode: int, size: int) -> Sample:
    return Sample.model_validate_json(path.read_bytes())


@lru_cache(maxsize=2 * MOST_SAMPLES)
def _digit(path: Path, changed: int, size: int) -> Pixels:
    try:
        digit = checked_digit(_bytes_of(path))
    except UnreadableImage as error:
        raise DamagedFile(f"{DIGIT} cannot be read: {error}") from None
    digit.setflags(write=False)
    return digit


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DamagedFile(f"{path.name} cannot be read: {error.strerror or error}") from None
