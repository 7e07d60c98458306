"""What a network makes of an upload: a row for each picture, and how often it is right."""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.analysis.confusion import confusion_matrix
from core.data.preprocessing import Pixels, for_network
from core.predicting.digits import to_digit
from core.predicting.ink import Polarity
from core.predicting.uploads import Framed, Refusal
from core.registry.config import RunConfig
from core.registry.evaluation import Evaluation, evaluate
from core.registry.predictions import Predictions

AT_ONCE = 256
"""Pictures that a network is asked about at a time."""
COLUMNS = (
    "file",
    "true_class",
    "predicted",
    "confidence",
    "second",
    "second_probability",
    "not_read",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

Key = TypeVar("Key")
Ask = Callable[[Pixels], NDArray[np.float32]]
"""Probabilities (count, classes) of images (count, height, width[, 3])."""


@dataclass(frozen=True)
class Row:
    """One picture: either what the network takes it for, or why it could not be read.

    true_class: None where it is not known, or is no class of the network. second: None where there
    is but one class.
    """

    name: str
    true_class: str | None = None
    predicted: str | None = None
    confidence: float | None = None
    second: str | None = None
    second_probability: float | None = None
    refusal: str | None = None

    @property
    def right(self) -> bool | None:
        """Whether the picture was taken for what it is; None where that is not known."""
        return None if self.true_class is None else self.predicted == self.true_class


@dataclass(frozen=True)
class Named:
    """A picture that was read, without its pixels."""

    name: str
    label: str | None
    thumbnail: bytes = b""


@dataclass(frozen=True, eq=False)
class Readings:
    """What one network makes of an upload.

    items: the pictures and refusals, in the order given. probabilities: (count, classes) float32
    of those that were read.
    """

    class_names: tuple[str, ...]
    items: Sequence[Named | Refusal]
    probabilities: NDArray[np.float32]

    @cached_property
    def pictures(self) -> list[Named]:
        """Those that were read."""
        return [item for item in self.items if isinstance(item, Named)]

    @cached_property
    def refusals(self) -> list[Refusal]:
        """Those that could not be read."""
        return [item for item in self.items if isinstance(item, Refusal)]

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The true class of each picture that was read, (count,); -1 where it is not known."""
        known = [label_index(picture.label, self.class_names) for picture in self.pictures]
        return np.array([-1 if index is None else index for index in known], np.int64)

    @property
    def labelled(self) -> NDArray[np.int64]:
        """Positions of the pictures whose true class is known."""
        return np.flatnonzero(self.labels >= 0)

    @cached_property
    def unknown_labels(self) -> list[str]:
        """Labels that are no class of the network, in alphabetical order."""
        unknown = zip(self.pictures, self.labels, strict=True)
        return sorted({named.label for named, index in unknown if index < 0 and named.label})

    @property
    def evaluation(self) -> Evaluation | None:
        """How many of the labelled pictures are taken for what they are; None without labels."""
        found = self.labelled
        if not len(found):
            return None
        whole = evaluate(self.probabilities[found], self.labels[found])
        # In full precision, as the rows are told.
        return replace(whole, correct=int(np.trace(self.confusion)))

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Labelled pictures by true class and the one they were taken for, (classes, classes)."""
        found = self.labelled
        said = self.probabilities[found].argmax(axis=1)
        return confusion_matrix(self.labels[found], said, len(self.class_names))

    def predictions(self) -> Predictions:
        """Those of the labelled pictures, which can be set beside those of another network.

        The fingerprint is that of names and labels. indices: positions among those read.
        """
        found = self.labelled
        named = [(self.pictures[position].name, int(self.labels[position])) for position in found]
        fingerprint = hashlib.sha256(repr(named).encode(errors="surrogateescape")).hexdigest()
        return Predictions(self.probabilities[found], self.labels[found], found, fingerprint)

    def rows(self) -> Iterator[Row]:
        """One for each picture and refusal, in the order given."""
        order = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :2]
        position = 0
        for item in self.items:
            if isinstance(item, Refusal):
                yield Row(item.name, refusal=item.sentence)
                continue
            yield self._row(item, position, order[position])
            position += 1

    def _row(self, item: Named, position: int, ranked: NDArray[np.int64]) -> Row:
        probabilities, true = self.probabilities[position], self.labels[position]
        first, second = int(ranked[0]), int(ranked[1]) if len(ranked) > 1 else None
        return Row(
            name=item.name,
            true_class=self.class_names[true] if true >= 0 else None,
            predicted=self.class_names[first],
            confidence=float(probabilities[first]),
            second=None if second is None else self.class_names[second],
            second_probability=None if second is None else float(probabilities[second]),
        )

    def csv(self) -> str:
        """The rows as a table with the columns of `COLUMNS`, which no spreadsheet computes."""
        return csv_of(COLUMNS, (_cells(row) for row in self.rows()))


def csv_of(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table as CSV. Text that a spreadsheet would compute gets an apostrophe before it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([_no_formula(cell) for cell in row] for row in rows)
    return text.getvalue()


def label_index(label: str | None, class_names: Sequence[str]) -> int | None:
    """Which class a label names, whether or not in capitals; None where it names none."""
    if label is None:
        return None
    if label in class_names:
        return class_names.index(label)
    folded = [name.casefold() for name in class_names]
    return folded.index(label.casefold()) if folded.count(label.casefold()) == 1 else None


def frame_of(config: RunConfig, polarity: Polarity = "auto") -> Callable[[Pixels], Pixels]:
    """How a picture is made for the network of a run: (28, 28) for digits, else as it is fed it."""
    side, channels = config.network.side, config.network.channels

    def resized(picture: Pixels) -> Pixels:
        (fed,) = for_network(picture[np.newaxis], side, channels)
        one: Pixels = fed[..., 0] if channels == 1 else fed
        return one

    def digit(picture: Pixels) -> Pixels:
        return to_digit(picture, polarity).digit

    return digit if config.data.shows_digits else resized


@dataclass
class _Asked(Generic[Key]):
    """What networks said so far."""

    networks: Mapping[Key, tuple[tuple[str, ...], Ask]]
    items: list[Named | Refusal] = field(default_factory=list)
    waiting: list[Pixels] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.said: dict[Key, list[NDArray[np.float32]]] = {
            key: [np.zeros((0, len(classes)), np.float32)]
            for key, (classes, _) in self.networks.items()
        }

    def ask(self) -> None:
        if self.waiting:
            images = np.stack(self.waiting)
            for key, (_, ask) in self.networks.items():
                self.said[key].append(ask(images))
            self.waiting.clear()


def read_all(
    framed: Iterable[Framed[Pixels] | Refusal],
    networks: Mapping[Key, tuple[tuple[str, ...], Ask]],
    progress: Callable[[int], None] = lambda done: None,
) -> dict[Key, Readings]:
    """Ask networks, each given with its class names, about all pictures of an upload.

    All pictures must be framed to one shape. progress: told how many items are done. Memory holds
    no more than some hundred of them. Raises what asking raises.
    """
    asked = _Asked(networks)
    for item in framed:
        if isinstance(item, Framed):
            asked.items.append(Named(item.name, item.label, item.thumbnail))
            asked.waiting.append(item.image)
        else:
            asked.items.append(item)
        if len(asked.waiting) == AT_ONCE:
            asked.ask()
        progress(len(asked.items))
    asked.ask()
    return {
        key: Readings(classes, asked.items, np.concatenate(asked.said[key]))
        for key, (classes, _) in networks.items()
    }


def _cells(row: Row) -> list[Any]:
    values = (
        row.name,
        row.true_class,
        row.predicted,
        row.confidence,
        row.second,
        row.second_probability,
        row.refusal,
    )
    return [round(value, 4) if isinstance(value, float) else value for value in values]


def _no_formula(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
