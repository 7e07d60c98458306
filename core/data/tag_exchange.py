"""Handing on what people say of a dataset's images, as JSON or CSV, and taking it in again."""

import csv
import io
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from core.data.image_tags import (
    NOTE_LENGTH,
    Key,
    Remark,
    Remarks,
    change_remarks,
    from_json,
)
from core.errors import InvalidRequest
from core.validation import first_line
from core.workspace import Workspace

COLUMNS = ("index", "true_class", "tags", "note", "image")


@dataclass(frozen=True)
class TakenIn:
    """What became of a file of tags: its images by what was known of them before.

    here: how many are among the images of the split. already: of those, how many had all of it
    said of them. elsewhere: images that are not in the split; what is said of them is kept as well.
    """

    here: int
    already: int
    elsewhere: int


def as_csv(remarks: Remarks) -> str:
    """One line for each image, for spreadsheets; tags are joined by commas."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for said in remarks.images.values():
        writer.writerow([said.index, said.true_class, ", ".join(said.tags), said.note, said.image])
    return text.getvalue()


def of_split(remarks: Remarks, said: Mapping[int, Remark], indices: NDArray[np.int64]) -> Remarks:
    """What is said of a split's images, in its order, each with its index there."""
    there = (said[at].model_copy(update={"index": int(indices[at])}) for at in said)
    return replace(remarks, images={remark.key: remark for remark in there})


def read_exported(content: bytes) -> Remarks:
    """What a JSON or CSV file says, as this module writes them.

    Raises InvalidRequest where it does not hold what it must.
    """
    try:
        read = from_json if content.lstrip()[:1] == b"{" else _from_csv
        return read(content)
    except (ValueError, csv.Error) as error:
        raise InvalidRequest(
            "this file holds no tags as they are downloaded here, as JSON or CSV "
            f"({first_line(error)}); nothing was changed"
        ) from None


def take_in(workspace: Workspace, dataset: str, file: Remarks, known: Container[Key]) -> TakenIn:
    """Add what a file says to what is said of a dataset; nothing that was said is lost.

    known: how the images of the split are known that is looked at. Raises InvalidRequest where
    none of the file's images is among them, and what changing remarks raises.
    """
    here = [said for key, said in file.images.items() if key in known]
    if not here:
        raise InvalidRequest(
            f"none of the {len(file.images):,} images in this file is among these test images; "
            "take in the file of this dataset; nothing was changed"
        )
    already = 0

    def merge(now: Remarks) -> Remarks:
        nonlocal already
        merged = {key: _both(now.images.get(key), said) for key, said in file.images.items()}
        already = sum(merged[said.key] == now.images.get(said.key) for said in here)
        known_tags = now.with_known([tag for tag in file.tags if tag not in now.tags])
        return replace(known_tags, images={**now.images, **merged})

    change_remarks(workspace, dataset, merge)
    return TakenIn(len(here), already, len(file.images) - len(here))


def _both(now: Remark | None, said: Remark) -> Remark:
    """All tags of both, and both notes where they differ and there is room."""
    if now is None:
        return said
    tags = tuple(dict.fromkeys((*now.tags, *said.tags)))
    note = now.note if said.note in now.note else f"{now.note}\n{said.note}".strip()
    return now.model_copy(update={"tags": tags, "note": note[:NOTE_LENGTH]})


def _from_csv(content: bytes) -> Remarks:
    text = content.decode("utf-8-sig")
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)  # spreadsheets write what their language wants
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise ValueError(f"the column {missing[0]} is missing")
    said = [_remark(row, rows.line_num) for row in rows]
    tags = dict.fromkeys(tag for remark in said for tag in remark.tags)
    return Remarks("", tuple(tags), {remark.key: remark for remark in said})


def _remark(row: Mapping[str, str], line: int) -> Remark:
    try:
        tags = tuple(tag for tag in row["tags"].split(",") if tag.strip())
        return Remark(
            image=row["image"],
            true_class=row["true_class"],
            index=int(row["index"]),
            tags=tags,
            note=row["note"],
        )
    except ValidationError as error:
        raise ValueError(f"line {line}, {first_line(error)}") from None
    except (ValueError, AttributeError, TypeError):
        raise ValueError(f"line {line} is no line of this table") from None
