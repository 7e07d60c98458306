"""What people say of a dataset's images: tags and notes, one readable JSON file per dataset.

An image is known by a hash of its pixels, or of its file in an image folder, together with the
class that it is labelled with. What is said of it thus stays with it in another order, in a part
of the dataset, in a folder that was moved and after its runs were deleted, and ends with a label
that was put right. The files are kept apart by the dataset's name; all image folders share one,
where the hash tells them apart.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import count
from pathlib import Path
from typing import Annotated

import numpy as np
from filelock import FileLock, Timeout
from pydantic import AfterValidator, Field

from core.data.datasets import Split
from core.errors import DamagedFile, InvalidRequest, WorkFailed
from core.files import write_text
from core.validation import Frozen, first_line, shown
from core.workspace import Workspace

WRONG_LABEL, AMBIGUOUS, NETWORKS_FAULT = "wrong label", "ambiguous", "network's fault"
STANDARD = (WRONG_LABEL, AMBIGUOUS, NETWORKS_FAULT)
"""The tags that every dataset has from the start."""
ANY_TAG, UNTAGGED = "any tag", "no tag"
"""What filters call images that carry a tag, whichever it is, or none; no tag may be called so."""
TAG_LENGTH, MOST_TAGS, NOTE_LENGTH = 40, 50, 2000
PATIENCE = 10.0
"""Seconds to wait for somebody else who is saying something."""

Key = tuple[str, str]
"""How an image is known: the hash of its pixels and the name of its class."""


def checked_tag(text: str) -> str:
    """A tag without the space around it. Raises ValueError where it breaks a rule.

    Links join tags by commas, so that none may hold one.
    """
    tag = " ".join(text.split())
    if not 1 <= len(tag) <= TAG_LENGTH or "," in tag or not tag.isprintable():
        raise ValueError(
            f"a tag must have 1 to {TAG_LENGTH} characters that can be seen and no comma, got "
            f"{shown(text)}"
        )
    if tag in (ANY_TAG, UNTAGGED):
        raise ValueError(f"a tag must not be called {tag!r}, as the filter by tags is")
    return tag


Tag = Annotated[str, AfterValidator(checked_tag)]


class Remark(Frozen):
    """What people say of one image.

    image: SHA-256 in hexadecimal. true_class: the name of the class it is labelled with. index:
    where it stood in the test part when something was last said of it, for people to find it.
    """

    image: str = Field(pattern="^[0-9a-f]{64}$")
    true_class: str
    index: int = Field(ge=0)
    tags: tuple[Tag, ...] = ()
    note: str = Field("", max_length=NOTE_LENGTH)

    @property
    def key(self) -> Key:
        """How the image is known."""
        return self.image, self.true_class


class _File(Frozen):
    """The content of a file; `tags` in the order of their keys on the keyboard."""

    dataset: str
    tags: tuple[Tag, ...] = Field((), max_length=MOST_TAGS)
    images: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class Remarks:
    """What people say of the images of one dataset; what changes it makes a new one.

    tags: all that there are, in the order in which they came up, whether or not an image carries
    them.
    """

    dataset: str
    tags: tuple[str, ...] = STANDARD
    images: Mapping[Key, Remark] = field(default_factory=dict)

    def with_tag(self, about: Remark, tag: str, *, carried: bool) -> "Remarks":
        """The same, with an image carrying a tag or not. Raises InvalidRequest as `with_known`."""
        said = self.images.get(about.key, about)
        others = tuple(other for other in said.tags if other != tag)
        now = said.model_copy(update={"tags": (*others, tag) if carried else others})
        return self.with_known((tag,))._with(now, about.index)

    def with_note(self, about: Remark, note: str) -> "Remarks":
        """The same, with a note on an image, cut to the length that there is room for."""
        said = self.images.get(about.key, about)
        now = said.model_copy(update={"note": note.strip()[:NOTE_LENGTH]})
        return self._with(now, about.index)

    def with_known(self, tags: Sequence[str]) -> "Remarks":
        """The same, where those tags are known too.

        Raises InvalidRequest where one breaks the rule or there are too many.
        """
        try:
            known = dict.fromkeys((*self.tags, *map(checked_tag, tags)))
        except ValueError as error:
            raise InvalidRequest(str(error)) from None
        if len(known) > MOST_TAGS:
            raise InvalidRequest(
                f"a dataset may have {MOST_TAGS} tags at most, got {len(known)}; forget some that "
                "no image carries"
            )
        return replace(self, tags=tuple(known))

    def without_unused(self) -> "Remarks":
        """The same without the own tags that no image carries."""
        used = {*STANDARD, *(tag for remark in self.images.values() for tag in remark.tags)}
        return replace(self, tags=tuple(tag for tag in self.tags if tag in used))

    def _with(self, remark: Remark, index: int) -> "Remarks":
        images = {key: said for key, said in self.images.items() if key != remark.key}
        if remark.tags or remark.note:
            images[remark.key] = remark.model_copy(update={"index": index})
        return replace(self, images=images)


@dataclass(frozen=True, eq=False)
class Places:
    """Where the images of a split stand, by how they are known."""

    split: Split
    class_names: tuple[str, ...]
    images: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, split: Split, class_names: tuple[str, ...]) -> "Places":
        """Those of a split, each of whose images is hashed; ten thousand digits take 20 ms."""
        images = defaultdict(list)
        for position, image in enumerate(image_ids(split)):
            images[image].append(position)
        return cls(split, class_names, images)

    @cached_property
    def keys(self) -> set[Key]:
        """How all images of the split are known."""
        names, labels = self.class_names, self.split.labels
        return {
            (image, names[labels[position]])
            for image, positions in self.images.items()
            for position in positions
        }

    def said(self, remarks: Remarks) -> dict[int, Remark]:
        """What is said of the split's images, by position."""
        names, labels = self.class_names, self.split.labels
        found = {
            position: remark
            for remark in remarks.images.values()
            for position in self.images.get(remark.image, ())
            if names[labels[position]] == remark.true_class
        }
        return dict(sorted(found.items()))


def remark_about(split: Split, class_names: Sequence[str], position: int) -> Remark:
    """An empty remark about one image of a split."""
    (image,) = image_ids(split.take(np.array([position])))
    label, index = int(split.labels[position]), int(split.indices[position])
    return Remark(image=image, true_class=class_names[label], index=index)


def image_ids(split: Split) -> list[str]:
    """The hash of each image in hexadecimal."""
    if split.digests is not None:
        return [bytes(digest).hex() for digest in split.digests]
    return [hashlib.sha256(image).hexdigest() for image in np.ascontiguousarray(split.images)]


def positions_by_tag(said: Mapping[int, Remark]) -> dict[str, list[int]]:
    """Positions of the images that carry each tag."""
    carrying = defaultdict(list)
    for position, remark in said.items():
        for tag in remark.tags:
            carrying[tag].append(position)
    return carrying


def file_of(workspace: Workspace, dataset: str) -> Path:
    """Where what people say of a dataset's images is kept."""
    return workspace.tags / f"{dataset}.json"


def read_remarks(workspace: Workspace, dataset: str) -> Remarks:
    """What is said of a dataset's images. Raises DamagedFile where the file cannot be read."""
    path = file_of(workspace, dataset)
    try:
        found = path.stat()
        return _parsed(path, found.st_mtime_ns, found.st_ino, found.st_size)
    except FileNotFoundError:
        return Remarks(dataset)
    except (OSError, ValueError) as error:
        raise DamagedFile(
            f"the tags in {path} cannot be read ({first_line(error)}); mend the file, or have it "
            "kept aside and begin anew"
        ) from None


@lru_cache(maxsize=16)
def _parsed(path: Path, changed: int, inode: int, size: int) -> Remarks:
    return from_json(path.read_bytes())


def from_json(content: bytes) -> Remarks:
    """What a file says. Raises ValueError where it does not hold what it must."""
    file = _File.model_validate_json(content)
    tags = dict.fromkeys((*STANDARD, *file.tags, *(t for said in file.images for t in said.tags)))
    return Remarks(file.dataset, tuple(tags), {said.key: said for said in file.images})


def as_json(remarks: Remarks) -> str:
    """What a file says of a dataset's images, an image a line for people to read and compare."""
    images = ",\n".join(f"  {said.model_dump_json()}" for said in remarks.images.values())
    head = _File(dataset=remarks.dataset, tags=remarks.tags).model_dump_json(exclude={"images"})
    return f'{head[:-1]},\n "images": [\n{images}\n ]}}\n'


def change_remarks(
    workspace: Workspace, dataset: str, change: Callable[[Remarks], Remarks]
) -> Remarks:
    """Change what is said of a dataset's images, and keep what others are saying just now.

    Raises what `change` raises, DamagedFile where the file cannot be read, which stays as it is,
    WorkFailed where it cannot be written.
    """
    with _alone(workspace, dataset):
        changed = change(read_remarks(workspace, dataset))
        write_text(file_of(workspace, dataset), as_json(changed))
    return changed


def set_aside(workspace: Workspace, dataset: str) -> Path | None:
    """Rename a file that cannot be read, so that a new one can be begun; returns its new path.

    None where it can be read after all. Raises WorkFailed where it cannot be renamed.
    """
    path = file_of(workspace, dataset)
    with _alone(workspace, dataset):
        try:
            read_remarks(workspace, dataset)
        except DamagedFile:
            numbered = (path.with_name(f"{dataset}.damaged-{n}.json") for n in count(1))
            return path.rename(next(aside for aside in numbered if not aside.exists()))
    return None


@contextmanager
def _alone(workspace: Workspace, dataset: str) -> Iterator[None]:
    """Nobody else changes tags meanwhile. Raises WorkFailed where the file cannot be written."""
    path = file_of(workspace, dataset)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(workspace.locks / "tags.lock", timeout=PATIENCE):
            yield
    except Timeout:
        raise WorkFailed(
            f"somebody else has been changing the tags for {PATIENCE:.0f} s; try again"
        ) from None
    except OSError as error:
        raise WorkFailed(
            f"{path} cannot be written: {error.strerror or error}; make room or permit it, then "
            "try again"
        ) from None
