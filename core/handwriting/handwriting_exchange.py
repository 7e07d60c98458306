"""Samples of handwriting as a ZIP, to take along and to bring together with others.

The ZIP holds `CLASS/ID.png`, each sample as it was drawn, which any tool reads as a dataset of
class folders, and `samples.json` with all the rest, so that nothing is lost on the way back.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from pydantic import ValidationError

from core.data.archives import Archive, Entry
from core.data.preprocessing import decode
from core.errors import DamagedFile, InvalidRequest, UnreadableImage, UnreadableUpload
from core.handwriting.handwriting import Handwriting, Sample, Samples, checked_digit, png
from core.validation import Frozen, sentence

LIST = "samples.json"
_PNG = b"\x89PNG"


@dataclass(frozen=True)
class Imported:
    """What became of the samples of a ZIP.

    added: how many are new. already: how many were there, just the same. differing: ids of those
    that are here with another label or note, which stay as they are. refused: names with a
    sentence.
    """

    added: int = 0
    already: int = 0
    differing: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


class _Exchanged(Frozen):
    """A sample as `samples.json` holds it. digit: a PNG in base64."""

    sample: Sample
    file: str
    digit: str
    strokes: Any = None


def export_zip(handwriting: Handwriting, samples: Samples, file: BinaryIO) -> int:
    """Write samples to a ZIP; returns how many. Those deleted meanwhile are left out."""
    listed = []
    with ZipFile(file, "w", ZIP_STORED) as archive:
        for sample, digit in zip(samples.samples, samples.digits, strict=True):
            name = f"{sample.label}/{sample.id}.png"
            try:
                picture, strokes = _drawn(handwriting, sample.id)
            except (DamagedFile, InvalidRequest):
                continue
            archive.writestr(name, picture)
            encoded = base64.b64encode(png(digit)).decode()
            listed.append(_Exchanged(sample=sample, file=name, digit=encoded, strokes=strokes))
        content = json.dumps({"samples": [each.model_dump(mode="json") for each in listed]})
        archive.writestr(LIST, content, ZIP_DEFLATED)
    return len(listed)


def import_zip(handwriting: Handwriting, file: BinaryIO) -> Imported:
    """Bring the samples of an exported ZIP in; what is here stays as it is.

    Raises UnreadableUpload where it is no such ZIP, WorkFailed where samples cannot be written.
    """
    archive = Archive(file)
    entries = {entry.name: entry for entry in archive.entries}
    if LIST not in entries:
        raise UnreadableUpload(
            f"the ZIP must be one that was exported here, got one without {LIST}; upload other "
            "pictures as pictures"
        )
    here = {sample.id: sample for sample in handwriting.read().samples}
    added, already, differing, refused = 0, 0, [], []
    for number, content in enumerate(_listed(archive, entries[LIST]), start=1):
        try:
            exchanged = _Exchanged.model_validate(content)
            sample = exchanged.sample
            if sample.id in here:
                already += here[sample.id] == sample
                differing += [sample.id] if here[sample.id] != sample else []
                continue
            _add(handwriting, exchanged, archive, entries)
        except ValidationError as error:
            refused.append((f"sample {number}", sentence(error.errors())))
        except (InvalidRequest, UnreadableImage) as error:
            refused.append((exchanged.file, str(error)))
        else:
            here[sample.id] = sample
            added += 1
    return Imported(added, already, tuple(differing), tuple(refused))


def _drawn(handwriting: Handwriting, sample_id: str) -> tuple[bytes, Any]:
    return handwriting.picture(sample_id), handwriting.strokes(sample_id)


def _listed(archive: Archive, entry: Entry) -> Iterator[Any]:
    try:
        content = json.loads(archive.read(entry))
        samples = content["samples"]
        if not isinstance(samples, list):
            raise TypeError
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UnreadableUpload(f"{LIST} in the ZIP is damaged; export the samples anew") from None
    yield from (_as_json(sample) for sample in samples)


def _as_json(sample: Any) -> Any:
    """A sample whose time is text is checked as JSON is, where that is right."""
    try:
        return {**sample, "sample": Sample.model_validate_json(json.dumps(sample["sample"]))}
    except (TypeError, KeyError, ValidationError):
        return sample


def _add(
    handwriting: Handwriting, exchanged: _Exchanged, archive: Archive, entries: dict[str, Entry]
) -> None:
    if exchanged.file not in entries:
        raise UnreadableUpload("its picture is not in the ZIP; export the samples anew")
    picture = archive.read(entries[exchanged.file])
    if not picture.startswith(_PNG):
        raise UnreadableImage("its picture is no PNG")
    decode(picture)
    try:
        digit = checked_digit(base64.b64decode(exchanged.digit, validate=True))
    except binascii.Error:
        raise UnreadableImage("its digit is no PNG in base64") from None
    handwriting.add(exchanged.sample, digit, picture, exchanged.strokes)
