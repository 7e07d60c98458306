"""What several networks make of the same upload: where they differ, and who is wrong."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from io import BytesIO
from typing import Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.data.kaggle import Rows, read_table
from core.predicting.ink import Polarity
from core.predicting.readings import AT_ONCE, Ask, Named, Readings, frame_of, read_all
from core.predicting.uploads import Picture, Refusal, Upload
from core.registry.config import RunConfig

Key = TypeVar("Key")
Networks = Mapping[Key, tuple[RunConfig, Ask]]
Progress = Callable[[float], None]
"""Told which share of the work is done."""
Positions = NDArray[np.int64]
"""Pictures by their place among those that were read, (n,)."""
Shown = Literal["all", "wrong", "disagree"]
Order = Literal["given", "least sure", "surest"]


@dataclass(frozen=True, eq=False)
class JointReadings(Generic[Key]):
    """What networks that know the same classes make of the same pictures.

    of_each: by network, of the same items in the same order. again: one picture with its pixels,
    by its place among the items. left_out: files that systems add by themselves.
    """

    of_each: Mapping[Key, Readings]
    again: Callable[[int], Picture | Refusal]
    left_out: int = 0

    @property
    def one(self) -> Readings:
        """Those of the first network, for what all of them share."""
        return next(iter(self.of_each.values()))

    @cached_property
    def places(self) -> Positions:
        """Where each picture that was read stands among all items."""
        return np.flatnonzero([isinstance(item, Named) for item in self.one.items])

    @cached_property
    def said(self) -> NDArray[np.int64]:
        """The class that each network takes each picture for, (networks, count)."""
        return np.stack([found.probabilities.argmax(axis=1) for found in self.of_each.values()])

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """The probability of that class, (networks, count)."""
        return np.stack([found.probabilities.max(axis=1) for found in self.of_each.values()])

    @cached_property
    def disagree(self) -> NDArray[np.bool_]:
        """Which pictures not all networks take for the same class, (count,)."""
        differ: NDArray[np.bool_] = (self.said != self.said[0]).any(axis=0)
        return differ

    @cached_property
    def wrong(self) -> NDArray[np.bool_]:
        """Which pictures of a known class any network takes for another, (count,)."""
        labels = self.one.labels
        missed: NDArray[np.bool_] = (labels >= 0) & (self.said != labels).any(axis=0)
        return missed

    def taken_for(self, truth: int, said: int, networks: Sequence[Key]) -> NDArray[np.bool_]:
        """Which pictures of a class any of some networks takes for a class, (count,)."""
        rows = [list(self.of_each).index(network) for network in networks]
        taken = (self.said[rows] == said).any(axis=0)
        found: NDArray[np.bool_] = taken & (self.one.labels == truth)
        return found

    def select(
        self,
        shown: Shown = "all",
        order: Order = "given",
        network: Key | None = None,
        among: NDArray[np.bool_] | None = None,
    ) -> Positions:
        """Positions of the pictures to show, in order.

        network: whose confidence they are put in order by; without one by that of whichever is
        least sure. among: which to choose from, (count,).
        """
        wanted = {"all": None, "wrong": self.wrong, "disagree": self.disagree}[shown]
        kept = np.ones(len(self.places), bool) if among is None else among
        found = np.flatnonzero(kept if wanted is None else kept & wanted)
        if order == "given":
            return found
        sure = self.confidence.min(axis=0)
        if network is not None:
            sure = self.confidence[list(self.of_each).index(network)]
        keys = sure[found] if order == "least sure" else -sure[found]
        return found[np.argsort(keys, kind="stable")]


def read_pictures(
    upload: Upload, networks: Networks[Key], polarity: Polarity, progress: Progress
) -> JointReadings[Key]:
    """Have networks that know the same classes read an upload.

    What cannot be made into a picture for one of them is refused for all. Raises what asking and
    progress raise.
    """
    alike: dict[tuple[int, int, bool], list[Key]] = {}
    for key, (config, _) in networks.items():
        alike.setdefault(_framing(config), []).append(key)
    found: dict[Key, Readings] = {}
    whole = max(1, len(upload) * len(alike))
    for number, keys in enumerate(alike.values()):
        asked = {key: (networks[key][0].class_names, networks[key][1]) for key in keys}
        framed = upload.framed(frame_of(networks[keys[0]][0], polarity))
        found |= read_all(framed, asked, partial(_tell, progress, number * len(upload), whole))
    in_order = {key: found[key] for key in networks}
    return JointReadings(_together(in_order), upload.picture, upload.left_out)


def read_digits(content: bytes, networks: Networks[Key], progress: Progress) -> JointReadings[Key]:
    """Have networks read a table of pixels, as Kaggle gives digits out.

    Raises UnreadableUpload where the table is not as it must be, and what asking and progress do.
    """
    file, images = BytesIO(content), []
    items: list[Named | Refusal] = []
    said: dict[Key, list[NDArray[np.float32]]] = {key: [] for key in networks}
    classes = next(iter(networks.values()))[0].class_names
    for rows in read_table(file):
        items.extend(_named(rows, len(items), classes))
        for part in np.split(rows.images, range(AT_ONCE, len(rows.images), AT_ONCE)):
            for key, (_, ask) in networks.items():
                said[key].append(ask(part))
            images.append(part)
            progress(file.tell() / len(content))
    every = np.concatenate(images)

    def again(place: int) -> Picture | Refusal:
        item = items[place]
        return item if isinstance(item, Refusal) else Picture(item.name, item.label, every[place])

    return JointReadings(
        {key: Readings(classes, items, np.concatenate(said[key])) for key in networks}, again
    )


def _tell(progress: Progress, before: int, whole: int, done: int) -> None:
    progress((before + done) / whole)


def _framing(config: RunConfig) -> tuple[int, int, bool]:
    """What tells apart the ways in which networks are given pictures; all digits go one way."""
    if config.data.shows_digits:
        return 0, 0, True
    return config.network.side, config.network.channels, False


def _together(readings: Mapping[Key, Readings]) -> dict[Key, Readings]:
    """The readings of those pictures alone that every network could be asked about."""
    columns = zip(*(found.items for found in readings.values()), strict=True)
    items = [
        next((item for item in column if isinstance(item, Refusal)), column[0])
        for column in columns
    ]
    return {key: _of_items(found, items) for key, found in readings.items()}


def _of_items(found: Readings, items: Sequence[Named | Refusal]) -> Readings:
    both = zip(found.items, items, strict=True)
    kept = [isinstance(item, Named) for own, item in both if isinstance(own, Named)]
    return Readings(found.class_names, items, found.probabilities[np.array(kept, bool)])


def _named(rows: Rows, before: int, classes: Sequence[str]) -> Iterator[Named]:
    labels = [None] * len(rows.images) if rows.labels is None else rows.labels.tolist()
    for number, label in enumerate(labels, start=before + 1):
        yield Named(f"row {number}", None if label is None else classes[label])
